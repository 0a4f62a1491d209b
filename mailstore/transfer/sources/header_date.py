"""Read from a message's header when it arrived: the date of the topmost Received field, else of the Date field."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from mailstore.wire import header_field

_RECEIVED = header_field.pattern("received")
_DATE = header_field.pattern("date")
_FIELD_OCTETS = 4096
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)  # an earlier date is that of a machine whose clock had no battery


def arrival(begin: bytes, now: datetime) -> datetime | None:
    """Return the date that the header tells, or None. A date before EARLIEST or after `now` does not count."""
    end = header_field.END.search(begin)
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
