"""The From_ lines that begin the messages of an mbox, as many programs write them: their shapes and dates. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import Enum

LINE_OCTETS = 1000  # a longer line is text; so no line can keep the expressions below busy
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_DAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = rb"(?P<month>" + b"|".join(_MONTHS) + rb")"
_CLOCK = rb"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d{1,9})?)?"
_ZONE = rb"[+-]\d{2}:?\d{2}|[A-Za-z]{1,5}"
_DATES = (
    # asctime: `Sat Jan  3 01:05:34 1996`, perhaps with a zone before or after the year
    _DAY + rb",? +" + _MONTH + rb" +(?P<day>\d{1,2}) +" + _CLOCK
    + rb"(?: +(?P<zone>" + _ZONE + rb"))? +(?P<year>\d{4})(?: +(?P<late_zone>" + _ZONE + rb"))?",
    # RFC 5322: `Tue, 5 Jul 2022 18:44:15 +0200`, perhaps with a comment
    rb"(?:" + _DAY + rb", *)?(?P<day>\d{1,2})[ -]" + _MONTH + rb"[ -](?P<year>\d{4}) +" + _CLOCK
    + rb"(?: *(?P<zone>" + _ZONE + rb"))?(?: +\([^()]*\))?",
    # ISO 8601: `2022-07-05T18:44:15Z`
    rb"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?:[T ]" + _CLOCK + rb"(?: ?(?P<zone>" + _ZONE + rb"))?)?",
)  # fmt: skip
_SENDER = rb'(?:"[^"\r\n]{0,320}"(?:@[^ \t\r\n]+)?|[^ \t\r\n]+)'
_END = rb"[ \t]*(?:remote from [^ \t\r\n]+)?[ \t]*\r?\n?"
_DATED = tuple(re.compile(rb"From (?:[ \t]*" + _SENDER + rb")?[ \t]+" + date + _END) for date in _DATES)
_DATE_ONLY = tuple(re.compile(rb"From +" + date + _END) for date in _DATES)
_BARE = re.compile(rb"From -[ \t]*\r?\n?")
# A date somewhere in the line, or an address and no date.
_WITHIN = tuple(re.compile(rb"From .*?\b" + date) for date in _DATES)
_ADDRESS = re.compile(rb"From [^ \t\r\n]+@[^ \t\r\n]+[ \t]*\r?\n?")


class Shape(Enum):
    """What a line that begins with `From ` looks like."""

    DATED = "a From_ line: a sender in one word, a date, and no more"
    BARE = "`From -` without a date, as Thunderbird writes it"
    NEAR = "a date within a sentence, or an address without a date: text, or the line of a program that is not known"
    TEXT = "a sentence"


def shape(line: bytes) -> Shape:
    """Return what a line looks like."""
    if not line.startswith(b"From ") or len(line) > LINE_OCTETS:
        return Shape.TEXT
    if _dated(line) is not None:
        return Shape.DATED
    if _BARE.fullmatch(line):
        return Shape.BARE
    near = _ADDRESS.fullmatch(line) or any(pattern.match(line) for pattern in _WITHIN)
    return Shape.NEAR if near else Shape.TEXT


def date(line: bytes) -> datetime | None:
    """Return the date of a From_ line. Without an offset it is in UTC. None if there is none, or no such day."""
    match = _dated(line) if len(line) <= LINE_OCTETS else None
    if match is None:
        return None
    parts = match.groupdict()
    zone = (parts["zone"] or parts.get("late_zone") or b"").decode()
    month = parts["month"]
    number = int(month) if month.isdigit() else _MONTHS.index(month) + 1
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    try:
        there = datetime(int(parts["year"]), number, int(parts["day"]), hour, minute, second, tzinfo=UTC)
        return there - _offset(zone)
    except (ValueError, OverflowError):
        return None


def _dated(line: bytes) -> re.Match[bytes] | None:
    return next(filter(None, (pattern.fullmatch(line) for pattern in (*_DATED, *_DATE_ONLY))), None)


def _offset(zone: str) -> timedelta:
    if not zone.startswith(("+", "-")):
        return timedelta()
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return timedelta(minutes=-minutes if zone.startswith("-") else minutes)
