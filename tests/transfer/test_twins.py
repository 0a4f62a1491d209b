"""Mail that is moved by two kinds of import, in either order, comes once: no mail program shows it twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings

from mailstore.directory.audit import Actor
from mailstore.messages import recovery
from mailstore.messages.recovery import ALL
from mailstore.models import ImportedSource, Message
from mailstore.transfer import mail_import
from mailstore.transfer.mail_import import ImportResult
from tests.site.rows import a_mailbox
from tests.site.worker import conninfo

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.org"
SHELL = Actor("tests", "shell")


@pytest.fixture(autouse=True)
def own_site(settings: LazySettings, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings.DATABASE_CONNINFO = conninfo()
    settings.MAIL_STORE_URL = f"file:{tmp_path_factory.mktemp('data') / 'bodies'}"


def letter(number: int, text: bytes = b"text\n") -> bytes:
    return b"Message-ID: <%d@example.org>\nDate: Tue, 05 Jul 2022 18:44:15 +0200\n\n" % number + text


def a_maildir(folder: Path, *letters: bytes, uidl: str = "") -> Path:
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(letters, start=1):
        (folder / f"cur/13000000{number:02}.m.host:2,S").write_bytes(content)
    if uidl:
        names = "".join(
            f"{number} P{uidl}{number} :13000000{number:02}.m.host\n" for number in range(1, 1 + len(letters))
        )
        (folder / "dovecot-uidlist").write_text("3 V1 N99\n" + names)
    return folder


def an_mbox(file: Path, *letters: bytes, uidl: str = "") -> Path:
    """As a server keeps them, with fields of its own."""
    head = b"From a@x.org Sat Jan  3 01:05:%02d 1996\nStatus: RO\n"
    with file.open("wb") as written:
        for number, each in enumerate(letters, start=1):
            field = f"X-UIDL: {uidl}{number}\n".encode() if uidl else b""
            written.write(head % number + field + each.replace(b"\nFrom ", b"\n>From ") + b"\n")
    return file


def run(path: Path, warnings: list[str] | None = None) -> ImportResult:
    return mail_import.run(ANN, path, actor=SHELL, warn=([] if warnings is None else warnings).append)


@pytest.mark.parametrize("uidl", ["", "u"], ids=["of unknown UIDLs", "of the same UIDLs"])
@pytest.mark.parametrize("first", ["maildir", "mbox"])
def test_what_one_kind_brought_the_other_does_not_bring_again(tmp_path: Path, first: str, uidl: str) -> None:
    a_mailbox()
    letters = [letter(number, b"a\n\nFrom b\n") for number in range(3)]
    places = [a_maildir(tmp_path / "m", *letters, uidl="u"), an_mbox(tmp_path / "inbox", *letters, uidl=uidl)]
    one, other = places if first == "maildir" else reversed(places)
    warnings: list[str] = []
    assert [run(one, warnings), run(other, warnings), run(other, warnings)] == [
        ImportResult(imported=3),
        ImportResult(present=3),
        ImportResult(present=3),
    ]
    assert warnings == []
    assert Message.objects.count() == 3


def test_what_came_since_is_brought_and_what_was_there_twice_stays_there_twice(tmp_path: Path) -> None:
    a_mailbox()
    assert run(a_maildir(tmp_path / "m", letter(1), letter(1))).imported == 2
    inbox = an_mbox(tmp_path / "inbox", letter(1), letter(1), letter(1), letter(2))
    assert run(inbox) == ImportResult(imported=2, present=2)
    more = a_maildir(tmp_path / "m", *[letter(1)] * 4, letter(2))
    assert run(more) == ImportResult(imported=1, present=4)


def test_the_same_uidl_does_not_make_another_message_the_same(tmp_path: Path) -> None:
    a_mailbox()
    run(a_maildir(tmp_path / "m", letter(1), uidl="u"))
    warnings: list[str] = []
    assert run(an_mbox(tmp_path / "inbox", letter(2), uidl="u"), warnings) == ImportResult(imported=1, renamed=1)
    assert len(warnings) == 1


def test_mail_that_its_owner_has_removed_since_does_not_come_back_in_another_way(tmp_path: Path) -> None:
    a_mailbox()
    run(a_maildir(tmp_path / "m", letter(1)))
    recovery.remove(ANN, list(Message.objects.values_list("pk", flat=True)), actor=SHELL)
    recovery.purge_now(ANN, ALL, actor=SHELL)
    assert not Message.objects.exists()
    assert run(an_mbox(tmp_path / "inbox", letter(1))) == ImportResult(present=1)


def test_the_uidl_of_a_twin_is_given_to_no_other_message(tmp_path: Path) -> None:
    a_mailbox()
    run(a_maildir(tmp_path / "m", letter(1)))
    run(an_mbox(tmp_path / "inbox", letter(1), uidl="u"))
    assert ImportedSource.objects.exclude(uidl_digest=None).count() == 1
    (tmp_path / "m/cur/1300000002.m.host:2,S").write_bytes(b"X-UIDL: u1\nSubject: other\n\n")
    assert run(tmp_path / "m") == ImportResult(imported=1, present=1, renamed=1)


def test_twins_of_one_uidl_are_known_the_next_time_too(tmp_path: Path) -> None:
    a_mailbox()
    run(a_maildir(tmp_path / "m", letter(1), letter(2)))
    inbox = an_mbox(tmp_path / "inbox", letter(1), letter(2), uidl="u")
    inbox.write_bytes(inbox.read_bytes().replace(b"X-UIDL: u2", b"X-UIDL: u1"))
    assert run(inbox) == ImportResult(present=2)
    assert ImportedSource.objects.count() == 4


def test_files_that_another_program_has_written_anew_bring_nothing_again(tmp_path: Path) -> None:
    a_mailbox()
    run(a_maildir(tmp_path / "m", letter(1), uidl="u"))
    copy = a_maildir(tmp_path / "copy", letter(1), uidl="u")
    (copy / "cur/1300000001.m.host:2,S").rename(copy / "cur/1400000001.new.host:2,S")
    assert run(copy) == ImportResult(present=1)
