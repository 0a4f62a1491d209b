"""Read from a message's header when it arrived: the date of the topmost Received field, else of the Date field."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_HEADER_END = re.compile(rb"\n\r?\n|\A\r?\n")
# RFC 5322 §2.2.3: a line that begins with white space goes on with the field before it.
_FIELD = rb"(?im)^%s[ \t]*:((?:.*)(?:\n[ \t].*)*)"
_RECEIVED = re.compile(_FIELD % b"received")
_DATE = re.compile(_FIELD % b"date")
_FIELD_OCTETS = 4096
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)  # an earlier date is that of a machine whose clock had no battery


def arrival(begin: bytes, now: datetime) -> datetime | None:
    """Return the date that the header tells, or None. A date before EARLIEST or after `now` does not count."""
    end = _HEADER_END.search(begin)
    header = begin[: end.start()] if end else begin
    # RFC 5321 §4.4: the server that stored the message put its Received field on top; the date stands behind the last ;
    dates = (_date(_RECEIVED.search(header), behind=b";"), _date(_DATE.search(header), behind=b""))
    return next((date for date in dates if date is not None and EARLIEST <= date <= now), None)


def _date(field: re.Match[bytes] | None, *, behind: bytes) -> datetime | None:
    if field is None:
        return None
    value = field[1][:_FIELD_OCTETS]
    text = b" ".join((value.rpartition(behind)[2] if behind else value).split())
    try:
        date = parsedate_to_datetime(text.decode("ascii", "replace"))
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
