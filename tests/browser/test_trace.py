"""Twelve ways in which mail does not reach its reader, each explained by the panel alone: search, click, read."""

from __future__ import annotations

import smtplib
import socket
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone
from playwright.sync_api import Page, expect

from mailstore.directory import aliases, domains, mailboxes, policies
from mailstore.messages import message_file
from mailstore.models import Alias, DiarySession, Domain, Mailbox, Message, RetentionPolicy, TraceEntry
from mailstore.retention import sweep
from tests.browser.test_pages import NO_SCRIPT, PHONE, read, sign_in
from tests.listeners import LONGEST_WAIT_SECONDS, MailSite, daemon
from tests.site.page_users import ANN, an_admin
from tests.site.rows import ACTOR
from tests.site.traces import an_answer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
SENDER = "claire@notaires.example"
HEADER = (
    b"Received: from mx2.notaires.example (mx2.notaires.example [203.0.113.7])\r\n"
    b"\tby mx.example.org (Postfix) with ESMTPS id 4XyzA1B2c3; Mon, 30 Nov 2026 09:12:00 +0100\r\n"
    b"Message-ID: <7f3a9c@notaires.example>\r\nSubject: secret matters\r\n\r\n"
)
BODY = b"x" * 70 + b"\r\n"

# By recipient: what the line says, and what the drawer says beside.
LOSSES = {
    "acceuil@example.org": ("Refused: no such mailbox. Did you mean accueil?", ["no alias has this address"]),
    "defer@example.org": ("Deferred: mailbox full, try 2", ["told to try again", "452 4.2.2", "Raise quota…"]),
    "reject@strict.example": ("Refused: mailbox full", ["told so at once", "552 5.2.2", "Raise quota…"]),
    "suspended@example.org": ("Delivered", ["nobody can sign in to fetch it"]),
    "closed@example.org": ("Refused: the mailbox receives nothing", ["550 5.2.1", "Change the mailbox…"]),
    "in@off.example": ("Refused: the domain is suspended", ["none of its mailboxes receives mail", "Open the domain"]),
    "large@example.org": ("larger than 50 MB", ["552 5.3.4"]),
    "outside@example.org": ("Deferred: an alias leads outside", ["leads to another server", "Open the alias"]),
    "old@example.org": ("Refused: the alias has expired", ["Give it another day", "Open the alias"]),
    "deleted@example.org": ("Delivered", ["Fetched and deleted by the main password", "restored, until"]),
    "expired@example.org": ("Delivered", ["Fetched by the main", "expired by retention policy", "restored, until"]),
    "relieved@example.org": ("Delivered", ["quota relief", "restored, until"]),
}  # fmt: skip


