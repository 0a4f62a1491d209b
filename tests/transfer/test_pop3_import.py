"""A real Dovecot as the old server: what it shows over POP3 is what the import brings, once, in its order."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from django.conf import LazySettings

from mailstore import bodies, conf
from mailstore.directory.outcome import Rejected
from mailstore.messages.message_file import unstuffed
from mailstore.models import Message
from mailstore.policy import old_server
from mailstore.transfer import mail_import
from mailstore.transfer.mail_import import ImportResult
from mailstore.transfer.sources.pop3_client import Account
from mailstore.transfer.sources.pop3_mailbox import OldMailbox
from tests.listeners import Authority
from tests.site.rows import ACTOR, a_mailbox
from tests.site.worker import conninfo
from tests.transfer.dovecot_server import DovecotServer, dovecot_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
ANN = "ann@example.org"
SECRET = "an old password"
LETTERS = [b"Subject: %d\nDate: Tue, 05 Jul 2022 18:44:15 +0200\n\n.dot\ntext of %d\n" % (n, n) for n in range(12)]


@pytest.fixture(autouse=True)
def own_site(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATABASE_CONNINFO = conninfo()
    settings.MAIL_STORE_URL = f"file:{tmp_path / 'data' / 'bodies'}"


@pytest.fixture(scope="module")
def dovecot(authority: Authority) -> Iterator[DovecotServer]:
    with dovecot_server(authority) as server:
        yield server


def account(server: DovecotServer, user: str, url: str = "", **changes: object) -> Account:
    values: dict[str, object] = {"user": user, "password": SECRET, "ca_file": server.authority.ca_file, **changes}
    return Account(old_server.parse(url or server.url), **values)  # type: ignore[arg-type]


def imported(place: Account) -> tuple[ImportResult, list[str]]:
    warnings: list[str] = []
    return mail_import.run(ANN, place, actor=ACTOR, warn=warnings.append), warnings


def shown(place: Account) -> list[str]:
    """The UIDLs that the old server shows, in its order."""
    mailbox = OldMailbox(place, most_octets=10**6)
    try:
        return mailbox.uidls()
    finally:
        mailbox.close()


def stored() -> list[Message]:
    return list(Message.objects.order_by("added").select_related("body"))


@contextmanager
def relay(*hops: tuple[int, int | None]) -> Iterator[int]:
    """Yield a port. Each connection to it, one after another, leads to the port of a hop and is cut there."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=_serve, args=(listening, hops))
        serving.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        serving.join()


def _serve(listening: socket.socket, hops: tuple[tuple[int, int | None], ...]) -> None:
    for port, octets in hops:
        try:
            client, _address = listening.accept()
        except OSError:  # the test is over
            return
        with client, socket.create_connection(("127.0.0.1", port)) as server:
            upward = threading.Thread(target=_copy, args=(client, server, None))
            upward.start()
            _copy(server, client, octets)
            for end in (client, server):
                _hang_up(end)
            upward.join()


def _copy(source: socket.socket, target: socket.socket, octets: int | None) -> None:
    try:
        while data := source.recv(4096 if octets is None else min(4096, octets)):
            target.sendall(data)
            octets = None if octets is None else octets - len(data)
    except OSError:
        return


