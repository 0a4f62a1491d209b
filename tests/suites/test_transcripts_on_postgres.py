"""The conversations of the RFCs over Postgres and files; tests/pop3 and tests/lmtp replay them on the fakes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_django import Settings

from mailstore.lmtp.session import Session as LmtpSession
from mailstore.models import Mailbox
from mailstore.pop3.session import Session as Pop3Session
from mailstore.ports import Session
from tests import transcripts
from tests.fakes.lmtp import RULES
from tests.fakes.pop3 import FakeJournal, FakePeer
from tests.lmtp.transcript_setup import TINY_OCTETS
from tests.pop3.transcript_setup import MESSAGES, peer_of, rules_of
from tests.site import counting_hasher
from tests.site.mail import assert_counters_are_sums
from tests.site.stored_site import StoredSite
from tests.transcripts import Transcript

PIECES = (None, 7)  # octets written at once; None: all of it
OCTETS_OF_PAT = 20  # too few for any message, enough to be accepted at RCPT


@pytest.fixture
def site(settings: Settings, stored_site: StoredSite) -> StoredSite:
    settings.PASSWORD_HASHERS = [counting_hasher.PATH]
    return stored_site


def replay(site: StoredSite, session: Session, peer: FakePeer, transcript: Transcript, octets: int | None) -> bytes:
    """Send the pieces as a listener does, the next one when the session takes it; return what was answered."""
    peer.session = session
    site.act(session.connected)
    for piece in transcript.pieces(octets):
        site.until(lambda: session.wants_input() or peer.closed)
        if peer.closed:
            break
        site.act(lambda piece=piece: session.receive(piece))
    site.until(lambda: peer.closed)
    assert peer.failures == []
    site.act(lambda: session.ended("quit", 0, 0))
    assert_counters_are_sums()
    return bytes(peer.sent)


@pytest.mark.parametrize("octets", PIECES)
@pytest.mark.parametrize("transcript", transcripts.load("pop3"), ids=lambda transcript: transcript.name)
def test_pop3_answers_as_written(site: StoredSite, transcript: Transcript, octets: int | None) -> None:
    site.add_mailbox("anna@example.org", "secret")
    for message in () if "empty" in transcript.stage else MESSAGES:
        site.place("anna@example.org", message.body, uidl=message.uidl, prefix=message.prefix)
    site.act(site.accounts.refresh)
    site.until(lambda: site.accounts.site_expire_days() is not None)
    peer = peer_of(transcript.stage)
    session = Pop3Session(peer, site.accounts, FakeJournal(), rules_of(transcript.stage))
    transcript.check(replay(site, session, peer, transcript, octets))


@pytest.mark.parametrize("octets", PIECES)
@pytest.mark.parametrize("transcript", transcripts.load("lmtp"), ids=lambda transcript: transcript.name)
def test_lmtp_answers_as_written(site: StoredSite, transcript: Transcript, octets: int | None) -> None:
    for name in ("pat", "green", "brown", "jürgen"):
        site.add_mailbox(f"{name}@foo.edu")
    Mailbox.objects.filter(user__address="pat@foo.edu").update(quota_octets=OCTETS_OF_PAT)
    rules = replace(RULES, max_message_octets=TINY_OCTETS) if "tiny" in transcript.stage else RULES
    peer = FakePeer(client="192.0.2.7", encrypted=False)
    session = LmtpSession(peer, site.delivery, FakeJournal(), site.delivery.answers, rules)
    transcript.check(replay(site, session, peer, transcript, octets))
