"""A real Dovecot as the old server: what it showed over POP3 is what the import brings, UIDL for UIDL, in its order."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from mailstore import bodies, conf
from mailstore.messages.message_file import unstuffed
from mailstore.models import Message
from mailstore.transfer import mail_import
from mailstore.transfer.mail_import import Choices
from tests.site.rows import ACTOR, a_mailbox
from tests.site.worker import conninfo
from tests.transfer.dovecot import Dovecot, own

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
ANN = "ann@example.org"
LETTER = b"Subject: %d\nFrom: ann@example.org\n\n.dot\ntext of %d\n"


@pytest.fixture(autouse=True)
def own_site(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATABASE_CONNINFO = conninfo()
    settings.MAIL_STORE_URL = f"file:{tmp_path / 'data' / 'bodies'}"


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the user of Dovecot can reach."""
    folder = Path(tempfile.mkdtemp(prefix="popadmin-dovecot-"))
    folder.chmod(0o755)
    own(folder)
    yield folder
    shutil.rmtree(folder)


def imported(path: Path, **choices: object) -> tuple[list[str], mail_import.ImportResult]:
    """Import, and return the UIDLs in the order of a client."""
    a_mailbox()
    warnings: list[str] = []
    done = mail_import.run(ANN, path, actor=ACTOR, choices=Choices(**choices), warn=warnings.append)  # type: ignore[arg-type]
    assert warnings == []
    return list(Message.objects.order_by("added").values_list("uidl", flat=True)), done


def a_maildir(place: Path, count: int = 12) -> Path:
    folder = place / "Maildir"
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        message = LETTER % (number, number)
        (folder / "new" / f"13000000{number:02}.m.host,S={len(message)}").write_bytes(message)
    own(folder)
    return folder


@pytest.mark.parametrize(
    "text", ["%08Xu%08Xv", "%f", "%g", "%v-%u", "%v.%u", "UID%u-%v", "%u", "%08Xv%08Xu", "%UXu.%010u", "%2u-%g"]
)
def test_each_format_gives_the_uidls_that_dovecot_showed(place: Path, text: str) -> None:
    folder = a_maildir(place)
    shown = Dovecot(place / "work", f"maildir:{folder}", {"pop3_uidl_format": text}).uidls()
    assert imported(folder, uidl_format=text) == (shown, mail_import.ImportResult(imported=12))


def test_a_list_in_a_control_folder_is_read_from_there(place: Path) -> None:
    folder, control = a_maildir(place), place / "control"
    shown = Dovecot(place / "work", f"maildir:{folder}:CONTROL={control}").uidls()
    (listed,) = control.rglob("dovecot-uidlist")
    assert imported(folder, uidlist=listed)[0] == shown


@pytest.mark.parametrize("text", ["%08Xu%08Xv", "%g"])
def test_saved_uidls_orders_and_guids_count_as_for_dovecot(place: Path, text: str) -> None:
    folder = a_maildir(place, count=0)
    for number in range(1, 6):
        (folder / f"cur/130000000{number}.m.host:2,S").write_bytes(LETTER % (number, number))
    base = ":130000000%d.m.host\n"
    words = ("1 O5 ", "2 ", "3 O2 ", "4 PABC ", "5 O1 Gguid5 ")
    listed = "".join(entry + base % number for number, entry in enumerate(words, start=1))
    (folder / "dovecot-uidlist").write_text("3 V1275660208 N9\n" + listed)
    own(folder)
    shown = Dovecot(place / "work", f"maildir:{folder}", {"pop3_uidl_format": text}).uidls()
    assert len(shown) == 5
    assert imported(folder, uidl_format=text)[0] == shown


@pytest.mark.parametrize("text", ["%08Xu%08Xv", "%v.%u"])
def test_an_mbox_gives_the_uidls_that_dovecot_showed(place: Path, text: str) -> None:
    (place / "mail").mkdir()
    inbox = place / "mail/inbox"
    head = b"From a@x.org Sat Jan  3 01:05:34 1996\n"
    inbox.write_bytes(b"".join(head + LETTER % (number, number) + b"\n" for number in range(12)))
    own(place)
    shown = Dovecot(place / "work", f"mbox:{place}/mail:INBOX={inbox}", {"pop3_uidl_format": text}).uidls()
    assert imported(inbox, uidl_format=text) == (shown, mail_import.ImportResult(imported=12))


@pytest.mark.parametrize(
    ("save", "mark"),
    [("gz", b"\x1f\x8b"), ("bz2", b"BZh"), ("lz4", b"Dovecot-LZ4"), ("zstd", b"\x28\xb5\x2f\xfd")],
)
def test_a_compressed_maildir_comes_whole_with_its_uidls(place: Path, save: str, mark: bytes) -> None:
    server = _compressing(place, save)
    for number in range(3):
        server.deliver(LETTER % (number, number) + b"text\n" * 40_000)
    shown = server.uidls()
    assert all(file.read_bytes().startswith(mark) for file in (place / "Maildir/cur").iterdir())
    assert imported(place / "Maildir") == (shown, mail_import.ImportResult(imported=3))
    for number, message in enumerate(Message.objects.order_by("added").select_related("body"), start=1):
        content = b"".join(unstuffed(bodies.from_url(conf.load().mail_store_url), message))
        sent = "\r\n".join(server.show(f"RETR {number}")).encode() + b"\r\n"
        assert content.replace(b"\r\n.", b"\r\n..") == sent


def _compressing(place: Path, save: str) -> Dovecot:
    return Dovecot(place / "work", f"maildir:{place}/Maildir", {"mail_plugins": "zlib"}, {"zlib_save": save})
