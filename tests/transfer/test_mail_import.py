"""Imports: each message once, dates and UIDLs kept, goes on after a kill, quota not in the way but told."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection

from mailstore import bodies, conf
from mailstore.directory import mailboxes
from mailstore.directory.outcome import Rejected
from mailstore.errors import MailError
from mailstore.integrity.fsck import Check
from mailstore.models import AuditEntry, Body, ImportedSource, Mailbox, Message
from mailstore.ports import BodyRef
from mailstore.transfer import mail_import
from tests.management.command_runner import MANAGE, environment
from tests.site.rows import ACTOR, a_mailbox
from tests.site.worker import conninfo
from tests.transfer.sources.cyrus_spool import DELETED, EXPUNGED, spool

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.org"


@pytest.fixture(autouse=True)
def own_site(settings: LazySettings, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The settings point to the test's own database and to a body store of the test's own."""
    settings.DATABASE_CONNINFO = conninfo()
    settings.MAIL_STORE_URL = f"file:{tmp_path_factory.mktemp('data') / 'bodies'}"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A Maildir of three messages that Dovecot has numbered."""
    for name in ("cur", "new", "tmp"):
        (tmp_path / name).mkdir()
    for number in (1, 2, 3):
        put(tmp_path, number)
    (tmp_path / "dovecot-uidlist").write_text(
        "3 V1275660208 N4\n" + "".join(f"{number} :130000000{number}.m.host\n" for number in (1, 2, 3))
    )
    return tmp_path


def put(folder: Path, number: int, content: bytes | None = None) -> None:
    text = content if content is not None else f"Subject: {number}\n\n.dot\nbody {number}\n".encode()
    (folder / "cur" / f"130000000{number}.m.host:2,S").write_bytes(text)


def run(path: Path, warnings: list[str] | None = None, kind: str | None = None) -> mail_import.ImportResult:
    return mail_import.run(
        ANN,
        path,
        actor=ACTOR,
        choices=mail_import.Choices(kind=kind),
        warn=(warnings if warnings is not None else []).append,
    )


def wire_of(body: Body) -> bytes:
    store = bodies.from_url(conf.load().mail_store_url)
    opened = bodies.open_and_wait(store, BodyRef(body.key, body.wire_octets, body.octets, bytes(body.digest)))
    try:
        return opened.read(0, opened.wire_octets)
    finally:
        opened.close()


@pytest.mark.req("P-084")
def test_messages_come_in_their_order_with_date_uidl_and_content(source: Path) -> None:
    a_mailbox()
    warnings: list[str] = []
    assert run(source, warnings) == mail_import.ImportResult(imported=3)
    rows = list(Message.objects.order_by("added").select_related("body"))
    assert [row.uidl for row in rows] == [f"0000000{number}4c0907b0" for number in (1, 2, 3)]
    assert rows[0].arrived_at == datetime(2011, 3, 13, 7, 6, 41, tzinfo=UTC)
    assert wire_of(rows[2].body) == b"Subject: 3\r\n\r\n..dot\r\nbody 3\r\n"
    assert rows[2].octets == len(b"Subject: 3\r\n\r\n.dot\r\nbody 3\r\n")
    assert warnings == []
    box = Mailbox.objects.get()
    assert (box.messages, box.octets) == (3, sum(row.octets for row in rows))


def test_a_second_run_imports_nothing_twice_even_after_a_removal(source: Path) -> None:
    box = a_mailbox()
    run(source)
    Message.objects.filter(mailbox=box).order_by("added").first().delete()
    put(source, 4)
    (source / "cur/1300000001.m.host:2,S").rename(source / "new/1300000001.m.host")
    assert run(source) == mail_import.ImportResult(imported=1, present=3)
    assert Message.objects.count() == 3


def test_an_mbox_is_imported_once_too(tmp_path: Path) -> None:
    a_mailbox()
    path = tmp_path / "inbox"
    path.write_bytes(b"From a@x.org Sat Jan  3 01:05:34 1996\nX-UIDL: abc\n\n>From me\n")
    assert run(path) == mail_import.ImportResult(imported=1)
    assert run(path) == mail_import.ImportResult(present=1)
    message = Message.objects.get()
    assert (message.uidl, wire_of(message.body)) == ("abc", b"X-UIDL: abc\r\n\r\nFrom me\r\n")


@pytest.mark.parametrize("uidl", ["x" * 71, "caf\N{LATIN SMALL LETTER E WITH ACUTE}", "two words", "taken"])
def test_a_uidl_that_cannot_be_kept_is_told_and_replaced(tmp_path: Path, uidl: str) -> None:
    a_mailbox()
    other = tmp_path / "other"
    other.write_bytes(b"From a@x.org Sat Jan  3 01:05:34 1996\nX-UIDL: taken\n\nother\n")
    run(other)
    path = tmp_path / "inbox"
    path.write_bytes(b"From a@x.org Sat Jan  3 01:05:35 1996\nX-UIDL: " + uidl.encode() + b"\n\nx\n")
    warnings: list[str] = []
    assert run(path, warnings) == mail_import.ImportResult(imported=1, renamed=1)
    assert len(warnings) == 1
    assert "it gets a new one" in warnings[0]
    made = Message.objects.latest("added").uidl
    assert made != uidl
    assert 0 < len(made) <= 70


@pytest.mark.req("P-084")
def test_a_uidl_twice_in_one_source_is_kept_by_the_first(tmp_path: Path) -> None:
    a_mailbox()
    path = tmp_path / "inbox"
    one = b"From a@x.org Sat Jan  3 01:05:3%d 1996\nX-UIDL: same\n\nx\n\n"
    path.write_bytes(one % 1 + one % 2)
    assert run(path) == mail_import.ImportResult(imported=2, renamed=1)
    assert Message.objects.filter(uidl="same").count() == 1


def test_an_import_ignores_the_quota_and_the_switches_but_says_where_the_mailbox_stands(source: Path) -> None:
    a_mailbox()
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=10, receives=False)
    assert run(source) == mail_import.ImportResult(imported=3, over_quota=True)


def test_a_file_that_cannot_be_read_does_not_stop_the_others(source: Path) -> None:
    a_mailbox()
    put(source, 2, gzip.compress(b"Subject: cut\n\n")[:-9])
    warnings: list[str] = []
    assert run(source, warnings) == mail_import.ImportResult(imported=2, failed=1)
    assert "1300000002.m.host:2,S cannot be read" in warnings[0]
    assert ImportedSource.objects.count() == 2


def test_what_a_link_leads_to_is_not_imported_since_it_may_be_the_mail_of_others(
    source: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    a_mailbox()
    bob = tmp_path_factory.mktemp("bob")
    (bob / "cur").mkdir()
    put(bob, 1, b"Subject: of bob\n\nsecret\n")
    (source / "cur/1300000009.m.host:2,S").symlink_to(bob / "cur/1300000001.m.host:2,S")
    (source / ".Bob").symlink_to(bob)
    (source / ".Linked").mkdir()
    (source / ".Linked/cur").symlink_to(bob / "cur")
    warnings: list[str] = []
    done = mail_import.run(
        ANN, source, actor=ACTOR, choices=mail_import.Choices(all_folders=True), warn=warnings.append
    )
    assert done == mail_import.ImportResult(imported=3, refused={"link": 1})
    assert [warning.partition(",")[0] for warning in warnings] == ["1300000009.m.host:2"]
    assert "is a link" in warnings[0]
    with pytest.raises(Rejected, match="or they are links"):
        run(source / ".Linked")


def test_compressed_and_encrypted_files_are_refused_by_name_and_counted(source: Path) -> None:
    a_mailbox()
    mail = b"Subject: packed\n\nbody\n"
    put(source, 4, b"PK\x03\x04" + mail)
    put(source, 5, b"\x1f\x9d" + mail)
    put(source, 6, b"CRYPTED\x03\x07" + mail)
    put(source, 7, gzip.compress(b"CRYPTED\x03\x07" + mail))
    put(source, 8, gzip.compress(gzip.compress(mail)))
    warnings: list[str] = []
    refused = {"zip": 1, "compress": 1, "encrypted": 2, "gzip": 1}
    assert run(source, warnings) == mail_import.ImportResult(imported=3, refused=refused)
    assert warnings == [
        "1300000004.m.host:2,S is compressed with zip and not imported: unpack it first",
        "1300000005.m.host:2,S is compressed with compress and not imported: unpack it first",
        "1300000006.m.host:2,S is encrypted by Dovecot and not imported: have it decrypted there first",
        "1300000007.m.host:2,S is encrypted by Dovecot and not imported: have it decrypted there first",
        "1300000008.m.host:2,S is compressed with gzip and not imported: unpack it first",
    ]
    assert (Message.objects.count(), ImportedSource.objects.count(), Body.objects.count()) == (3, 3, 3)


def test_a_message_that_was_unpacked_is_imported_by_the_next_run(source: Path) -> None:
    a_mailbox()
    put(source, 2, b"PK\x03\x04")
    assert run(source) == mail_import.ImportResult(imported=2, refused={"zip": 1})
    put(source, 2)
    assert run(source) == mail_import.ImportResult(imported=1, present=2)
    assert Message.objects.filter(uidl="000000024c0907b0").count() == 1


def test_what_is_no_mail_is_passed_over_and_counted(source: Path) -> None:
    a_mailbox()
    for name in ("dovecot-keywords", "dovecot.index.log", "Thumbs.db", ".DS_Store"):
        (source / "cur" / name).write_bytes(b"0 $Forwarded\n")
    (source / "cur/1400000001.empty.host").touch()
    (source / "new/1400000002.empty.host").touch()
    (source / "new/folder").mkdir()
    (source / "new/1400000003.m.host").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(100))
    warnings: list[str] = []
    others = {"dovecot-keywords": 1, "dovecot.index.log": 1, "Thumbs.db": 1, ".DS_Store": 1}
    passed_over = {**others, "empty": 2, "folder": 1, "binary": 1}
    assert run(source, warnings) == mail_import.ImportResult(imported=3, passed_over=passed_over)
    assert warnings == []
    assert Message.objects.count() == 3


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"])
def test_compressed_messages_are_read(source: Path, pack: Callable[[bytes], bytes]) -> None:
    a_mailbox()
    put(source, 1, pack(b"Subject: packed\n\nbody\n"))
    put(source, 2, pack(b"Subject: long\n\n" + b"x" * 300_000 + b"\n"))
    assert run(source) == mail_import.ImportResult(imported=3)
    rows = list(Message.objects.order_by("added").select_related("body"))
    assert wire_of(rows[0].body) == b"Subject: packed\r\n\r\nbody\r\n"
    assert rows[1].octets == len(b"Subject: long\r\n\r\n") + 300_002
    assert [row.uidl for row in rows] == [f"0000000{number}4c0907b0" for number in (1, 2, 3)]


def test_a_file_that_unpacks_to_more_than_it_should_is_never_stored(source: Path, settings: LazySettings) -> None:
    a_mailbox()
    settings.MAX_MESSAGE_OCTETS = 1_000_000
    mail = b"Subject: x\n\n"
    bomb = gzip.compress(mail + b"\0" * 50_000_000)
    names = (
        "1400000001.a.host:2,",
        f"1400000002.b.host,S={len(mail) + 1}:2,",
        f"1400000003.c.host,S={len(mail) - 1}:2,",
    )
    for name, data in zip(names, (bomb, gzip.compress(mail), gzip.compress(mail)), strict=True):
        (source / "cur" / name).write_bytes(data)
    (source / "cur" / "1400000004.d.host:2,").write_bytes(gzip.compress(mail * 99)[:-9])
    warnings: list[str] = []
    assert run(source, warnings) == mail_import.ImportResult(imported=3, failed=4)
    assert [warning.partition(" cannot be read: ")[2] for warning in warnings] == [
        "it unpacks to more than MAX_MESSAGE_OCTETS, 1000000",
        f"it unpacks to {len(mail)} octets, but its name says S={len(mail) + 1}",
        f"it unpacks to more octets than its name says, S={len(mail) - 1}",
        "gzip: Compressed file ended before the end-of-stream marker was reached",
    ]
    assert Body.objects.count() == 3


def test_messages_marked_as_deleted_are_left_out_and_counted_until_they_are_wanted(source: Path) -> None:
    a_mailbox()
    (source / "cur/1300000002.m.host:2,S").rename(source / "cur/1300000002.m.host:2,ST")
    assert run(source) == mail_import.ImportResult(imported=2, deleted=1)
    done = mail_import.run(ANN, source, actor=ACTOR, choices=mail_import.Choices(with_deleted=True))
    assert done == mail_import.ImportResult(imported=1, present=2)
    assert Message.objects.filter(uidl="000000024c0907b0").count() == 1


def test_other_folders_are_counted_and_come_when_they_are_named(source: Path) -> None:
    a_mailbox()
    for name in (".Archive", ".Archive.2020", "Work/Old", ".Empty"):
        (source / name / "cur").mkdir(parents=True)
    for name in (".Archive", ".Archive.2020", "Work/Old"):
        (source / name / "cur/1300000001.m.host:2,S").write_bytes(f"Subject: {name}\n\n".encode())
    others = {".Archive": 1, ".Archive.2020": 1, "Work/Old": 1}
    assert run(source) == mail_import.ImportResult(imported=3, folders=others)
    named = mail_import.run(ANN, source, actor=ACTOR, choices=mail_import.Choices(folders=(".Archive",)))
    assert named == mail_import.ImportResult(imported=1, present=3, folders={".Archive.2020": 1, "Work/Old": 1})
    all_of_them = mail_import.run(ANN, source, actor=ACTOR, choices=mail_import.Choices(all_folders=True))
    assert all_of_them == mail_import.ImportResult(imported=2, present=4)
    with pytest.raises(Rejected, match=r"has no folder \.Archiv: it has \.Archive"):
        mail_import.run(ANN, source, actor=ACTOR, choices=mail_import.Choices(folders=(".Archiv",)))


def test_a_format_and_a_list_elsewhere_give_the_uidls(source: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    a_mailbox()
    control = tmp_path_factory.mktemp("control") / "dovecot-uidlist"
    (source / "dovecot-uidlist").rename(control)
    choices = mail_import.Choices(uidl_format="%v.%u", uidlist=control)
    assert mail_import.run(ANN, source, actor=ACTOR, choices=choices).imported == 3
    uidls = list(Message.objects.order_by("added").values_list("uidl", flat=True))
    assert uidls == ["1275660208.1", "1275660208.2", "1275660208.3"]


@pytest.mark.parametrize(
    ("choices", "why"),
    [
        (mail_import.Choices(uidl_format="%m"), "cannot be computed here: %m"),
        (mail_import.Choices(uidl_format="%v"), "cannot be computed here: %v"),
        (mail_import.Choices(uidlist=Path("/missing/uidlist")), "No such file"),
        (mail_import.Choices(uidlist=Path(__file__)), "does not begin with a line"),
    ],
)
def test_a_format_or_a_list_that_cannot_be_read_stops_the_import(
    source: Path, choices: mail_import.Choices, why: str
) -> None:
    a_mailbox()
    with pytest.raises(Rejected, match=why):
        mail_import.run(ANN, source, actor=ACTOR, choices=choices)
    assert Message.objects.count() == 0


def test_an_mbox_has_no_folders_no_list_and_no_file_names(tmp_path: Path) -> None:
    a_mailbox()
    path = tmp_path / "inbox"
    path.write_bytes(b"From a@x.org Sat Jan  3 01:05:34 1996\nSubject: a\n\n")
    for choices in (
        mail_import.Choices(all_folders=True),
        mail_import.Choices(uidlist=path),
        mail_import.Choices(uidl_format="%f"),
    ):
        with pytest.raises(Rejected):
            mail_import.run(ANN, path, actor=ACTOR, choices=choices)


def test_a_doubtful_line_of_an_mbox_is_told_with_its_file_and_offset(tmp_path: Path) -> None:
    a_mailbox()
    path = tmp_path / "inbox"
    one = b"From a@x.org Sat Jan  3 01:05:34 1996\nSubject: a\n\nx\n"
    path.write_bytes(one + one + b"\nFrom the garden Tue Jul 05 18:44:15 2022 we saw\nmany: birds\n")
    warnings: list[str] = []
    assert run(path, warnings) == mail_import.ImportResult(imported=2)
    assert warnings == [
        f"{path}: a message begins at offset {len(one)}, though its From_ line is unusual: please check",
        f"{path}: the line at offset {len(one) * 2 + 1} is read as text, not as the begin of a message: please check",
    ]


def test_what_mozilla_calls_deleted_is_left_out_and_its_fields_do_not_stay(tmp_path: Path) -> None:
    a_mailbox()
    path = tmp_path / "Inbox"
    path.write_bytes(
        b"From - Tue Jul 05 18:44:15 2022\nX-Mozilla-Status: 0009\nX-Mozilla-Status2: 00000000\nSubject: gone\n\nx\n\n"
        b"From - Tue Jul 05 18:44:16 2022\nX-Mozilla-Status: 0001\nX-Mozilla-Keys:          \nSubject: kept\n\nx\n"
    )
    assert run(path) == mail_import.ImportResult(imported=1, deleted=1)
    assert wire_of(Message.objects.get().body) == b"Subject: kept\r\n\r\nx\r\n"


def test_more_messages_than_a_batch_keep_their_order(source: Path) -> None:
    a_mailbox()
    for number in range(4, mail_import.BATCH_MESSAGES * 2 + 4):
        (source / "new" / f"140000{number:04}.m.host").write_bytes(b"Subject: %d\n\n" % number)
    steps: list[tuple[int, int | None]] = []
    mail_import.run(ANN, source, actor=ACTOR, progress=lambda _what, count, total: steps.append((count, total)))
    rows = Message.objects.order_by("added")
    assert list(rows.values_list("arrived_at", flat=True)) == sorted(rows.values_list("arrived_at", flat=True))
    size, total = mail_import.BATCH_MESSAGES, mail_import.BATCH_MESSAGES * 2 + 3
    assert steps == [(size, total), (size * 2, total), (total, total)]


def test_what_0_2_0_imported_with_fields_of_mozilla_is_not_imported_again(tmp_path: Path) -> None:
    box = a_mailbox()
    path = tmp_path / "Inbox"
    lines = b"From - Tue Jul 05 18:44:15 2022\nX-Mozilla-Status: 0001\nSubject: a\nStatus: O\n\nx\n".splitlines(
        keepends=True
    )
    path.write_bytes(b"".join(lines))
    digest = blake2b(b"".join(line for line in lines if not line.startswith(b"Status")), digest_size=16).digest()
    ImportedSource.objects.create(mailbox=box, source=digest)
    assert run(path) == mail_import.ImportResult(present=1)


def test_what_comes_twice_in_a_source_is_known_from_one_batch_to_the_next(tmp_path: Path) -> None:
    a_mailbox()
    path = tmp_path / "inbox"
    count = mail_import.BATCH_MESSAGES + 50
    each = [
        f"From a@x.org Sat Jan  3 01:05:34 1996\nX-UIDL: u{number}\n\n{number}\n\n".encode() for number in range(count)
    ]
    again = [each[3], each[-1].replace(b"1996", b"1997")]
    path.write_bytes(b"".join([*each[:-1], *again, each[-1]]))
    warnings: list[str] = []
    assert run(path, warnings) == mail_import.ImportResult(imported=count + 1, present=1, renamed=1)
    assert len(warnings) == 1
    assert f"message {count + 2}: its UIDL 'u{count - 1}'" in warnings[0]
    assert Message.objects.count() == count + 1


def test_an_import_that_the_store_ends_has_written_the_rows_of_all_batches_before(
    tmp_path: Path, settings: LazySettings
) -> None:
    a_mailbox()
    path = tmp_path / "inbox"
    count = mail_import.BATCH_MESSAGES
    one = "From a@x.org Sat Jan  3 01:05:34 1996\nSubject: {}\n\n{}\n\n"
    path.write_bytes("".join(one.format(number, number) for number in range(count * 2)).encode())
    store = Path(settings.MAIL_STORE_URL.removeprefix("file:"))

    def take_away(_what: str, done: int, _total: int | None) -> None:
        if done == count:
            store.rename(store.with_name("away"))

    with pytest.raises(MailError):
        mail_import.run(ANN, path, actor=ACTOR, progress=take_away)
    assert Message.objects.count() == ImportedSource.objects.count() == count
    store.with_name("away").rename(store)
    assert run(path) == mail_import.ImportResult(imported=count, present=count)


def test_the_audit_names_the_source(source: Path) -> None:
    a_mailbox()
    run(source)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.subject, entry.details) == ("mailbox.import", ANN, {"source": str(source)})


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    a_mailbox()
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(Rejected):
            run(path)
    (tmp_path / "letter").write_bytes(b"Subject: a single message\n\nx\n")
    with pytest.raises(Rejected, match="not an mbox"):
        run(tmp_path / "letter")
    (tmp_path / "packed").write_bytes(gzip.compress(b"From a@x.org Sat Jan  3 01:05:34 1996\n\nx\n"))
    with pytest.raises(Rejected, match=r"packed is compressed with gzip and not imported: unpack it first"):
        run(tmp_path / "packed")


def messages_and_sources() -> tuple[int, int]:
    """Count both in one snapshot: the database may still finish what the killed process had asked for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM mailstore_message), count(*) FROM mailstore_importedsource")
        messages, sources = cursor.fetchone()
    return messages, sources


