"""Sessions side by side: each sees a complete, steady maildrop, none waits for another, none harms another."""

from __future__ import annotations

import os
import signal
import socket
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db.models import F

from mailstore.directory import mailboxes
from mailstore.models import Mailbox, Message
from tests.listeners import ACTOR, PASSWORD, Daemon, MailSite, daemon, greeted, numbered
from tests.pop3_client import Pop3Client, connect_to

ADDRESS = "ann@example.org"


@pytest.fixture
def filled(mail_site: MailSite) -> MailSite:
    """Four messages wait for ann."""
    mail_site.mailbox()
    mail_site.fill(ADDRESS, *numbered(4))
    return mail_site


def opened(listener: Daemon, password: str = PASSWORD) -> Pop3Client:
    """A session of ann's in TRANSACTION, on a listener of the test's own."""
    return greeted(connect_to(listener.address)).sign_in(ADDRESS, password)


def seen(session: Pop3Client) -> tuple[bytes, list[bytes], list[bytes], list[bytes]]:
    """Everything a session can know of its maildrop."""
    count = int(session.ask("STAT").split()[1])
    fetched = [session.message(number) for number in range(1, count + 1)]
    return session.ask("STAT"), session.rows("LIST"), session.rows("UIDL"), fetched


@pytest.mark.req("P-043")
@pytest.mark.req("P-045")
def test_two_sessions_at_once_see_the_same_complete_maildrop(filled: MailSite) -> None:
    with filled.session() as first, filled.session() as second:
        assert seen(first) == seen(second)


@pytest.mark.req("P-043")
@pytest.mark.req("P-048")
def test_both_mark_the_same_message_and_both_quit_well(filled: MailSite) -> None:
    with filled.session() as first, filled.session() as second:
        for session in (first, second):
            assert session.ask("DELE 2").startswith(b"+OK")
        assert first.quit().startswith(b"+OK")
        assert second.quit().startswith(b"+OK")
    with filled.session() as later:
        assert later.ask("STAT").startswith(b"+OK 3 ")
    assert Message.objects.filter(removed_why="dele").count() == 1


@pytest.mark.req("P-043")
@pytest.mark.req("P-048")
@pytest.mark.req("P-053")
def test_what_one_session_removed_another_that_was_open_can_still_fetch(filled: MailSite) -> None:
    with filled.session() as steady:
        before = seen(steady)
        with filled.session() as remover:
            for number in range(1, 5):
                assert remover.ask(f"DELE {number}").startswith(b"+OK")
            assert remover.quit().startswith(b"+OK")
        assert seen(steady) == before
        assert steady.quit().startswith(b"+OK")
    with filled.session() as later:
        assert later.ask("STAT") == b"+OK 0 0"


@pytest.mark.req("P-043")
@pytest.mark.req("P-053")
def test_a_session_that_never_listed_still_sees_what_was_there_when_it_opened(filled: MailSite) -> None:
    """Its listing is loaded late, after another session removed and others delivered."""
    with filled.session() as late, filled.session() as remover:
        assert remover.ask("DELE 1").startswith(b"+OK")
        assert remover.quit().startswith(b"+OK")
        filled.fill(ADDRESS, *numbered(2))
        assert [row.split()[0] for row in late.rows("UIDL")] == [b"1", b"2", b"3", b"4"]
        assert b"Subject: message 1\r\n" in late.message(1)


@pytest.mark.req("P-044")
@pytest.mark.req("P-045")
def test_open_sessions_change_nothing_about_signing_in(filled: MailSite) -> None:
    with filled.session(), filled.dial() as client:
        assert client.ask(f"USER {ADDRESS}").startswith(b"+OK")
        assert client.ask("PASS wrong").startswith(b"-ERR [AUTH] ")
        client.sign_in(ADDRESS, PASSWORD)


@pytest.mark.req("P-047")
@pytest.mark.req("P-091")
@pytest.mark.parametrize("end", ["QUIT is missing", "reset", "half a QUIT", "bad commands"])
def test_however_a_session_ends_without_quit_nothing_is_removed_and_the_next_opens(filled: MailSite, end: str) -> None:
    with filled.session() as session:
        assert session.ask("DELE 1").startswith(b"+OK")
        ENDS[end](session)
    with filled.session() as again:
        assert again.ask("STAT").startswith(b"+OK 4 ")


@pytest.mark.req("P-047")
@pytest.mark.req("P-091")
def test_a_worker_that_is_killed_removes_nothing_and_its_successor_serves(
    filled: MailSite, tls_settings: dict[str, str]
) -> None:
    with daemon("pop3d", **tls_settings) as started, opened(started) as session:
        assert session.ask("DELE 1").startswith(b"+OK")
        os.kill(started.workers()[0], signal.SIGKILL)
        assert session.rest() == b""
        with opened(started) as again:
            assert again.ask("STAT").startswith(b"+OK 4 ")


def reset(session: Pop3Client) -> None:
    session.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    session.sock.close()


def half_quit(session: Pop3Client) -> None:
    """RFC 1939 §3: a command is a line; without its end there is none (P-092)."""
    session.send(b"QUIT")
    session.sock.shutdown(socket.SHUT_WR)
    assert session.rest() == b""


