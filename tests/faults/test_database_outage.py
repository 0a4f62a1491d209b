"""The database is down for a while: clients are told to try again, nothing is lost, nothing needs a restart."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pytest

from tests.faults.breakable_site import SENDER, BreakableSite
from tests.listeners import LONGEST_WAIT_SECONDS, Daemon, daemon
from tests.site.rows import PASSWORD
from tests.up.programs import until

ANN, BOB, CAT = "p0@example.org", "p1@example.org", "p2@example.org"
AWAY = b"-ERR [SYS/TEMP]"


def take_away(site: BreakableSite, how: str) -> None:
    if how == "stopped":
        site.cluster.stop()
    else:
        site.kill_postgres()


@pytest.mark.req("P-118")
@pytest.mark.req("P-035")
@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_database_that_is_away_is_a_temporary_matter_and_its_return_is_noticed(site: BreakableSite, how: str) -> None:
    for address in (ANN, CAT):
        assert site.deliver(address, b"Subject: before\r\n\r\nkept\r\n") == 250
    workers = [*site.lmtpd.workers(), *site.pop3d.workers()]
    with site.session(ANN) as listed, site.session(CAT) as fresh, site.lmtp() as sending:
        assert listed.ask("DELE 1").startswith(b"+OK")
        sending.mail(SENDER)
        assert sending.rcpt(BOB)[0] == 250

        take_away(site, how)
        until(lambda: site.sign_in_reply(ANN).startswith(AWAY), "sign-ins are put off")
        until(lambda: site.deliver(BOB, b"Subject: no\r\n") == 451, "deliveries are put off")
        # A wrong password is not called wrong, and an unknown recipient not unknown, while nobody can know.
        assert site.sign_in_reply(ANN, "wrong").startswith(AWAY)
        assert site.deliver("nobody@example.org", b"") == 451
        assert sending.data(b"Subject: caught in between\r\n")[0] == 451
        # Sessions live: what needs no row is answered, what does is put off.
        assert fresh.ask("NOOP") == b"+OK"
        assert fresh.ask("STAT").startswith(b"+OK 1 ")
        assert fresh.ask("LIST").startswith(AWAY)
        assert listed.ask("STAT").startswith(b"+OK 0 ")
        assert listed.quit().startswith(AWAY)

        site.cluster.start()
        site.until_it_serves()
        assert fresh.message(1).endswith(b"kept\r\n")
        assert fresh.quit().startswith(b"+OK")
    assert [*site.lmtpd.workers(), *site.pop3d.workers()] == workers
    with site.session(BOB) as bob, site.session(ANN) as ann:
        assert bob.ask("STAT") == b"+OK 0 0"
        assert b"Subject: before\r\n" in ann.message(1)


def test_a_backend_that_is_ended_in_the_middle_costs_one_answer(site: BreakableSite) -> None:
    with site.session(ANN) as client:
        site.sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = 'popadmin' AND pid <> pg_backend_pid()"
        )
        site.until_it_serves()
        assert client.ask("NOOP") == b"+OK"


def test_listeners_that_start_before_their_database_serve_when_it_comes(site: BreakableSite) -> None:
    site.cluster.stop()
    with daemon("pop3d", workers=1, **site.environment) as pop3d, daemon("lmtpd", **site.environment) as lmtpd:
        earlier = site.pop3d, site.lmtpd
        site.pop3d, site.lmtpd = pop3d, lmtpd
        try:
            assert site.sign_in_reply(ANN).startswith(AWAY)
            assert site.deliver(ANN, b"") == 451
            site.cluster.start()
            site.until_it_serves()
        finally:
            site.pop3d, site.lmtpd = earlier


def test_an_mta_that_asks_who_may_send_loses_its_connection_and_hears_of_no_wrong_password(site: BreakableSite) -> None:
    with daemon("authd", **site.environment) as authd:
        assert asked(authd, PASSWORD).startswith(b"OK\t1\tuser=")
        assert asked(authd, "wrong").startswith(b"FAIL\t1\t")
        site.cluster.stop()
        until(lambda: asked(authd, PASSWORD) == b"", "sign-ins are put off")
        assert asked(authd, "wrong") == b""
        site.cluster.start()
        until(lambda: asked(authd, PASSWORD).startswith(b"OK\t"), "the database is found again")


def test_the_policy_service_has_no_opinion_while_the_database_is_away(site: BreakableSite) -> None:
    with daemon("policyd", **site.environment) as policyd, connected(policyd) as (sock, lines):
        assert policy(sock, lines, "nobody@example.org").startswith(b"action=550 ")
        site.cluster.stop()
        until(lambda: policy(sock, lines, "nobody@example.org") == b"action=DUNNO\n", "it has no opinion")
        site.cluster.start()
        until(lambda: policy(sock, lines, "nobody@example.org").startswith(b"action=550 "), "it has one again")


def policy(sock: socket.socket, lines: BinaryIO, recipient: str) -> bytes:
    """What Postfix hears at RCPT, on one connection for all requests."""
    sock.sendall(b"request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=%b\n\n" % recipient.encode())
    action = lines.readline()
    assert lines.readline() == b"\n"
    return action


@contextmanager
def connected(listener: Daemon) -> Iterator[tuple[socket.socket, BinaryIO]]:
    with socket.create_connection(listener.address, LONGEST_WAIT_SECONDS) as sock, sock.makefile("rb") as lines:
        yield sock, lines


def asked(authd: Daemon, secret: str) -> bytes:
    """What Postfix hears behind the greeting; nothing where the connection ends."""
    response = b64encode(f"\0{ANN}\0{secret}".encode())
    with connected(authd) as (sock, lines):
        sock.sendall(b"VERSION\t1\t0\nCPID\t1\nAUTH\t1\tPLAIN\tservice=smtp\tresp=" + response + b"\n")
        while lines.readline() != b"DONE\n":
            pass
        return lines.readline()
