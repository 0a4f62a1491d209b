"""Moving at the first sign-in: a real Dovecot is the old server, a real client signs in, and its mail is here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from mailstore.directory import domains, mailbox_moves, mailboxes
from mailstore.models import Domain, Mailbox, MailboxMove, Message, User
from tests.listeners import ACTOR, Authority, Daemon, daemon, greeted
from tests.management.command_runner import environment, one_line, process, said
from tests.pop3_client import Pop3Client, connect_to
from tests.site.page_users import sign_in
from tests.transfer.dovecot_server import DovecotServer, dovecot_server
from tests.up.programs import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
DOMAIN = "old.example"
SECRET = "an old password"
LETTERS = [b"Subject: %d\n\ntext of %d\n" % (number, number) for number in range(12)]
MOVING = b"-ERR [SYS/TEMP] your mail is being moved, please wait some minutes"
WRONG = b"-ERR [AUTH] wrong user name or password"
State = MailboxMove.State


@pytest.fixture(scope="module")
def dovecot(authority: Authority) -> Iterator[DovecotServer]:
    with dovecot_server(authority) as server:
        yield server


@pytest.fixture(scope="module")
def listener(
    django_db_setup: None, tls_settings: dict[str, str], authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Daemon]:
    """A listener that trusts the authority of the old server."""
    place = str(tmp_path_factory.mktemp("site"))
    with daemon("pop3d", SSL_CERT_FILE=str(authority.ca_file), POPADMIN_DATA_DIR=place, **tls_settings) as started:
        yield started


def marked(server: DovecotServer, *letters: bytes) -> str:
    """A user of the old server with a mailbox here that is marked as still there."""
    address = server.user(SECRET, *letters)
    domains.ensure(DOMAIN, actor=ACTOR, old_server=server.url)
    said("mailbox", "ensure", address, "--still-at-old-server")
    return address


def answer(listener: Daemon, address: str, password: str = SECRET) -> bytes:
    with greeted(connect_to(listener.address)) as client:
        client.ask(f"USER {address}")
        return client.ask(f"PASS {password}")


def opened(listener: Daemon, address: str) -> Pop3Client:
    until(lambda: answer(listener, address) != MOVING, "the mail is moved")
    return greeted(connect_to(listener.address)).sign_in(address, SECRET)


def move_of(address: str) -> MailboxMove:
    return MailboxMove.objects.get(mailbox__user__address=address)


def test_the_first_sign_in_keeps_the_password_and_moves_the_mail(dovecot: DovecotServer, listener: Daemon) -> None:
    address = marked(dovecot, *LETTERS)
    assert not User.objects.get(address=address).has_usable_password()
    assert answer(listener, address) == MOVING
    with opened(listener, address) as client:
        assert client.ask("STAT").startswith(b"+OK 12 ")
        assert client.message(12) == LETTERS[11].replace(b"\n", b"\r\n")
        uidls = client.uidls()
    user = User.objects.get(address=address)
    assert user.password.startswith("argon2")
    assert user.check_password(SECRET)
    move = move_of(address)
    assert (move.state, move.messages, move.total, move.percent) == (State.MOVED, 12, 12, 100)
    assert [row.uidl.encode() for row in Message.objects.order_by("added")] == uidls


def test_a_password_that_the_old_server_refuses_is_a_wrong_password(dovecot: DovecotServer, listener: Daemon) -> None:
    address = marked(dovecot)
    assert answer(listener, address, "wrong") == WRONG
    assert not User.objects.get(address=address).has_usable_password()
    assert move_of(address).state == State.WAITING


def test_only_marked_mailboxes_are_asked_for(dovecot: DovecotServer, listener: Daemon) -> None:
    address = marked(dovecot)
    stranger = dovecot.user(SECRET)
    assert answer(listener, stranger) == WRONG
    mailbox_moves.unmark(address, actor=ACTOR)
    assert answer(listener, address) == WRONG


def test_after_its_last_day_the_old_server_is_not_asked(dovecot: DovecotServer, listener: Daemon) -> None:
    address = marked(dovecot)
    domains.ensure(DOMAIN, actor=ACTOR, old_server_until=timezone.now() - timedelta(seconds=1))
    assert answer(listener, address) == WRONG


def test_an_old_server_that_is_away_is_a_fault_for_a_while(listener: Daemon) -> None:
    domains.ensure(DOMAIN, actor=ACTOR, old_server="pop3s://127.0.0.1:1")
    said("mailbox", "ensure", f"ann@{DOMAIN}", "--still-at-old-server")
    assert answer(listener, f"ann@{DOMAIN}").startswith(b"-ERR [SYS/TEMP] service unavailable")


def test_a_move_that_was_cut_off_goes_on_at_the_next_sign_in(dovecot: DovecotServer, listener: Daemon) -> None:
    """A process that was killed leaves its row as it was: moving."""
    address = marked(dovecot, *LETTERS)
    mailboxes.set_password(address, SECRET, actor=ACTOR)
    MailboxMove.objects.update(state=State.MOVING, messages=3, total=12)
    assert answer(listener, address) == MOVING
    with opened(listener, address) as client:
        assert client.ask("STAT").startswith(b"+OK 12 ")


def test_what_came_there_since_is_pulled_at_the_next_sign_in(dovecot: DovecotServer, listener: Daemon) -> None:
    address = marked(dovecot, *LETTERS)
    answer(listener, address)
    opened(listener, address).quit()
    dovecot.put(address, 12, b"Subject: late\n\nlate\n")
    MailboxMove.objects.update(since=timezone.now() - timedelta(days=1))
    mailbox_moves.pull_again(address, actor=ACTOR)
    done = process(
        "move-mail", address, "--password-stdin", stdin=SECRET.encode() + b"\n",
        SSL_CERT_FILE=str(dovecot.authority.ca_file), POPADMIN_DATA_DIR=data_dir(listener),
    )  # fmt: skip
    assert (done.returncode, done.stdout.decode()) == (0, f"{address}: moved, 13 messages\n")
    assert Mailbox.objects.get().messages == 13


def data_dir(listener: Daemon) -> str:
    values = Path(f"/proc/{listener.process.pid}/environ").read_bytes().decode().split("\0")
    return dict(value.split("=", 1) for value in values if value)["POPADMIN_DATA_DIR"]


def test_a_move_that_fails_says_why(dovecot: DovecotServer, tmp_path: Path) -> None:
    address = marked(dovecot)
    done = process("move-mail", address, "--password-stdin", stdin=b"x\n", POPADMIN_DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "the certificate of the old server is not trusted" in one_line(done.stderr.splitlines(keepends=True)[-1])
    move = move_of(address)
    assert (move.state, move.reason) == (State.FAILED, MailboxMove.Reason.BAD_CERTIFICATE)


def test_the_first_sign_in_on_the_pages_does_the_same(
    dovecot: DovecotServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    for name, value in environment(
        SSL_CERT_FILE=str(dovecot.authority.ca_file), POPADMIN_DATA_DIR=str(tmp_path)
    ).items():
        monkeypatch.setenv(name, value)
    address = marked(dovecot, *LETTERS)
    assert sign_in(client, address, "wrong").status_code == 200
    assert sign_in(client, address, SECRET).status_code == 302
    until(lambda: move_of(address).state == State.MOVED, "the mail is moved")
    assert Message.objects.count() == 12
    assert User.objects.get(address=address).check_password(SECRET)


def test_a_domain_names_its_old_server_by_the_shell() -> None:
    said("domain", "ensure", DOMAIN, "--old-server", "POP3S://Mail.Old.Example:995", "--old-server-local")
    domain = Domain.objects.get()
    assert (domain.old_server, domain.old_server_local) == ("pop3s://mail.old.example", True)
    said("mailbox", "ensure", f"ann@{DOMAIN}", "--still-at-old-server")
    found = mailbox_moves.server_of(MailboxMove.objects.get())
    assert found is not None
    assert (found[0].url, found[1]) == ("pop3s://mail.old.example", "ann")
    said("mailbox", "ensure", f"ann@{DOMAIN}", "--no-still-at-old-server")
    assert not MailboxMove.objects.exists()


def test_a_mailbox_is_not_marked_where_there_is_no_old_server(tmp_path: Path) -> None:
    domains.ensure(DOMAIN, actor=ACTOR)
    done = process(
        "mailbox", "ensure", f"ann@{DOMAIN}", "--still-at-old-server", POPADMIN_DATA_DIR=str(tmp_path)
    )  # fmt: skip
    assert done.returncode == 1
    assert "has no old server" in one_line(done.stderr)
    assert not Mailbox.objects.exists()
