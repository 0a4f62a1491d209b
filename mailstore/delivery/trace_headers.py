"""The trace headers of a delivery (RFC 5321 §4.4), in wire form. Recipients share a body, so they stand in the row."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import format_datetime

from mailstore.ports.delivery import Envelope

TEXT_LIMIT = 400  # characters kept of a name from a peer: header lines stay below RFC 5322's 998
LINE_OCTETS = 998  # RFC 5322 §2.1.1, without CRLF


class Clock:
    """The date as headers write it. It is kept for a second, since making it costs more than all other headers."""

    def __init__(self) -> None:
        self._second = 0
        self._date = ""

    def date(self) -> str:
        """Return the date and time of this second (RFC 5322 §3.3)."""
        second = int(time.time())
        if second != self._second:
            self._second, self._date = second, format_datetime(datetime.fromtimestamp(second, UTC))
        return self._date


def headers(envelope: Envelope, recipient: str, *, hostname: str, queue_id: str, date: str) -> bytes:
    """Return Return-Path, Delivered-To and Received for one recipient. Log and reply name the same `queue_id`."""
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
    """Return the header with the whole reverse-path if a line can hold it: a shortened one would be another address."""
    line = f"Return-Path: <{plain(sender, len(sender))}>"
    return line if len(line.encode()) <= LINE_OCTETS else f"Return-Path: <{plain(sender)}>"


def _literal(client: str) -> str:
    """Return an address literal (RFC 5321 §4.1.3): IPv6 with its tag, without the interface after a %."""
    return f"IPv6:{client.partition('%')[0]}" if ":" in client else client


def plain(text: str, most: int = TEXT_LIMIT) -> str:
    """Make text from a peer fit for a header line: no control characters, at most `most` characters."""
    if len(text) <= most and text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text[:most])
