"""Maildir as a source: order, dates, UIDLs as Dovecot shows them, and files that move while they are read."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailstore.transfer.sources import SourceMessage, maildir, uidlist


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("cur", "new", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


def put(folder: Path, name: str, content: bytes = b"Subject: x\n\nbody\n") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def found(folder: Path) -> list[SourceMessage]:
    count, each = maildir.messages(folder)
    rows = list(each)
    assert len(rows) == count
    return rows


def test_messages_of_new_and_cur_come_by_time_with_the_date_of_their_names(folder: Path) -> None:
    put(folder, "cur/1300000002.b.host:2,S")
    put(folder, "new/1300000001.a.host")
    put(folder, "tmp/1300000000.c.host")
    put(folder, "cur/.hidden")
    rows = found(folder)
    assert [row.name for row in rows] == ["1300000001.a.host", "1300000002.b.host:2,S"]
    assert rows[0].arrived_at == datetime(2011, 3, 13, 7, 6, 41, tzinfo=UTC)


def test_a_name_without_a_time_has_the_date_of_its_file(folder: Path) -> None:
    os.utime(put(folder, "cur/copied-from-a-backup"), (1_000_000_000, 1_000_000_000))
    assert [row.arrived_at for row in found(folder)] == [datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)]


def test_a_message_is_the_same_one_under_other_flags_and_in_the_other_folder(folder: Path) -> None:
    path = put(folder, "new/1300000001.a.host,S=14")
    (before,) = found(folder)
    path.rename(folder / "cur/1300000001.a.host,S=14:2,RS")
    (after,) = found(folder)
    assert before.identity == after.identity
    assert b"".join(before.read()) == b"Subject: x\n\nbody\n"


def test_dovecots_uids_give_the_order_and_the_uidls(folder: Path) -> None:
    put(folder, "cur/1300000001.later.host:2,")
    put(folder, "cur/1300000009.first.host:2,S")
    put(folder, "new/1300000000.unlisted.host")
    (folder / uidlist.FILE).write_text(
        "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n"
        "25006 W17 :1300000009.first.host:2,\n"
        "25017 Pold.uidl-1 W2481 :1300000001.later.host\n"
    )
    rows = found(folder)
    assert [row.name.split(".")[1] for row in rows] == ["first", "later", "unlisted"]
    assert [row.uidl for row in rows] == ["000061ae4c0907b0", "old.uidl-1", None]


def test_without_dovecot_the_x_uidl_header_counts(folder: Path) -> None:
    put(folder, "cur/1.a", b"Subject: x\nx-uidl:  abc!def \n\nX-UIDL: body\n")
    put(folder, "cur/2.b", b"Subject: x\n\nX-UIDL: body\n")
    assert [row.uidl for row in found(folder)] == ["abc!def", None]


def test_a_uidlist_of_another_kind_stops_the_import(folder: Path) -> None:
    (folder / uidlist.FILE).write_text("1 1275660208 25022\n1 a\n")
    with pytest.raises(uidlist.BadUidlist, match="does not begin"):
        maildir.messages(folder)


def test_what_is_rendered_is_read_back() -> None:
    entries = [uidlist.Entry(3, "a-b", "1.a"), uidlist.Entry(7, None, "2.b,S=5")]
    read = uidlist.parse(uidlist.render(9, entries))
    assert read == uidlist.Uidlist(9, {entry.base: entry for entry in entries})
