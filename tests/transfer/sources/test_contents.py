"""Files that are no mail, or none that can be read, are known by their names and first octets."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.transfer.sources import contents, maildir, mbox
from mailstore.transfer.sources.contents import NotMail, Why

MAIL = b"Subject: x\n\nbody\n"
PACKED = [
    ("gzip", gzip.compress(MAIL, mtime=0)),
    ("bzip2", bz2.compress(MAIL)),
    ("bzip2", bz2.compress(b"")),
    ("xz", lzma.compress(MAIL)),
    ("zstd", b"\x28\xb5\x2f\xfd\x04\x58" + MAIL),
    ("lz4", b"Dovecot-LZ4\x0d\x2a\x9b\xc5" + MAIL),
    ("lz4", b"\x04\x22\x4d\x18" + MAIL),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("cur", "new", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.mark.parametrize(("packing", "data"), PACKED)
def test_a_compressed_file_is_known_by_its_packing(packing: str, data: bytes) -> None:
    found = contents.unreadable(data)
    assert found is not None
    assert (found.why, found.what) == (Why.COMPRESSED, packing)


def test_what_dovecot_has_encrypted_is_known() -> None:
    found = contents.unreadable(b"CRYPTED\x03\x07\x02\x00\x00")
    assert found is not None
    assert found.why is Why.ENCRYPTED


def test_a_binary_file_that_does_not_begin_like_a_message_is_none() -> None:
    found = contents.unreadable(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100))
    assert found is not None
    assert found.why is Why.BINARY


@pytest.mark.parametrize(
    "data",
    [
        MAIL,
        b"",
        b"\n\0body",
        b"\r\n\0body",
        b"Subject: a NUL \0 in it\n\n",
        b"From a@x.org Sat Jan  3 01:05:34 1996\n\0",
        b"no header at all",
        b"BZh is how this text begins",
        b"CRYPTED is how this text begins",
        "é as a first letter: no\n".encode("cp1252"),
    ],
)
def test_what_may_be_a_message_is_left_to_be_one(data: bytes) -> None:
    assert contents.unreadable(data) is None


@given(st.binary(max_size=2000))
def test_whatever_stands_behind_a_header_line_it_may_be_a_message(data: bytes) -> None:
    assert contents.unreadable(b"Subject: x\n" + data) is None


@pytest.mark.parametrize(
    "name",
    [
        "dovecot-keywords",
        "dovecot-uidlist",
        "dovecot.index",
        "dovecot.index.cache",
        "dovecot.index.log.2",
        "courierpop3dsizelist",
        "courierimapuiddb",
        "cyrus.index",
        "maildirsize",
        "maildirfolder",
        "subscriptions",
        "Thumbs.db",
        "desktop.ini",
        ".DS_Store",
    ],
)
def test_files_of_servers_and_desktops_are_named_and_are_no_messages(folder: Path, name: str) -> None:
    (folder / "cur" / name).write_bytes(MAIL)
    (folder / "cur/1300000001.a.host:2,S").write_bytes(MAIL)
    assert [other.what for other in maildir.not_mail(folder)] == [name]
    assert list(maildir.names(folder)) == ["1300000001.a.host:2,S"]


def test_folders_pipes_and_hidden_files_are_no_messages(folder: Path) -> None:
    (folder / "cur/folder").mkdir()
    (folder / "new/.nfs0001").write_bytes(MAIL)
    os.mkfifo(folder / "new/pipe")
    assert sorted(other.what for other in maildir.not_mail(folder)) == ["folder", "hidden", "special"]
    assert list(maildir.names(folder)) == []


def test_a_link_is_judged_when_it_is_opened_and_then_refused_also_a_pipe_that_takes_its_place(folder: Path) -> None:
    (folder / "other").write_bytes(b"Subject: of somebody\n\n")
    (folder / "cur/link").symlink_to(folder / "other")
    (folder / "cur/broken").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe")
    assert [contents.not_mail(entry) for entry in os.scandir(folder / "cur")] == [None, None]
    for name, why in (("cur/link", Why.LINK), ("cur/broken", Why.LINK), ("pipe", Why.SPECIAL)):
        with pytest.raises(NotMail) as refused:
            contents.opened(folder / name)
        assert refused.value.why is why


@pytest.mark.parametrize(("packing", "data"), PACKED)
def test_a_compressed_mbox_is_none_and_says_by_what(tmp_path: Path, packing: str, data: bytes) -> None:
    (tmp_path / "inbox").write_bytes(data)
    with pytest.raises(mbox.NotAnMbox) as refusal:
        list(mbox.messages(tmp_path / "inbox"))
    assert refusal.value.unreadable is not None
    assert refusal.value.unreadable.what == packing
