"""The trace headers of a delivery (RFC 5321 §4.4), in wire form; they live in the row, so that one body serves all."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import format_datetime

from mailstore.ports import Envelope

TEXT_LIMIT = 400  # characters kept of a name from a peer: header lines stay below RFC 5322's 998


class Clock:
    """The date of this second, as headers write it; making it costs more than the rest of the headers."""

    def __init__(self) -> None:
        self._second = 0
        self._date = ""

    def date(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second, self._date = second, format_datetime(datetime.fromtimestamp(second, UTC))
        return self._date


def headers(envelope: Envelope, recipient: str, *, hostname: str, queue_id: str, date: str) -> bytes:
    """Return-Path, Delivered-To and Received for one recipient; `queue_id` ties them to the log and the reply."""
    client = "" if envelope.client == "unix" else f" ([{_literal(envelope.client)}])"
    protocol = f"{envelope.protocol}S" if envelope.encrypted else envelope.protocol  # RFC 3848
    recipient = plain(recipient)
    return (
        f"Return-Path: <{plain(envelope.sender)}>\r\n"
        f"Delivered-To: {recipient}\r\n"
        f"Received: from {plain(envelope.client_name)}{client}\r\n"
        f"\tby {hostname} with {protocol} id {queue_id}\r\n"
        f"\tfor <{recipient}>; {date}\r\n"
    ).encode()


def _literal(client: str) -> str:
    """RFC 5321 §4.1.3: an IPv6 address bears its tag; it has no place for the interface behind a %."""
    return f"IPv6:{client.partition('%')[0]}" if ":" in client else client


def plain(text: str) -> str:
    """Text from a peer, fit for a header line: no control characters, bounded."""
    if len(text) <= TEXT_LIMIT and text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text[:TEXT_LIMIT])
