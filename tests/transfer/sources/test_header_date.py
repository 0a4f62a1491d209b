"""When a message arrived, as its header tells it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailstore.transfer.sources.header_date import arrival

NOW = datetime(2026, 10, 1, tzinfo=UTC)
DATE = b"Date: Tue, 05 Jul 2022 18:44:15 +0200\r\n"
RECEIVED = (
    b"Received: from a by b with LMTP id 1; x\r\n\tfor <ann@example.org>;\r\n\tWed, 06 Jul 2022 08:00:00 +0000\r\n"
)
OLDER = b"Received: from c by a; Mon, 04 Jul 2022 08:00:00 +0000 (UTC)\r\n"


@pytest.mark.parametrize(
    ("header", "date"),
    [
        (RECEIVED + OLDER + DATE, datetime(2022, 7, 6, 8, tzinfo=UTC)),
        (DATE + OLDER, datetime(2022, 7, 4, 8, tzinfo=UTC)),
        (DATE, datetime(2022, 7, 5, 16, 44, 15, tzinfo=UTC)),
        (DATE.replace(b"+0200", b"-0000"), datetime(2022, 7, 5, 18, 44, 15, tzinfo=UTC)),
        (b"Received: nothing here\r\n" + DATE, datetime(2022, 7, 5, 16, 44, 15, tzinfo=UTC)),
        (DATE.replace(b"2022", b"2039"), None),
        (DATE.replace(b"2022", b"1970"), None),
        (b"Date: \xff\xfe\r\n", None),
        (b"Date: Tue, 99 Jul 2022 18:44:15 +0200\r\n", None),
        (b"Subject: x\r\n", None),
        (b"\r\n" + DATE, None),
        (b"Subject: x\r\n\r\n" + DATE, None),
        (b"", None),
    ],
)
def test_the_topmost_received_field_counts_before_the_date(header: bytes, date: datetime | None) -> None:
    assert arrival(header + b"\r\ntext\r\n", NOW) == date
