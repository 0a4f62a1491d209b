"""Several workers on one port: the dead are replaced, nobody is refused meanwhile, their counts go with them."""

from __future__ import annotations

import os
import signal
import smtplib

import pytest

from tests.listener.conftest import FOR_PROXIES, PROXY
from tests.listener.proxy_headers import version_1
from tests.listeners import PASSWORD, Daemon, MailSite, daemon, greeted
from tests.pop3_client import LONGEST_WAIT_SECONDS, Pop3Client, connect_to

ADDRESS = "ann@example.org"
CLIENT = "198.51.100.20"


def from_the_client(listener: Daemon) -> Pop3Client:
    return connect_to(listener.proxy_address, source=PROXY, head=version_1(CLIENT))


@pytest.mark.req("P-047")
def test_a_killed_worker_is_replaced_and_the_port_never_refuses(mail_site: MailSite) -> None:
    mail_site.mailbox()
    with daemon("pop3d", workers=2) as started:
        first = set(started.workers())
        for _ in range(2):
            before = len(started.log())
            for pid in started.workers():
                os.kill(pid, signal.SIGKILL)
            # Queued by the kernel until the successors are there.
            with greeted(connect_to(started.address)).sign_in(ADDRESS, PASSWORD) as session:
                assert session.ask("STAT") == b"+OK 0 0"
            started.logged("another takes its place", after=before, times=2)
            started.logged("listens on", after=before, times=2)
        assert first.isdisjoint(started.workers())


@pytest.mark.req("P-190")
def test_the_connections_of_a_killed_worker_are_counted_no_more(mail_site: MailSite) -> None:
    limits = {"POP3_MAX_CONNECTIONS_PER_IP": "4", **FOR_PROXIES}
    with daemon("pop3d", workers=2, **limits) as started:
        clients = [greeted(from_the_client(started)) for _ in range(4)]
        with from_the_client(started) as one_more:
            assert one_more.rest().startswith(b"-ERR")
        before = len(started.log())
        for pid in started.workers():
            os.kill(pid, signal.SIGKILL)
        started.logged("listens on", after=before, times=2)
        for client in clients:
            assert client.rest() == b""
        again = [greeted(from_the_client(started)) for _ in range(4)]
        with from_the_client(started) as one_more:
            assert one_more.rest().startswith(b"-ERR")
        for client in again:
            client.sock.close()


def test_a_signal_to_reload_costs_no_lmtp_worker_its_deliveries(mail_site: MailSite) -> None:
    """It has nothing to reload; the default of SIGHUP would be its death."""
    with daemon("lmtpd", workers=2) as started:
        workers = started.workers()
        for pid in workers:
            os.kill(pid, signal.SIGHUP)
        with smtplib.LMTP("127.0.0.1", started.port, timeout=LONGEST_WAIT_SECONDS) as lmtp:
            assert lmtp.ehlo("client.example")[0] == 250
        assert started.workers() == workers


def test_two_listeners_on_one_port_are_refused_in_one_line(mail_site: MailSite) -> None:
    """SO_REUSEPORT would let the second in and halve the mail of the first."""
    taken = f"127.0.0.1:{mail_site.pop3d.port}"
    refusal = f"POP3_LISTEN={taken}: cannot listen there"
    with pytest.raises(AssertionError, match=refusal), daemon("pop3d", POP3_LISTEN=taken):
        pass


def test_workers_end_with_a_parent_that_is_killed(mail_site: MailSite) -> None:
    with daemon("pop3d", workers=2) as started:
        waiting = greeted(connect_to(started.address))
        started.process.kill()
        assert waiting.rest() == b""
        started.process.wait(30)
        refused = False
        while not refused:
            try:
                connect_to(started.address).sock.close()
            except ConnectionRefusedError:
                refused = True
            except ConnectionResetError:  # taken by a socket that was closed at that moment
                continue