def bad_commands(session: Pop3Client) -> None:
    session.send(b"NONSENSE\r\n" * 30)
    assert session.rest().count(b"-ERR") == 20


ENDS = {
    "QUIT is missing": lambda session: session.sock.close(),
    "reset": reset,
    "half a QUIT": half_quit,
    "bad commands": bad_commands,
}


@pytest.mark.req("P-092")
def test_half_a_quit_at_the_end_of_the_connection_removes_nothing(filled: MailSite) -> None:
    with filled.session() as session:
        session.send(b"DELE 1\r\nQUIT")
        session.sock.shutdown(socket.SHUT_WR)
        assert session.rest().startswith(b"+OK")
    with filled.session() as later:
        assert later.ask("STAT").startswith(b"+OK 4 ")


@pytest.mark.req("P-049")
def test_a_frozen_session_revived_fetches_what_it_listed_and_removes_what_it_marked(
    filled: MailSite, tls_settings: dict[str, str]
) -> None:
    with daemon("pop3d", **tls_settings) as frozen, opened(frozen) as session:
        uidls = session.uidls()
        assert session.ask("DELE 2").startswith(b"+OK")
        (worker,) = frozen.workers()
        os.kill(worker, signal.SIGSTOP)
        try:
            with filled.session() as other:
                for number in (1, 2):
                    assert other.ask(f"DELE {number}").startswith(b"+OK")
                assert other.quit().startswith(b"+OK")
            filled.fill(ADDRESS, *numbered(1))
        finally:
            os.kill(worker, signal.SIGCONT)
        assert b"Subject: message 1\r\n" in session.message(1)
        assert session.quit().startswith(b"+OK")
    with filled.session() as later:
        assert later.uidls()[:2] == uidls[2:]
        assert later.ask("STAT").startswith(b"+OK 3 ")


@pytest.mark.req("P-050")
def test_numbers_do_not_move_when_a_message_is_marked(filled: MailSite) -> None:
    with filled.session() as session:
        third = session.message(3)
        assert session.ask("DELE 2").startswith(b"+OK")
        assert [row.split()[0] for row in session.rows("LIST")] == [b"1", b"3", b"4"]
        assert session.message(3) == third


@pytest.mark.req("P-051")
def test_mail_delivered_at_once_has_one_order_for_everybody(mail_site: MailSite) -> None:
    mail_site.mailbox()
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda one: mail_site.deliver(one, ADDRESS), numbered(20)))
    assert all(reply[0][0] == 250 for reply in replies)
    with mail_site.session() as first, mail_site.session() as second, mail_site.session() as third:
        assert len(set(first.uidls())) == 20
        assert first.uidls() == second.uidls() == third.uidls()


@pytest.mark.req("P-052")
def test_mail_that_arrives_during_a_session_is_seen_by_the_next_one_at_its_end(filled: MailSite) -> None:
    with filled.session() as session:
        before = seen(session)
        filled.fill(ADDRESS, b"Subject: late\r\n\r\n")
        assert seen(session) == before
    with filled.session() as later:
        assert later.ask("STAT").startswith(b"+OK 5 ")
        assert b"Subject: late" in later.message(5)
        assert later.uidls()[:4] == [row.split()[1] for row in before[2]]


@pytest.mark.req("P-090")
def test_dele_means_the_message_and_not_the_place(filled: MailSite) -> None:
    with filled.session() as session:
        uidls = session.uidls()
        assert session.ask("DELE 2").startswith(b"+OK")
        with filled.session() as other:
            assert other.ask("DELE 1").startswith(b"+OK")
            assert other.quit().startswith(b"+OK")
        filled.fill(ADDRESS, b"Subject: new\r\n\r\n")
        assert session.quit().startswith(b"+OK")
    with filled.session() as later:
        assert later.uidls()[:2] == uidls[2:]
        assert b"Subject: new" in later.message(3)


@pytest.mark.req("P-080")
@pytest.mark.req("P-081")
@pytest.mark.req("P-082")
def test_a_uidl_is_for_ever_and_for_one_message(filled: MailSite, tls_settings: dict[str, str]) -> None:
    with filled.session() as session:
        uidls = session.uidls()
        assert session.ask("DELE 4").startswith(b"+OK")
        assert session.quit().startswith(b"+OK")
    filled.fill(ADDRESS, numbered(4)[3], numbered(4)[3])
    mailboxes.set_password(ADDRESS, "another battery staple horse", actor=ACTOR)
    with daemon("pop3d", **tls_settings) as another, opened(another, "another battery staple horse") as session:
        now = session.uidls()
    assert now[:3] == uidls[:3]
    assert len({*uidls, *now}) == 6


@pytest.mark.req("P-046")
def test_a_maildrop_that_cannot_be_opened_leaves_nothing_behind(filled: MailSite) -> None:
    """Counters that disagree with the rows stop the list; once they are mended the next session has it all."""
    Mailbox.objects.update(messages=F("messages") + 1)
    with filled.session() as session:
        for command in ("LIST", "UIDL", "RETR 1", "DELE 1"):
            assert session.ask(command).startswith(b"-ERR [SYS/TEMP] ")
        assert session.quit().startswith(b"+OK")
    Mailbox.objects.update(messages=F("messages") - 1)
    with filled.session() as session:
        assert len(session.rows("LIST")) == 4
