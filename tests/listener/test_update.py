"""QUIT: what is answered is durable, all or nothing, and nothing but QUIT removes."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from mailstore.models import Mailbox, Message
from tests.listeners import PASSWORD, MailSite, daemon, greeted, numbered
from tests.pop3_client import Pop3Client, connect_to
from tests.up.programs import until

ADDRESS = "ann@example.org"
SILENCE_SECONDS = 1.0  # how long a reply that must not come is waited for


@pytest.fixture
def filled(mail_site: MailSite) -> MailSite:
    """Four messages wait for ann."""
    mail_site.mailbox()
    mail_site.fill(ADDRESS, *numbered(4))
    return mail_site


@contextmanager
def mailbox_locked() -> Iterator[None]:
    """No change of ann's mail can commit meanwhile."""
    with transaction.atomic():
        Mailbox.objects.select_for_update().get(user__address=ADDRESS)
        yield


def live() -> int:
    return Message.objects.filter(removed=None).count()


def assert_silent(session: Pop3Client) -> None:
    session.sock.settimeout(SILENCE_SECONDS)
    with pytest.raises(TimeoutError):
        session.sock.recv(1)
    session.sock.settimeout(30)


@pytest.mark.req("P-086")
def test_quit_removes_exactly_what_is_marked(filled: MailSite) -> None:
    with filled.session() as session:
        uidls = session.uidls()
        for number in (2, 3):
            assert session.ask(f"DELE {number}").startswith(b"+OK")
        assert session.quit().startswith(b"+OK")
    with filled.session() as later:
        assert later.uidls() == [uidls[0], uidls[3]]
    rows = Message.objects.filter(removed_why="dele").order_by("added")
    assert [row.uidl.encode() for row in rows] == uidls[1:3]
    assert all(row.removed_at and row.removed_by.main for row in rows)


@pytest.mark.req("P-087")
def test_the_reply_to_quit_waits_until_the_removal_is_committed(filled: MailSite) -> None:
    with filled.session() as session:
        assert session.ask("DELE 1").startswith(b"+OK")
        with mailbox_locked():
            session.send(b"QUIT\r\n")
            assert_silent(session)
            assert live() == 4
        assert session.line().startswith(b"+OK")
        assert live() == 3


@pytest.mark.req("P-088")
def test_a_removal_that_fails_is_told_and_removes_nothing(filled: MailSite) -> None:
    with filled.session() as session:
        for number in (1, 2):
            assert session.ask(f"DELE {number}").startswith(b"+OK")
        with mailbox_locked():
            session.send(b"QUIT\r\n")
            end_the_listeners_transactions()
            assert session.line().startswith(b"-ERR [SYS/TEMP] some deleted messages not removed")
            assert session.rest() == b""
    assert live() == 4
    with filled.session() as again:
        assert again.ask("STAT").startswith(b"+OK 4 ")


def end_the_listeners_transactions() -> None:
    """As an administrator would: end the connections of popadmin that wait for a lock."""
    waiting = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                  WHERE application_name = 'popadmin' AND wait_event_type = 'Lock' AND datname = current_database()"""
    ended = 0
    with connection.cursor() as cursor:
        while not ended:
            cursor.execute(waiting)
            (ended,) = cursor.fetchone()


@pytest.mark.req("P-089")
def test_what_is_gone_by_other_means_counts_as_removed(filled: MailSite) -> None:
    with filled.session() as session:
        assert session.ask("DELE 1").startswith(b"+OK")
        Message.objects.order_by("added")[0].delete()
        assert session.quit().startswith(b"+OK")


@pytest.mark.req("P-093")
def test_a_quit_whose_reply_nobody_reads_removes_all_or_nothing(filled: MailSite) -> None:
    for _ in range(30):
        filled.fill(ADDRESS, *numbered(2))
        before = live()
        session = filled.session()
        for number in (1, 2):
            assert session.ask(f"DELE {number}").startswith(b"+OK")
        session.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        session.send(b"QUIT\r\n")
        session.sock.close()
        assert before - live() in {0, 2}


@pytest.mark.req("P-071")
@pytest.mark.req("P-091")
def test_fetching_all_and_quitting_removes_nothing(filled: MailSite) -> None:
    with filled.session() as session:
        for number in range(1, 5):
            session.message(number)
        assert session.quit().startswith(b"+OK")
    assert live() == 4


# --- the end of the listener --------------------------------------------------------------------------------------


@pytest.mark.req("P-099")
@pytest.mark.req("P-091")
def test_a_listener_told_to_stop_lets_sessions_finish_and_takes_no_new_ones(
    filled: MailSite, tls_settings: dict[str, str]
) -> None:
    with daemon("pop3d", workers=2, **tls_settings) as stopping:
        with greeted(connect_to(stopping.address)).sign_in(ADDRESS, PASSWORD) as session:
            stranger = greeted(connect_to(stopping.address))
            assert session.ask("DELE 1").startswith(b"+OK")
            stopping.process.terminate()
            assert stranger.rest() == b""  # not signed in: ended at once, without a word
            until(lambda: refused(stopping.address), "both workers take no more")
            assert b"Subject: message 2" in session.message(2)
            assert session.quit().startswith(b"+OK")
        assert stopping.process.wait(60) == 0
    assert live() == 3


@pytest.mark.req("P-099")
def test_a_second_signal_ends_the_sessions_that_are_left_without_removing(
    filled: MailSite, tls_settings: dict[str, str]
) -> None:
    with daemon("pop3d", **tls_settings) as stopping:
        stranger = greeted(connect_to(stopping.address))
        with greeted(connect_to(stopping.address)).sign_in(ADDRESS, PASSWORD) as session:
            assert session.ask("DELE 1").startswith(b"+OK")
            stopping.process.terminate()
            assert stranger.rest() == b""  # the first signal has arrived
            stopping.process.terminate()
            assert session.rest() == b""
        assert stopping.process.wait(60) == 0
    assert live() == 4


@pytest.mark.req("P-099")
@pytest.mark.req("P-087")
def test_a_removal_under_way_is_finished_however_often_the_listener_is_told_to_stop(
    filled: MailSite, tls_settings: dict[str, str]
) -> None:
    with daemon("pop3d", **tls_settings) as stopping:
        with greeted(connect_to(stopping.address)).sign_in(ADDRESS, PASSWORD) as session:
            stranger = greeted(connect_to(stopping.address))
            assert session.ask("DELE 1").startswith(b"+OK")
            with mailbox_locked():
                session.send(b"QUIT\r\n")
                stopping.process.terminate()
                assert stranger.rest() == b""
                stopping.process.terminate()
                assert_silent(session)
                assert stopping.process.poll() is None
            assert session.line().startswith(b"+OK")
        assert stopping.process.wait(60) == 0
    assert live() == 3


def refused(address: tuple[str, int]) -> bool:
    try:
        connect_to(address).sock.close()
    except ConnectionRefusedError:
        return True
    return False
