"""The trace headers of a delivery (RFC 5321 §4.4), in wire form; they live in the row, so that one body serves all."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import format_datetime

from mailstore.ports import Envelope

TEXT_LIMIT = 400  # characters kept of a name from a peer: header lines stay below RFC 5322's 998
LINE_OCTETS = 998  # RFC 5322 §2.1.1, without CRLF


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
        f"{_return_path(envelope.sender)}\r\n"
        f"Delivered-To: {recipient}\r\n"
        f"Received: from {plain(envelope.client_name)}{client}\r\n"
        f"\tby {hostname} with {protocol} id {queue_id}\r\n"
        f"\tfor <{recipient}>; {date}\r\n"
    ).encode()


def _return_path(sender: str) -> str:
    """The whole reverse path as far as a line can hold it: cut short, it would be the address of somebody else."""
    line = f"Return-Path: <{plain(sender, len(sender))}>"
    return line if len(line.encode()) <= LINE_OCTETS else f"Return-Path: <{plain(sender)}>"


def _literal(client: str) -> str:
    """RFC 5321 §4.1.3: an IPv6 address bears its tag; it has no place for the interface behind a %."""
    return f"IPv6:{client.partition('%')[0]}" if ":" in client else client


def plain(text: str, most: int = TEXT_LIMIT) -> str:
    """Text from a peer, fit for a header line: no control characters, `most` characters at most."""
    if len(text) <= most and text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text[:most])