def send(site: MailSite, *recipients: str, sender: str = SENDER, size: int = 1000, octets: int = 500) -> None:
    """Deliver as Postfix does, with the announced size."""
    with smtplib.LMTP(*site.lmtpd.address, timeout=LONGEST_WAIT_SECONDS) as lmtp:
        lmtp.ehlo("mx.example.org")
        lmtp.mail(sender, [f"SIZE={size}"])
        if any([lmtp.rcpt(recipient)[0] == 250 for recipient in recipients]):  # noqa: C419  # each is asked
            lmtp.data(HEADER + BODY * (octets // len(BODY)))


def planted(site: MailSite) -> None:
    """Let all of it happen, by the real listeners and the real sweep."""
    for name in ("accueil", "defer", "suspended", "closed", "large", "deleted", "expired", "relieved"):
        site.mailbox(f"{name}@example.org")
    site.mailbox("reject@strict.example")
    site.mailbox("in@off.example")
    domains.ensure("strict.example", actor=ACTOR, over_quota="reject")
    mailboxes.ensure("suspended@example.org", actor=ACTOR, suspended=True)
    mailboxes.ensure("closed@example.org", actor=ACTOR, receives=False)
    Mailbox.objects.filter(user__address__in=["defer@example.org", "reject@strict.example"]).update(quota_octets=100)
    Domain.objects.filter(name="off.example").update(active=False)
    aliases.ensure("outside@example.org", ["someone@elsewhere.example"], actor=ACTOR)
    aliases.ensure("old@example.org", ["accueil@example.org"], actor=ACTOR)
    Alias.objects.filter(address="old@example.org").update(expires_at=timezone.now() - timedelta(days=1))
    send(site, "defer@example.org")
    large = "large@example.org"
    for recipient in LOSSES:
        send(site, recipient, size=61 * 2**20 if recipient == large else 1000)
    with site.session("deleted@example.org") as pop:
        pop.message(1)
        assert pop.ask("DELE 1").startswith(b"+OK")
        pop.quit()
    for name in ("expired", "relieved"):
        with site.session(f"{name}@example.org") as pop:
            pop.message(1)
            pop.quit()
    wait_for(lambda: DiarySession.objects.filter(fetched_messages=1).count() == 3)
    time_passes()
    send(site, "relieved@example.org", sender="later@notaires.example")
    wait_for(lambda: TraceEntry.objects.count() == len(LOSSES) + 2)


def time_passes() -> None:
    """One message is old now, and one mailbox is full, with a policy that makes room."""
    old = policies.ensure("Thirty days", actor=ACTOR, expire_days=30).row
    room = policies.ensure("Room", actor=ACTOR, relief="every").row
    mailboxes.ensure("expired@example.org", actor=ACTOR, policy=old)
    mailboxes.ensure("relieved@example.org", actor=ACTOR, policy=room)
    RetentionPolicy.objects.update(expire_since=None)
    Mailbox.objects.update(policy_since=None)
    long_ago = timezone.now() - timedelta(days=40)
    Message.objects.filter(mailbox__user__address="expired@example.org").update(arrived_at=long_ago)
    Mailbox.objects.filter(user__address="relieved@example.org").update(quota_octets=F("octets") + 100)
    assert sweep.run(message_file.site_store()).expired == 1


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def asked(page: Page, recipient: str) -> None:
    page.goto("/trace/")
    page.locator("#ask-recipient").fill(recipient)
    page.get_by_role("button", name="Search").click()


def test_each_loss_is_explained_by_the_panel_alone(visit, mail_site: MailSite) -> None:
    planted(mail_site)
    an_admin()
    page = visit()
    sign_in(page, "root")
    for recipient, (line, life) in LOSSES.items():
        asked(page, recipient)
        row = page.locator("tbody tr").last if recipient.startswith("relieved") else page.locator("tbody tr").first
        expect(row.locator(".answer")).to_contain_text(line)
        row.locator(".answer-link").click()
        drawer = page.locator(".drawer")
        for words in life:
            expect(drawer).to_contain_text(words)
        expect(drawer).not_to_contain_text("secret matters")
    page.goto("/trace/?q=acceuil")
    page.locator(".answer-link").click()
    page.get_by_role("button", name="Create alias").click()
    expect(page.get_by_role("status").first).to_contain_text(
        "acceuil@example.org is now an alias of accueil@example.org"
    )


def refused_at_rcpt(recipient: str, *sizes: int) -> None:
    """Let the policy service refuse messages of these sizes, as Postfix asks it."""
    with daemon("policyd") as policyd, socket.create_connection(policyd.address, LONGEST_WAIT_SECONDS) as mta:
        for size in sizes:
            told = {"sender": SENDER, "client_address": "203.0.113.7", "recipient": recipient, "size": size}
            lines = "".join(f"{name}={value}\n" for name, value in told.items())
            mta.sendall(f"request=smtpd_access_policy\nprotocol_state=RCPT\n{lines}\n".encode())
            assert mta.recv(1000).startswith(b"action=4")


def test_mail_that_was_refused_before_it_came_is_shown_to_admin_and_owner(visit, mail_site: MailSite) -> None:
    """A mail server asks at RCPT, so no message of these ever came to LMTP."""
    mailbox = mail_site.mailbox(ANN)
    Mailbox.objects.update(quota_octets=100, octets=100)
    refused_at_rcpt(ANN, 5000, 6000, 7000)
    an_admin()
    page = visit()
    sign_in(page, "root")
    page.goto(f"/mailboxes/{mailbox.pk}/")
    page.get_by_role("link", name="Show the 3").click()
    expect(page.locator("tbody tr .answer")).to_have_text(["Deferred: mailbox full"] * 3)
    page.locator(".answer-link").first.click()
    for words in ("452 4.2.2", "203.0.113.7", "Raise quota…"):
        expect(page.locator(".drawer")).to_contain_text(words)
    page.context.clear_cookies()
    sign_in(page, ANN)
    page.goto("/mailbox/trace/")
    expect(page.locator("main")).to_contain_text("3 messages were deferred since")


@pytest.mark.parametrize("options", [{}, PHONE, NO_SCRIPT], ids=["desk", "phone", "no script"])
def test_an_owner_reads_what_became_of_a_message(visit, options, mail_site: MailSite) -> None:
    box = mail_site.mailbox(ANN)
    an_answer("deferred", "full", mailbox=box, reply="452 4.2.2 the mailbox is full, try again later")
    page = visit(**options)
    sign_in(page, ANN)
    page.get_by_role("link", name="1 message was deferred").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What arrived")
    page.locator(".answer-link").click()
    expect(page.locator(".drawer")).to_contain_text("452 4.2.2")
    assert read(page) == []
    page.get_by_role("link", name="Close").click()
    expect(page.locator(".answer-link")).to_be_visible()
