"""mbox as a source: where messages begin and end, what was quoted, and dates of many writers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailstore.transfer.sources import Reading, SourceMessage, mbox, uidl_format
from mailstore.transfer.sources.mbox import Doubt

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


def test_only_the_first_message_can_be_a_folders_internal_data_since_anybody_may_write_its_subject(
    tmp_path: Path,
) -> None:
    forged = b"Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n\nx\n"
    assert contents(found(tmp_path, ONE + b"Subject: a\n\n\n" + TWO + forged)) == [b"Subject: a\n\n", forged]


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


# --- mbox files in the wild -----------------------------------------------------------------------------------------

A, B = b"Subject: a\n\nx\n", b"Subject: b\n\ny\n"


def told(tmp_path: Path, content: bytes) -> tuple[list[bytes], list[tuple[int, Doubt]]]:
    """Return the messages, and what is said of doubtful lines."""
    (tmp_path / "mbox").write_bytes(content)
    doubts: list[tuple[int, Doubt]] = []
    rows = list(mbox.messages(tmp_path / "mbox", tell=lambda offset, doubt: doubts.append((offset, doubt))))
    return contents(rows), doubts


@pytest.mark.parametrize(
    "line",
    [
        b"From - \n",
        b"From -\n",
        b"From - Tue Jul 05 18:44:15 2022\n",
        b"From a@x.org 2022-07-05T18:44:15Z\n",
        b"From a@x.org 2022-07-05 18:44:15 +0200\n",
        b"From a@x.org Tue, 5 Jul 2022 18:44:15 +0200\n",
        b"From a@x.org Tue Jul  5 18:44:15 2022 remote from gate\n",
    ],
)
def test_each_known_from_line_begins_a_message_without_a_doubt(tmp_path: Path, line: bytes) -> None:
    assert told(tmp_path, line + A + b"\n" + line + B) == ([A, B], [])
    crlf = (line + A + b"\n" + line + B).replace(b"\n", b"\r\n")
    assert told(tmp_path, crlf) == ([A.replace(b"\n", b"\r\n"), B.replace(b"\n", b"\r\n")], [])


@pytest.mark.parametrize("begin", [b"\xef\xbb\xbf", b"\n", b"\r\n\n", b"\xef\xbb\xbf\n"])
def test_a_byte_order_mark_or_empty_lines_may_stand_before_the_first_message(tmp_path: Path, begin: bytes) -> None:
    assert told(tmp_path, begin + ONE + A + b"\n" + TWO + B) == ([A, B], [])


@pytest.mark.parametrize("line", [TWO, b"From -\n"])
def test_without_an_empty_line_before_it_a_good_from_line_begins_a_message_and_that_is_told(
    tmp_path: Path, line: bytes
) -> None:
    assert told(tmp_path, ONE + A + line + B) == ([A, B], [(len(ONE + A), Doubt.SPLIT)])


def test_a_quoted_from_line_that_is_kept_as_first_line_of_the_header_is_dropped(tmp_path: Path) -> None:
    kept = b">From - Tue Jul 05 18:44:15 2022\n"
    assert told(tmp_path, ONE + kept + A + b"\n" + TWO + kept + b">From ann@x.org\n" + B) == ([A, B], [])
    assert told(tmp_path, ONE + b"Subject: a\n" + kept + b"\nx\n")[0] == [b"Subject: a\n" + kept[1:] + b"\nx\n"]


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        (b"From the garden Tue Jul 05 18:44:15 2022 we saw\nthe sea\n", None),
        (b"From the garden Tue Jul 05 18:44:15 2022 we saw\nmany: birds\n", Doubt.JOINED),
        (b"From ann@x.org\nSubject: old\n", Doubt.JOINED),
        (b"From - \nas text\n", Doubt.JOINED),
        (b"From here\nto: there\n", None),
    ],
)
def test_text_that_looks_like_a_from_line_stays_text_and_is_told_if_a_header_follows(
    tmp_path: Path, text: bytes, doubt: Doubt | None
) -> None:
    body = b"Subject: a\n\nx\n\n" + text
    expected = [(len(ONE) + len(b"Subject: a\n\nx\n\n"), doubt)] if doubt else []
    assert told(tmp_path, ONE + body) == ([body], expected)


def test_a_from_line_with_no_header_behind_it_is_told_either_way(tmp_path: Path) -> None:
    assert told(tmp_path, ONE + A + b"\n" + TWO + b"no header\n") == (
        [A, b"no header\n"],
        [(len(ONE + A) + 1, Doubt.SPLIT)],
    )
    body = A + TWO + b"and left\n"
    assert told(tmp_path, ONE + body) == ([body], [(len(ONE + A), Doubt.JOINED)])


@pytest.mark.parametrize("blank", [b"\n", b""])
def test_a_content_length_is_believed_where_a_from_line_stands_exactly_behind_it(tmp_path: Path, blank: bytes) -> None:
    text = b"he wrote\n\n" + TWO + b"Subject: inside\n\n>From me\n"
    first = b"Content-Length: %d\n\n" % len(text) + text
    assert told(tmp_path, ONE + first + blank + TWO + B) == ([first, B], [])
    assert told(tmp_path, ONE + first) == ([first], [])
    wrong = b"Content-Length: %d\n\n" % (len(text) - 3) + text
    assert len(told(tmp_path, ONE + wrong + b"\n" + TWO + B)[0]) == 3


@pytest.mark.parametrize("octets", [10**6, 2**53])
def test_a_content_length_beyond_the_end_of_the_file_does_not_stop_the_import(tmp_path: Path, octets: int) -> None:
    """The harm: any sender could write such a field, and no message of the mailbox could be imported."""
    head = b"From a@x.org Sat Jan  3 01:05:34 1996\n"
    message = b"Content-Length: %d\nSubject: x\n\nbody\n" % octets
    path = tmp_path / "inbox"
    path.write_bytes((head + message + b"\n") * 2)
    assert [b"".join(each.read()) for each in mbox.messages(path)] == [message, message]


def test_a_content_length_far_away_is_not_believed(tmp_path: Path) -> None:
    for value in (b"99999999999999999999", b"9999999", b"-5", b"x", b"0"):
        rows, _doubts = told(tmp_path, ONE + b"Content-Length: " + value + b"\n\nx\n\n" + TWO + B)
        assert rows[-1] == B
        assert len(rows) == 2


@pytest.mark.parametrize(
    ("field", "deleted"),
    [
        (b"X-Mozilla-Status: 0008\n", True),
        (b"X-Mozilla-Status: 0009\n", True),
        (b"x-mozilla-status: 1008\n", True),
        (b"X-Mozilla-Status: 0001\n", False),
        (b"X-Mozilla-Status: zz\n", False),
        (b"X-Status: D\n", True),
        (b"X-Status: AD\n", True),
        (b"X-Status: A\n", False),
        (b"Status: D\n", False),
    ],
)
def test_deleted_mail_is_known_by_its_fields(tmp_path: Path, field: bytes, deleted: bool) -> None:
    assert [row.deleted for row in found(tmp_path, ONE + field + A)] == [deleted]
    assert [row.deleted for row in found(tmp_path, ONE + A + field)] == [False]


def test_the_program_of_the_mailbox_writes_its_field_on_top_and_one_below_came_with_the_message(tmp_path: Path) -> None:
    rows = found(tmp_path, ONE + b"X-Mozilla-Status: 0001\nSubject: a\nX-Mozilla-Status: 0009\n\nx\n")
    assert [row.deleted for row in rows] == [False]


def test_fields_of_mozilla_do_not_stay_and_do_not_make_another_message(tmp_path: Path) -> None:
    mozilla = b"X-Mozilla-Status: %s\nX-Mozilla-Status2: 00800000\nX-Mozilla-Keys: a\n  b\n"
    (unread,) = found(tmp_path, b"From - Tue Jul 05 18:44:15 2022\n" + mozilla % b"0000" + A)
    (read,) = found(tmp_path, b"From - Tue Jul 05 18:44:15 2022\n" + mozilla % b"0001" + A)
    assert unread.identity == read.identity
    assert contents([read]) == [A]
    body = A + mozilla
    assert contents(found(tmp_path, ONE + body)) == [body]


def test_uids_in_the_headers_give_the_uidls_that_the_server_showed(tmp_path: Path) -> None:
    rows = found(
        tmp_path,
        ONE + b"X-IMAPbase: 1275660208 0000000009 NonJunk\nX-UID: 3   \nX-UIDL: old\n\nx\n\n"
        + TWO + b"X-UID: 7\n\n\n" + TWO + b"X-UID: 7\nX-UIDL: spare\n\n\n" + TWO + b"X-UID: 10\n\n\n" + TWO + B,
    )  # fmt: skip
    assert [row.uidl for row in rows] == ["000000034c0907b0", "000000074c0907b0", "spare", None, None]


def test_uids_count_from_a_folders_internal_data_too_and_take_other_formats(tmp_path: Path) -> None:
    internal = b"Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1275660208 0000000002\n\ntext\n\n"
    (tmp_path / "mbox").write_bytes(ONE + internal + TWO + b"X-UID: 2\n\ny\n")
    reading = Reading(uidl_format.parse("%08Xv%08Xu"))
    assert [row.uidl for row in mbox.messages(tmp_path / "mbox", reading)] == ["4c0907b000000002"]
    with pytest.raises(uidl_format.BadFormat):
        list(mbox.messages(tmp_path / "mbox", Reading(uidl_format.parse("%f"))))


def test_without_a_base_in_the_first_message_uids_mean_nothing(tmp_path: Path) -> None:
    rows = found(tmp_path, ONE + b"X-UID: 1\n\nx\n\n" + TWO + b"X-IMAPbase: 1275660208 9\nX-UID: 2\n\ny\n")
    assert [row.uidl for row in rows] == [None, None]


def test_the_uidl_of_our_own_export_does_not_stay_and_other_fields_do(tmp_path: Path) -> None:
    own = b"X-UIDL: of the message\nX-Mozilla-Status: 0008\nX-Status: D\nX-UID: 1\nContent-Length: 1\n\nx\n"
    ours = b"From MAILER-DAEMON Sat Jan  3 01:05:34 1996\nX-UIDL: abc\n"
    (row,) = found(tmp_path, ours + own)
    assert (contents([row]), row.uidl, row.deleted) == ([own], "abc", False)
