"""Exports: what comes out goes in again as the same mail, and Dovecot itself shows the same UIDLs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import LazySettings

from mailstore import bodies, conf
from mailstore.bodies.files import FileBodies
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, Body, Mailbox, Message
from mailstore.ports import BodyRef
from mailstore.transfer import mail_export, mail_import
from mailstore.wire.body_normalizer import RawNormalizer
from tests.site.rows import ACTOR, a_mailbox, a_message
from tests.site.worker import conninfo
from tests.transfer.dovecot import Dovecot, own

pytestmark = pytest.mark.django_db(transaction=True)
ANN, BOB = "ann@example.org", "bob@example.org"
LETTERS = (
    b"Subject: one\r\n\r\n.dot\r\n..two dots\r\nFrom me\r\n>From you\r\n",
    b"Subject: two\r\n\r\n" + b"x" * 200_000 + b"\r\n\r\nFrom here\r\n",
    b"",
    b"Subject: no body\r\n",
)


@pytest.fixture(autouse=True)
def store(settings: LazySettings, tmp_path: Path) -> FileBodies:
    """The settings point to the test's own database and to a body store of the test's own."""
    settings.DATABASE_CONNINFO = conninfo()
    settings.MAIL_STORE_URL = f"file:{tmp_path / 'bodies'}"
    made = bodies.from_url(conf.load().mail_store_url)
    made.prepare()
    return made


def fill(store: FileBodies, address: str = ANN) -> list[Message]:
    """A mailbox with the letters, a delivery prefix and a date each."""
    box = a_mailbox(address)
    return [_letter(store, box, number, content) for number, content in enumerate(LETTERS)]


def _letter(store: FileBodies, box: Mailbox, number: int, content: bytes) -> Message:
    door, draft = RawNormalizer(), store.begin()
    draft.write(door.feed(content))
    draft.write(door.finish())
    ref = draft.commit(door.octets)
    body = Body.objects.create(key=ref.key, wire_octets=ref.wire_octets, octets=ref.octets, digest=ref.digest)
    arrived = datetime(2020, 1, number + 1, 12, 30, 5, tzinfo=UTC)
    message = a_message(box, body=body, octets=len(f"X-N: {number}\r\n") + ref.octets, arrived_at=arrived)
    Message.objects.filter(pk=message.pk).update(prefix=f"X-N: {number}\r\n".encode())
    return message


def wire_of(store: FileBodies, message: Message) -> bytes:
    body = message.body
    opened = bodies.open_and_wait(store, BodyRef(body.key, body.wire_octets, body.octets, bytes(body.digest)))
    try:
        return bytes(message.prefix) + opened.read(0, opened.wire_octets)
    finally:
        opened.close()


def messages_of(store: FileBodies, address: str) -> list[tuple[bytes, datetime, str, int]]:
    """What a client of the mailbox would find, in its order."""
    rows = Message.objects.filter(mailbox__user__address=address).select_related("body").order_by("added")
    return [(wire_of(store, row), row.arrived_at, row.uidl, row.octets) for row in rows]


def test_a_maildir_goes_out_and_in_again_as_the_same_mail(store: FileBodies, tmp_path: Path) -> None:
    fill(store)
    a_mailbox(BOB)
    assert mail_export.run(ANN, tmp_path / "out", actor=ACTOR) == mail_export.ExportResult(exported=4)
    warnings: list[str] = []
    mail_import.run(BOB, tmp_path / "out", actor=ACTOR, warn=warnings.append)
    assert messages_of(store, BOB) == messages_of(store, ANN)
    assert warnings == []


def test_an_mbox_goes_out_and_in_again_as_the_same_mail(store: FileBodies, tmp_path: Path) -> None:
    fill(store)
    a_mailbox(BOB)
    assert mail_export.run(ANN, tmp_path / "out", actor=ACTOR, kind="mbox") == mail_export.ExportResult(exported=4)
    warnings: list[str] = []
    mail_import.run(BOB, tmp_path / "out" / f"{ANN}.mbox", actor=ACTOR, warn=warnings.append)
    assert messages_of(store, BOB) == messages_of(store, ANN)
    assert warnings == []


def test_a_file_has_the_octets_and_the_date_that_a_client_gets(store: FileBodies, tmp_path: Path) -> None:
    (first, *_rest) = fill(store)
    mail_export.run(ANN, tmp_path / "out", actor=ACTOR)
    path = min((tmp_path / "out/new").iterdir())
    assert path.read_bytes() == b"X-N: 0\r\n" + LETTERS[0]
    assert path.stat().st_size == first.octets
    assert path.stat().st_mtime == first.arrived_at.timestamp()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_second_run_completes_what_the_first_began(store: FileBodies, tmp_path: Path) -> None:
    fill(store)
    out = tmp_path / "out"
    mail_export.run(ANN, out, actor=ACTOR)
    before = (out / "dovecot-uidlist").read_text()
    first, *rest = sorted((out / "new").iterdir())
    first.unlink()
    rest[0].rename(out / "cur" / f"{rest[0].name}:2,S")
    _letter(store, Mailbox.objects.get(), 9, b"Subject: later\r\n\r\n")
    assert mail_export.run(ANN, out, actor=ACTOR) == mail_export.ExportResult(exported=2, present=3)
    after = (out / "dovecot-uidlist").read_text()
    assert after.splitlines()[1:5] == before.splitlines()[1:]
    assert len(after.splitlines()) == 6


def test_a_lost_body_is_told_and_the_rest_goes_out(store: FileBodies, tmp_path: Path) -> None:
    rows = fill(store)
    store.remove(rows[1].body.key)
    for kind in mail_export.FORMATS:
        warnings: list[str] = []
        done = mail_export.run(ANN, tmp_path / kind, actor=ACTOR, kind=kind, warn=warnings.append)
        assert done == mail_export.ExportResult(exported=3, lost=1)
        assert rows[1].uidl in warnings[0]
    assert len(list((tmp_path / "maildir/new").iterdir())) == 3
    assert list((tmp_path / "maildir/tmp").iterdir()) == []


def test_mail_that_left_the_live_maildrop_stays_in(store: FileBodies, tmp_path: Path) -> None:
    a_message(a_mailbox(), removed_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert mail_export.run(ANN, tmp_path / "out", actor=ACTOR) == mail_export.ExportResult()


def test_the_owner_finds_the_export_in_the_audit(store: FileBodies, tmp_path: Path) -> None:
    fill(store)
    mail_export.run(ANN, tmp_path / "out", actor=ACTOR)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.mailbox) == ("mailbox.export", Mailbox.objects.get())


def test_a_folder_that_cannot_be_written_is_refused(store: FileBodies, tmp_path: Path) -> None:
    a_mailbox()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Rejected, match="cannot be written"):
        mail_export.run(ANN, tmp_path / "file" / "out", actor=ACTOR)


# --- Dovecot as the judge -------------------------------------------------------------------------------------------


def uidls_by_dovecot(maildir: Path, work: Path) -> list[str]:
    """Let Dovecot's own POP3 serve a Maildir, as the user of the files, and return its UIDLs."""
    own(maildir)
    return Dovecot(work, f"maildir:{maildir}").uidls()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="popadmin-dovecot-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.real
def test_dovecot_shows_an_exported_maildir_under_the_same_uidls(store: FileBodies, open_folder: Path) -> None:
    rows = fill(store)
    mail_export.run(ANN, open_folder / "out", actor=ACTOR)
    assert uidls_by_dovecot(open_folder / "out", open_folder / "work") == [row.uidl for row in rows]


@pytest.mark.real
def test_an_import_from_dovecot_keeps_what_dovecot_showed(store: FileBodies, open_folder: Path) -> None:
    source = open_folder / "Maildir"
    for name in ("cur", "new", "tmp"):
        (source / name).mkdir(parents=True)
    for number in range(12):
        (source / "new" / f"13000000{number:02}.m.host").write_bytes(b"Subject: %d\n\nx\n" % number)
    uidls = uidls_by_dovecot(source, open_folder / "work")
    a_mailbox()
    warnings: list[str] = []
    mail_import.run(ANN, source, actor=ACTOR, warn=warnings.append)
    assert [row.uidl for row in Message.objects.order_by("added")] == uidls
    assert warnings == []
