"""mbox as a source: where messages begin and end, what was quoted, and dates of many writers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailstore.transfer.sources import SourceMessage, mbox

ONE = b"From ann@x.org Sat Jan  3 01:05:34 1996\n"
TWO = b"From bob@x.org  Mon Feb 29 23:00:01 2016 +0200\n"


def found(tmp_path: Path, content: bytes) -> list[SourceMessage]:
    (tmp_path / "mbox").write_bytes(content)
    return list(mbox.messages(tmp_path / "mbox"))


def contents(rows: list[SourceMessage]) -> list[bytes]:
    return [b"".join(row.read()) for row in rows]


def test_the_blank_line_before_a_from_line_belongs_to_neither_message(tmp_path: Path) -> None:
    rows = found(tmp_path, ONE + b"Subject: a\n\nx\n\n\n" + TWO + b"Subject: b\n\ny\n\n")
    assert contents(rows) == [b"Subject: a\n\nx\n\n", b"Subject: b\n\ny\n"]


def test_a_last_message_without_a_line_end_is_whole(tmp_path: Path) -> None:
    assert contents(found(tmp_path, ONE + b"Subject: a\n\nno end")) == [b"Subject: a\n\nno end"]


def test_quoted_from_lines_lose_one_sign(tmp_path: Path) -> None:
    rows = found(tmp_path, ONE + b"Subject: a\n\n>From me\n>>From you\n> From far\n>Fromage\n")
    assert contents(rows) == [b"Subject: a\n\nFrom me\n>From you\n> From far\n>Fromage\n"]


def test_prose_that_begins_with_from_parts_nothing(tmp_path: Path) -> None:
    body = b"Subject: a\n\nx\n\nFrom here to there\n\nFrom Monday 12:30 on\n"
    assert contents(found(tmp_path, ONE + body)) == [body]


def test_a_from_line_inside_a_paragraph_parts_nothing(tmp_path: Path) -> None:
    assert len(found(tmp_path, ONE + b"Subject: a\n\nhe wrote\n" + TWO + b"and left\n")) == 1


def test_dates_are_read_with_their_offset(tmp_path: Path) -> None:
    rows = found(tmp_path, ONE + b"Subject: a\n\n\n" + TWO + b"Subject: b\n\n")
    assert [row.arrived_at for row in rows] == [
        datetime(1996, 1, 3, 1, 5, 34, tzinfo=UTC),
        datetime(2016, 2, 29, 21, 0, 1, tzinfo=UTC),
    ]


def test_an_offset_after_the_year_is_read_too(tmp_path: Path) -> None:
    (row,) = found(tmp_path, b"From a Sat Jan  3 01:05:34 1996 -0130\nSubject: a\n\n")
    assert row.arrived_at == datetime(1996, 1, 3, 2, 35, 34, tzinfo=UTC)


def test_a_date_that_never_was_is_no_date(tmp_path: Path) -> None:
    assert [row.arrived_at for row in found(tmp_path, b"From a Sat Feb 31 01:05:34 1996\nS: a\n\n")] == [None]


def test_a_message_stays_the_same_one_when_its_status_changes(tmp_path: Path) -> None:
    (before,) = found(tmp_path, ONE + b"Subject: a\nStatus: O\n\nStatus: body\n")
    (read,) = found(tmp_path, ONE + b"Subject: a\nStatus: RO\nX-Status: A\n\nStatus: body\n")
    (other,) = found(tmp_path, ONE + b"Subject: a\nStatus: O\n\nStatus: another\n")
    assert before.identity == read.identity != other.identity


def test_the_uidl_is_the_headers_not_the_bodys(tmp_path: Path) -> None:
    rows = found(tmp_path, ONE + b"X-UIDL: abc\n\nX-UIDL: body\n\n" + TWO + b"Subject: b\n\nX-UIDL: body\n")
    assert [row.uidl for row in rows] == ["abc", None]


def test_a_folders_internal_data_is_no_mail(tmp_path: Path) -> None:
    internal = b"Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 2\n\nThis text is part\n\n"
    rows = found(tmp_path, ONE + internal + TWO + b"Subject: b\n\ny\n")
    assert contents(rows) == [b"Subject: b\n\ny\n"]


def test_lines_longer_than_a_chunk_come_back_whole(tmp_path: Path) -> None:
    long = b"Subject: a\n\n" + b"x" * 200_000 + b"\n>From me\n"
    assert contents(found(tmp_path, ONE + long)) == [b"Subject: a\n\n" + b"x" * 200_000 + b"\nFrom me\n"]


def test_crlf_files_are_read_as_well(tmp_path: Path) -> None:
    rows = found(tmp_path, (ONE + b"Subject: a\n\nx\n\n" + TWO + b"Subject: b\n\ny\n").replace(b"\n", b"\r\n"))
    assert contents(rows) == [b"Subject: a\r\n\r\nx\r\n", b"Subject: b\r\n\r\ny\r\n"]


def test_an_empty_file_has_no_messages_and_another_kind_is_refused(tmp_path: Path) -> None:
    assert found(tmp_path, b"") == []
    with pytest.raises(mbox.NotAnMbox):
        found(tmp_path, b"Subject: a single message\n\nx\n")