def test_an_import_killed_at_any_moment_goes_on_and_ends_with_each_message_once(
    source: Path, settings: LazySettings
) -> None:
    a_mailbox()
    for number in range(4, 1204):
        (source / "new" / f"140000{number:04}.m.host").write_bytes(b"Subject: %d\n\n" % number)
    command = [sys.executable, str(MANAGE), "import-mail", ANN, str(source)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    for least in (1, 150):
        child = subprocess.Popen(command, env=environment(MAIL_STORE_URL=settings.MAIL_STORE_URL), **quiet)
        while child.poll() is None and Message.objects.count() < least:
            pass
        os.kill(child.pid, signal.SIGKILL)
        child.wait(30)
        messages, sources = messages_and_sources()
        assert messages == sources < 1203
    assert (
        subprocess.run(
            command, env=environment(MAIL_STORE_URL=settings.MAIL_STORE_URL), timeout=60, check=True, **quiet
        ).returncode
        == 0
    )
    assert Message.objects.count() == 1203
    assert Message.objects.values("uidl").distinct().count() == 1203
    store = bodies.from_url(conf.load().mail_store_url)
    assert list(Check(store, deep=True).run()) == []


@pytest.mark.parametrize(
    ("listed", "uidls"),
    [
        ("1300000002.m.host 30\n1300000001.m.host 30\n", ["1300000002.m.host", "1300000001.m.host"]),
        ("/1 3\n1300000002.m.host 30 1\n1300000001.m.host 30 2\n", ["UID1", "UID2"]),
        ("/2 3 7\n1300000002.m.host 30 1:7\n1300000001.m.host 30 2:7\n", ["UID1-7", "UID2-7"]),
        ("/3 3 7\n1300000002.m.host 30 1:7:0\n1300000001.m.host 30 2:0:0\n", ["UID1-7", "UID2"]),
    ],
    ids=["no header", "1", "2", "3"],
)
def test_a_maildir_of_courier_keeps_uidls_and_order_and_a_second_run_finds_nothing_new(
    source: Path, listed: str, uidls: list[str]
) -> None:
    a_mailbox()
    (source / "dovecot-uidlist").unlink()
    (source / "courierpop3dsizelist").write_text(listed)
    assert run(source) == mail_import.ImportResult(imported=3)
    *kept, new = Message.objects.order_by("added").values_list("uidl", flat=True)
    assert kept == uidls
    assert new  # it came after the last sign-in there, so nobody has seen a UIDL of it
    assert run(source) == mail_import.ImportResult(present=3)


def test_a_spool_of_cyrus_comes_with_uidls_dates_and_line_ends_and_names_its_other_folders(tmp_path: Path) -> None:
    a_mailbox()
    warnings: list[str] = []
    spool(tmp_path, {3: 0, 7: DELETED, 8: EXPUNGED, 12: 0})
    spool(tmp_path / "Archive", {1: 0})
    (tmp_path / "13.").write_bytes(b"Subject: 13\r\n\r\n")
    (tmp_path / "12.").unlink()
    done = run(tmp_path, warnings)
    assert (done.imported, done.deleted, done.failed, done.folders) == (1, 1, 1, {"Archive": 1})
    assert done.refused == {"newer than cyrus.index": 1}
    assert done.passed_over["expunged"] == 1
    assert [text.partition(":")[0] for text in warnings] == ["12. cannot be read"]
    message = Message.objects.get()
    assert (message.uidl, message.arrived_at) == ("1275660208.3", datetime(2011, 3, 13, 7, 6, 43, tzinfo=UTC))
    assert wire_of(message.body) == b"Subject: 3\r\n\r\n..dot\r\n"
    spool(tmp_path, {3: 0, 7: 0, 12: 0, 13: 0}, version=20)  # Cyrus was updated meanwhile
    done = mail_import.run(ANN, tmp_path, actor=ACTOR, choices=mail_import.Choices(all_folders=True))
    assert (done.imported, done.present, done.folders) == (4, 1, {})


def test_the_index_of_cyrus_may_lie_elsewhere_but_must_be_there(tmp_path: Path) -> None:
    a_mailbox()
    index = spool(tmp_path / "spool", {3: 0}) / "cyrus.index"
    moved = index.rename(tmp_path / "index")
    with pytest.raises(Rejected, match=r"cannot be read.*No such file"):
        run(tmp_path / "spool")
    choices = mail_import.Choices(uidlist=moved, uidl_format="%u")
    assert mail_import.run(ANN, tmp_path / "spool", actor=ACTOR, choices=choices).imported == 1
    assert Message.objects.get().uidl == "3"
