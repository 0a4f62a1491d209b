"""Behind our own set-up a real Postfix refuses most mail at RCPT. The trace explains each refusal, log or no log."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.directory import aliases, domains, mailboxes
from mailstore.models import Alias, Domain, Mailbox, TraceEntry
from mailstore.mta_log import log_source
from mailstore.mta_log.log_reader import LogReader
from tests.flows.mta_role import granted
from tests.flows.postfix import PORT
from tests.flows.wired import Wired, wired_postfix
from tests.listeners import LONGEST_WAIT_SECONDS, MailSite
from tests.panel.test_trace import text
from tests.site.page_users import an_admin, signed_in
from tests.site.rows import ACTOR
from tests.up.programs import until

pytestmark = pytest.mark.real
STRANGER = "127.0.0.9"  # in no network of the MTA's own
SENDER = "claire@notaires.example"
# By recipient, of mail from a stranger: the source of the row, its answer and its reason.
REFUSED = {
    "acceuil@example.org": ("policy", "refused", "unknown"),
    "full@example.org": ("policy", "deferred", "full"),
    "full@strict.example": ("policy", "refused", "full"),
    "closed@example.org": ("policy", "refused", "closed"),
    "old@example.org": ("policy", "refused", "alias-expired"),
}
# What Postfix refuses without asking: it knows no such domain any more.
REFUSED_BY_MTA = {
    "in@off.example": ("mta", "refused", "domain-off"),
    "in@removed.example": ("mta", "refused", "no-domain"),
}


@pytest.fixture
def wired(mail_site: MailSite, tls_settings: dict[str, str]) -> Iterator[Wired]:
    mail_site.mailbox("ann@example.org")  # so that setup takes the domain out of mydestination
    with wired_postfix(mail_site, tls_settings) as made:
        made.command("setup", *made.ports, "--password-stdin", stdin=granted())
        yield made


def plant(site: MailSite) -> None:
    for name in ("accueil", "full", "closed"):
        site.mailbox(f"{name}@example.org")
    for address in ("full@strict.example", "in@off.example"):
        site.mailbox(address)
    domains.ensure("strict.example", actor=ACTOR, over_quota="reject")
    Mailbox.objects.filter(user__address__startswith="full@").update(quota_octets=100)
    mailboxes.ensure("closed@example.org", actor=ACTOR, receives=False)
    Domain.objects.filter(name="off.example").update(active=False)
    domains.ensure("removed.example", actor=ACTOR)
    Domain.objects.filter(name="removed.example").update(removed_at=timezone.now())
    aliases.ensure("outside@example.org", ["someone@elsewhere.example"], actor=ACTOR)
    aliases.ensure("old@example.org", ["accueil@example.org"], actor=ACTOR)
    Alias.objects.filter(address="old@example.org").update(expires_at=timezone.now() - timedelta(days=1))


def send(wired: Wired, recipient: str, *, octets: int = 5000, client: str = STRANGER) -> int:
    """Send as a server elsewhere does until the recipient is accepted or not; return the code."""
    with smtplib.SMTP(wired.mta.address, PORT, timeout=LONGEST_WAIT_SECONDS, source_address=(client, 0)) as smtp:
        smtp.ehlo("mx.notaires.example")
        code = smtp.mail(SENDER, [f"SIZE={octets}"])[0]
        return code if code != 250 else smtp.rcpt(recipient)[0]


def traced() -> dict[str, tuple[str, str, str]]:
    rows = TraceEntry.objects.filter(copy=False, sender=SENDER)
    return {row.recipient: (row.source, row.answer, row.reason) for row in rows}


def read_log(wired: Wired) -> None:
    LogReader(log_source.source(str(wired.mta.folder / "log"))).read()


def test_each_refusal_of_a_stranger_is_explained(wired: Wired, mail_site: MailSite) -> None:
    plant(mail_site)
    codes = {recipient: send(wired, recipient) for recipient in (*REFUSED, *REFUSED_BY_MTA, "outside@example.org")}
    assert codes.pop("outside@example.org") == 250
    assert set(codes.values()) == {550, 452, 552, 554}
    for octets in (6000, 7000, 7000):
        assert send(wired, "full@example.org", octets=octets) == 452
    until(lambda: len(TraceEntry.objects.all()) == len(REFUSED) + 2, "the trace has all refusals")
    assert traced() == REFUSED
    assert Alias.objects.get(address="outside@example.org").unexpanded_at is None
    full = TraceEntry.objects.filter(recipient="full@example.org").order_by("announced_octets")
    assert [(row.announced_octets, row.tries, row.origin) for row in full] == [
        (5000, 1, STRANGER), (6000, 1, STRANGER), (7000, 2, STRANGER),
    ]  # fmt: skip

    an_admin()
    assert "Did you mean accueil?" in text(signed_in("root"), "?recipient=acceuil")
    owner = text(signed_in("full@example.org"), path="/mailbox/trace/")
    assert "3 messages were deferred" in owner

    until(lambda: wired.mta.log().count("reject: RCPT") == len(codes) + 3, "the log has all refusals")
    read_log(wired)
    assert traced() == REFUSED | REFUSED_BY_MTA
    assert TraceEntry.objects.count() == len(REFUSED) + 2 + len(REFUSED_BY_MTA)


def test_what_postfix_refuses_by_itself_has_the_true_reason(wired: Wired, mail_site: MailSite) -> None:
    """A client of its own network is not asked about, and a message is refused for its size before any recipient."""
    plant(mail_site)
    assert send(wired, "acceuil@example.org", client="127.0.0.1") == 550
    assert send(wired, "old@example.org", client="127.0.0.1") == 550
    assert send(wired, "accueil@example.org", octets=100 * 2**20) == 552
    until(lambda: wired.mta.log().count("reject: ") == 3, "the log has all refusals")
    read_log(wired)
    assert traced() == {
        "acceuil@example.org": ("mta", "refused", "unknown"),
        "old@example.org": ("mta", "refused", "alias-expired"),
        "": ("mta", "refused", "too-large"),
    }
