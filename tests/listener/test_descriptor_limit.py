"""Descriptors: few of them, and many strangers; mail still goes out and comes in."""

from __future__ import annotations

import resource
import smtplib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from mailstore.listener import descriptor_limit
from tests.listeners import PASSWORD, SENDER, Daemon, MailSite, daemon, greeted, numbered
from tests.pop3_client import Pop3Client, connect_to

ADDRESS = "ann@example.org"
FEW = 256
STRANGERS = 400  # to one worker


@contextmanager
def many_strangers(listener: tuple[str, int]) -> Iterator[list[Pop3Client]]:
    """Strangers who stay connected; each was greeted, or told why not."""
    with ExitStack() as stack:
        strangers = [stack.enter_context(connect_to(listener)) for _ in range(STRANGERS)]
        for stranger in strangers:
            assert stranger.line()[:3] in {b"+OK", b"220"}
        yield strangers


@pytest.fixture
def starved(mail_site: MailSite, tls_settings: dict[str, str]) -> Iterator[Daemon]:
    """A listener with few descriptors, and a mailbox with a small and a large message."""
    mail_site.mailbox()
    mail_site.fill(ADDRESS, *numbered(1), *numbered(1, octets=400_000))
    with daemon("pop3d", descriptors=FEW, **tls_settings) as started:
        yield started


@pytest.mark.req("P-191")
def test_a_session_fetches_whatever_the_crowd_of_strangers(starved: Daemon) -> None:
    with greeted(connect_to(starved.address)).sign_in(ADDRESS, PASSWORD) as session, many_strangers(starved.address):
        assert len(session.message(1)) < len(session.message(2))
        with greeted(connect_to(starved.address)).sign_in(ADDRESS, PASSWORD) as newcomer:
            assert newcomer.message(2) == session.message(2)


@pytest.mark.req("P-121")
@pytest.mark.req("P-191")
def test_the_stranger_who_has_to_go_is_told_why(starved: Daemon) -> None:
    with many_strangers(starved.address) as strangers:
        assert strangers[0].rest() == b"-ERR too many connections, wait a little\r\n"
    starved.logged(rf"may open {FEW} files, so it takes \d+ connections instead of 10000")


@pytest.mark.req("P-121")
def test_sessions_that_fill_every_place_can_all_fetch_a_large_message_at_once(starved: Daemon) -> None:
    """Each holds its socket, a body and a second handle on its socket."""
    with ExitStack() as stack:
        sessions = []
        while (client := stack.enter_context(connect_to(starved.address))).line().startswith(b"+OK"):
            sessions.append(client.sign_in(ADDRESS, PASSWORD))
        for session in sessions:
            session.send(b"RETR 2\r\n" * 20)  # more than the buffers between hold
        assert len(sessions) == (FEW - descriptor_limit.RESERVED) // descriptor_limit.PER_CONNECTION
        for session in sessions:
            for _ in range(20):
                assert session.line().startswith(b"+OK")
                assert len(session.payload()) > 400_000


def test_a_delivery_is_taken_whatever_the_crowd_of_connections(mail_site: MailSite) -> None:
    mail_site.mailbox()
    with daemon("lmtpd", descriptors=FEW) as lmtpd, smtplib.LMTP(*lmtpd.address) as before:
        before.ehlo("client.example")
        with many_strangers(lmtpd.address), smtplib.LMTP(*lmtpd.address) as later:
            later.ehlo("client.example")
            for lmtp in (later, before):
                assert lmtp.sendmail(SENDER, [ADDRESS], numbered(1, octets=400_000)[0]) == {}


@pytest.mark.parametrize("proxied", [False, True])
def test_a_limit_that_may_be_raised_is_raised_as_far_as_it_is_needed(*, proxied: bool) -> None:
    """Behind proxies, as many connections may wait for their header as may come in."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, before[1]))
    try:
        assert descriptor_limit.connections(FEW, proxied=proxied) == FEW
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert soft == descriptor_limit.RESERVED + (descriptor_limit.PER_CONNECTION + proxied) * FEW
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