def _hang_up(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


@pytest.mark.parametrize("stls", [False, True], ids=["implicit TLS", "STLS"])
def test_mail_comes_as_the_old_server_shows_it_and_stays_there(dovecot: DovecotServer, stls: bool) -> None:
    a_mailbox()
    ann = dovecot.user(SECRET, *LETTERS)
    place = account(dovecot, ann, dovecot.stls_url if stls else dovecot.url)
    before = shown(place)
    assert len(before) == 12
    assert imported(place) == (ImportResult(imported=12), [])
    rows = stored()
    assert [row.uidl for row in rows] == before == shown(place)
    store = bodies.from_url(conf.load().mail_store_url)
    content = [b"".join(unstuffed(store, row)) for row in rows]
    assert content == [letter.replace(b"\n", b"\r\n") for letter in LETTERS]
    assert {row.arrived_at for row in rows} == {datetime(2022, 7, 5, 16, 44, 15, tzinfo=UTC)}
    assert sum(1 for _file in dovecot.maildir(ann).glob("[cn]*/*")) == 12


def test_a_second_run_brings_only_what_came_since(dovecot: DovecotServer) -> None:
    a_mailbox()
    ann = dovecot.user(SECRET, *LETTERS)
    imported(account(dovecot, ann))
    dovecot.put(ann, 12, b"Subject: new\n\nnew\n")
    assert imported(account(dovecot, ann, dovecot.stls_url)) == (ImportResult(imported=1, present=12), [])


@pytest.mark.parametrize("listed", [True, False], ids=["its UIDLs are known", "its list is lost"])
@pytest.mark.parametrize("first", ["maildir", "pop3"])
def test_mail_that_is_moved_by_its_files_and_over_pop3_comes_once(
    dovecot: DovecotServer, first: str, listed: bool
) -> None:
    a_mailbox()
    ann = dovecot.user(SECRET, *LETTERS)
    there = account(dovecot, ann)
    before = shown(there)
    if not listed:
        (dovecot.maildir(ann) / "dovecot-uidlist").unlink()
    by_files = partial(mail_import.run, ANN, dovecot.maildir(ann), actor=ACTOR)
    if first == "maildir":
        assert by_files() == ImportResult(imported=12)
        assert imported(there) == (ImportResult(present=12), [])
    else:
        assert imported(there) == (ImportResult(imported=12), [])
        assert by_files() == ImportResult(present=12)
    if listed:
        assert [row.uidl for row in stored()] == before
    assert imported(there)[0] == by_files() == ImportResult(present=12)


def test_a_server_that_has_another_name_meanwhile_brings_nothing_again(dovecot: DovecotServer) -> None:
    a_mailbox()
    ann = dovecot.user(SECRET, *LETTERS)
    imported(account(dovecot, ann))
    renamed = account(dovecot, ann, dovecot.url.replace("localhost", "127.0.0.1"))
    assert imported(renamed) == (ImportResult(present=12), [])


def test_a_connection_that_is_cut_is_made_again(dovecot: DovecotServer) -> None:
    a_mailbox()
    large = [letter + b"text\n" * 2000 for letter in LETTERS]
    ann = dovecot.user(SECRET, *large)
    before = shown(account(dovecot, ann))
    cut = (dovecot.tls_port, 60_000)
    with relay(cut, cut, (dovecot.tls_port, None)) as port:
        assert imported(account(dovecot, ann, f"pop3s://localhost:{port}")) == (ImportResult(imported=12), [])
    assert [row.uidl for row in stored()] == before


def test_a_server_that_is_gone_ends_the_import_and_the_next_run_goes_on(dovecot: DovecotServer) -> None:
    a_mailbox()
    large = [letter + b"text\n" * 2000 for letter in LETTERS]
    ann = dovecot.user(SECRET, *large)
    ends = pytest.raises(Rejected, match=r"TLS with .* failed .* The messages so far are stored")
    with relay((dovecot.tls_port, 60_000), (dovecot.port, None)) as port, ends:
        imported(account(dovecot, ann, f"pop3s://localhost:{port}"))
    begun = Message.objects.count()
    assert 0 < begun < 12
    assert imported(account(dovecot, ann)) == (ImportResult(imported=12 - begun, present=begun), [])


def test_a_message_above_the_limit_of_the_site_is_left_there_and_named(
    dovecot: DovecotServer, settings: LazySettings
) -> None:
    a_mailbox()
    ann = dovecot.user(SECRET, LETTERS[0], b"Subject: large\n\n" + b"text\n" * 2000, LETTERS[1])
    settings.MAX_MESSAGE_OCTETS = 4096
    done, warnings = imported(account(dovecot, ann))
    assert done == ImportResult(imported=2, failed=1)
    assert "message 2 cannot be read: it has 12018 octets, more than MAX_MESSAGE_OCTETS (4096)" in warnings[0]


def test_a_certificate_that_is_not_trusted_gets_no_password(dovecot: DovecotServer) -> None:
    a_mailbox()
    ann = dovecot.user(SECRET)
    with pytest.raises(Rejected, match=r"is not trusted .*--ca-file"):
        imported(account(dovecot, ann, ca_file=None))
    with pytest.raises(Rejected, match="is not trusted"):
        imported(account(dovecot, ann, dovecot.url.replace("localhost", "127.1")))


def test_a_wrong_password_is_told_with_the_words_of_the_server(dovecot: DovecotServer) -> None:
    a_mailbox()
    ann = dovecot.user(SECRET)
    with pytest.raises(Rejected, match=r"does not take the password of .*: \[AUTH\]"):
        imported(account(dovecot, ann, password="wrong"))


def test_a_server_without_tls_is_used_only_if_that_was_said(authority: Authority) -> None:
    a_mailbox()
    with dovecot_server(authority, ssl="no", disable_plaintext_auth="no") as server:
        ann = server.user(SECRET, *LETTERS)
        with pytest.raises(Rejected, match="offers no TLS"):
            imported(account(server, ann, server.stls_url))
        assert imported(account(server, ann, server.stls_url, plaintext=True))[0].imported == 12
