"""Recovery, messages and diary in a real browser: a lost message is restored."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from mailstore.models import Device, Finding, Message
from tests.browser.test_pages import NO_SCRIPT, sign_in
from tests.owner.mail import a_device, a_letter, a_session
from tests.site.page_users import an_owner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]


@pytest.fixture
def lost() -> Message:
    """A message that a phone has deleted, beside others that are there, with a diary and a finding."""
    box = an_owner()
    Device.objects.update(last_sign_in_at=timezone.now())
    phone = a_device(box, "Phone")
    live = a_letter(box, "Still there")
    row = a_letter(box, "Ticket to Lyon", removed_at=timezone.now() - timedelta(hours=1))
    a_letter(box, "Another", removed_at=timezone.now() - timedelta(hours=2))
    Message.objects.filter(pk=row.pk).update(removed_by=phone)
    this = f"{{[{live.added},{live.added + 1})}}"
    a_session(phone, ago=timedelta(hours=2), fetched=this, fetched_messages=1, octets_out=2000, listed=2)
    a_session(None, mailbox=box, ago=timedelta(hours=1), ended="wrong", tls="", sessions=3)
    Finding.objects.create(
        mailbox=box, device=phone, kind="hasty", since=timezone.now() - timedelta(days=3), facts={"sessions": 360}
    )
    return row


@pytest.mark.parametrize("options", [{}, NO_SCRIPT], ids=["script", "no script"])
def test_an_owner_gets_a_lost_message_back(visit, lost, options):
    page = visit(**options)
    sign_in(page)
    page.get_by_role("navigation").get_by_role("link", name="Recovery").click()
    page.get_by_label("Search subject or sender").fill("lyon")
    page.get_by_label("Search subject or sender").press("Enter")
    expect(page.get_by_text("Another")).to_have_count(0)
    page.get_by_label("Select “Ticket to Lyon”").check()
    page.get_by_role("button", name="Restore", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("1 message")
    page.get_by_role("navigation").get_by_role("link", name="Messages").click()
    page.get_by_role("link", name="Ticket to Lyon").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download (.eml)").click()
    assert download.value.suggested_filename == "ticket-to-lyon.eml"
