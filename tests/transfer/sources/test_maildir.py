"""Maildir as a source: order, dates, UIDLs as Dovecot shows them, and files that move while they are read."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailstore.transfer.sources import PLAIN, Reading, SourceMessage, maildir, uidl_format, uidlist


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("cur", "new", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


def put(folder: Path, name: str, content: bytes = b"Subject: x\n\nbody\n") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def found(folder: Path, shown: str | None = None) -> list[SourceMessage]:
    count, each = maildir.messages(folder, PLAIN if shown is None else Reading(uidl_format.parse(shown)))
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


@pytest.mark.parametrize("flags", [":2,S", ";2,S", "!2,S", "-2,S", ";2,", "!2,RSab", ""])
def test_flags_behind_any_separator_leave_the_uidl_and_the_message_the_same(folder: Path, flags: str) -> None:
    base = "1300000001.a.host,S=17"
    (folder / uidlist.FILE).write_text(f"3 V1275660208 N3\n2 :{base}\n")
    path = put(folder, f"cur/{base}{flags}")
    (row,) = found(folder)
    path.rename(folder / "cur" / base)
    (other,) = found(folder)
    assert (row.uidl, row.identity) == ("000000024c0907b0", other.identity)


@pytest.mark.parametrize(
    ("name", "deleted"),
    [("1.a:2,ST", True), ("1.a;2,T", True), ("1.a!2,T", True), ("1.a-2,T", True), ("1.T:2,S", False), ("1.a-T", False)],
)
def test_a_message_is_deleted_by_its_flag(folder: Path, name: str, deleted: bool) -> None:
    put(folder, f"cur/{name}")
    assert [row.deleted for row in found(folder)] == [deleted]


def test_a_saved_uidl_an_order_and_a_guid_of_the_uidlist_count(folder: Path) -> None:
    for name in ("1.a", "2.b", "3.c", "4.d"):
        put(folder, f"cur/{name}:2,S")
    (folder / uidlist.FILE).write_text(
        "3 V1275660208 N9\n5 O2 Gguid-a :1.a\n6 :2.b\n7 O1 PUID7-9 Gguid-c :3.c\n8 Oxy W17 :4.d\n"
    )
    assert [(row.name[0], row.uidl) for row in found(folder, "%g")] == [
        ("3", "UID7-9"),
        ("1", "guid-a"),
        ("2", "2.b"),
        ("4", "4.d"),
    ]


def test_file_names_as_uidls_need_no_list(folder: Path) -> None:
    put(folder, "cur/1.a,S=17:2,S")
    assert [row.uidl for row in found(folder, "%f")] == ["1.a,S=17"]
    assert [row.uidl for row in found(folder, "%v.%u")] == [None]


def test_couriers_list_gives_the_order_and_the_uidls_and_dovecots_wins_where_both_are(folder: Path) -> None:
    put(folder, "cur/1300000001.a:2,S")
    put(folder, "cur/1300000002.b:2,S")
    put(folder, "new/1300000000.c")
    (folder / "courierpop3dsizelist").write_text("/3 9 7\n1300000002.b 17 5:7:0\n1300000001.a 17 0:0:0\n")
    assert [row.uidl for row in found(folder)] == ["UID5-7", "1300000001.a", None]
    (folder / uidlist.FILE).write_text("3 V1275660208 N3\n1 :1300000001.a\n")
    assert [row.uidl for row in found(folder)] == ["000000014c0907b0", None, None]


def test_a_list_may_lie_elsewhere_and_then_it_must_be_there(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    put(folder, "cur/1300000001.a:2,S")
    control = tmp_path_factory.mktemp("control")
    (control / "list").write_text("3 V1275660208 N3\n1 :1300000001.a\n")
    (control / "courierpop3dsizelist").write_text("1300000001.a 17 5:7\n")
    uidls = {}
    for name in ("list", "courierpop3dsizelist"):
        _count, rows = maildir.messages(folder, Reading(uidlist=control / name))
        uidls[name] = [row.uidl for row in rows]
    assert uidls == {"list": ["000000014c0907b0"], "courierpop3dsizelist": ["UID5-7"]}
    with pytest.raises(FileNotFoundError):
        maildir.messages(folder, Reading(uidlist=control / "missing"))


def test_folders_are_found_in_both_layouts_and_their_messages_are_others_with_no_uidl(folder: Path) -> None:
    put(folder, "cur/1.a")
    for name in (".Archive", "Work", "Work/Old"):
        (folder / name / "cur").mkdir(parents=True)
    put(folder, ".Archive/cur/1.a")
    (folder / ".Archive" / uidlist.FILE).write_text("3 V1275660208 N3\n1 :1.a\n")
    (folder / "sieve").mkdir()
    assert list(maildir.folders(folder)) == [".Archive", "Work", "Work/Old"]
    (inbox,) = found(folder)
    _count, rows = maildir.messages(folder, folder=".Archive")
    (archived,) = rows
    assert (archived.name, archived.uidl) == (".Archive/1.a", None)
    assert archived.identity != inbox.identity


def test_the_x_uidl_header_of_a_compressed_message_counts(folder: Path) -> None:
    put(folder, "cur/1.a", gzip.compress(b"Subject: x\nX-UIDL: abc\n\n"))
    put(folder, "cur/2.b", gzip.compress(b"Subject: x\n")[:-6])
    assert [row.uidl for row in found(folder)] == ["abc", None]
