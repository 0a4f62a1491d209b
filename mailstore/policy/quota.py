"""Quota arithmetic: how sizes are written and read, and how far the last message may exceed a quota."""

from __future__ import annotations

import re

GRACE_OCTETS = 10 * 1024 * 1024  # the last message may exceed the quota, so that "full" is unambiguous,
GRACE_SHARE = 10  # but by no more than a tenth of it
MAX_OCTETS = 2**60  # far above any disk, far below a bigint's end: sums cannot overflow

_UNITS = {"": 1, "B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
_SIZE = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,3}))?\s*([KMGT]?B?)", re.IGNORECASE)


class BadSize(ValueError):
    """Not a size; the text says what is allowed."""


def parse_octets(text: str) -> int | None:
    """Read `2GB`, `1.5GB`, `500MB`, plain octets, or `none` (None: no quota). Units are powers of 1024."""
    if text.strip().lower() == "none":
        return None
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise BadSize(f"{text!r} is not a size: write 2GB, 500MB, a number of octets, or none")
    whole, fraction, unit = match.groups()
    factor = _UNITS[unit.upper() if len(unit) != 1 or unit.upper() == "B" else f"{unit.upper()}B"]
    octets = int(whole) * factor + (int(fraction) * factor // 10 ** len(fraction) if fraction else 0)
    if octets > MAX_OCTETS:
        raise BadSize(f"{text!r} is above the largest size, {MAX_OCTETS} octets")
    return octets


def format_octets(octets: int | None) -> str:
    """Write a size so that `parse_octets` reads it back exactly: the largest unit that divides it, `none` for None."""
    if octets is None:
        return "none"
    for unit in ("TB", "GB", "MB", "KB"):
        if octets and octets % _UNITS[unit] == 0:
            return f"{octets // _UNITS[unit]}{unit}"
    return str(octets)
