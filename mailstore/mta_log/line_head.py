"""The beginning of a line of a log: its time, in the forms of syslog, of Postfix's own files, and of Exim."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

LOCAL_ZONE = Path("/etc/localtime")  # that of the machine, by which MTAs write; the pages' zone is another one
# RFC 5424 §6.2.3, as rsyslog writes it: `2026-11-30T09:12:00.123456+01:00 host program[pid]: text`
_MODERN = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) \S+ ([^\s:\[]+)(?:\[\d+\])?: (.*)"
)
# RFC 3164 §4.1.2, in the local time of the machine: `Nov 30 09:12:00 host program[pid]: text`
_CLASSIC = re.compile(r"([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.\d+)? \S+ ([^\s:\[]+)(?:\[\d+\])?: (.*)")
# Exim's mainlog: `2026-11-30 09:12:00 [pid] text`, with its zone if log_timezone is set
_EXIM = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)?(?: ([+-]\d{4}))?(?: \[\d+\])? (.*)")
_MONTHS = {
    name: place
    for place, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}
A_DAY = timedelta(days=1)

Head = tuple[datetime, str, str]  # the time, the program that wrote it ("" in Exim's own log), and the text


def machine_zone() -> tzinfo:
    """Return the zone of times that a log tells without one."""
    try:
        with LOCAL_ZONE.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return UTC


def head(line: str, now: datetime, zone: tzinfo) -> Head | None:
    """Split a line; None if it has none of these forms.

    `now` gives the year to times that have none, and `zone` is that of times that tell none.
    """
    try:
        if match := _MODERN.match(line):
            return datetime.fromisoformat(match[1]), match[2], match[3]
        if match := _EXIM.match(line):
            return _exim(match, zone), "", match[3]
        if match := _CLASSIC.match(line):
            return _classic(match, now, zone), match[6], match[7]
    except (ValueError, KeyError, OverflowError):
        return None
    return None


def _exim(match: re.Match[str], zone: tzinfo) -> datetime:
    offset = match[2]
    if offset:
        return datetime.fromisoformat(f"{match[1]}{offset[:3]}:{offset[3:]}").astimezone(UTC)
    return datetime.fromisoformat(match[1]).replace(tzinfo=zone).astimezone(UTC)


def _classic(match: re.Match[str], now: datetime, zone: tzinfo) -> datetime:
    month, day = _MONTHS[match[1]], int(match[2])
    for year in (now.year + 1, now.year, now.year - 1):  # the latest that is not to come
        try:
            at = datetime(year, month, day, int(match[3]), int(match[4]), int(match[5]), tzinfo=zone).astimezone(UTC)
        except ValueError:  # 29 February of another year
            continue
        if at <= now + A_DAY:
            return at
    raise ValueError(match[0])
