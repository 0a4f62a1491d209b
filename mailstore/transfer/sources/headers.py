"""Finds one field in the header of a message that is read line by line; parses nothing else of it."""

from __future__ import annotations

from collections.abc import Iterable

HEADER_OCTETS = 256 * 1024  # what is longer is no header; reading stops there


def first_value(lines: Iterable[bytes], name: bytes) -> str | None:
    """Return the value of the first field `name` (lower case), in ASCII with what is not replaced; None without."""
    left = HEADER_OCTETS
    for line in lines:
        left -= len(line)
        if not line.strip() or left < 0:  # RFC 5322 §2.1: an empty line ends the header
            return None
        field, colon, value = line.partition(b":")
        if colon and field.strip().lower() == name:
            return value.strip().decode("ascii", "replace")
    return None
