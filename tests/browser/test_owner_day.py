"""An owner's day on a phone, in both languages, from the first password to a forgotten one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import Page, expect

from mailstore.directory import mailboxes
from mailstore.models import Alias, Device, Domain, Mailbox, Message, User
from tests.browser.test_pages import NEW, PHONE, open_account, sign_in
from tests.browser.walk import LOCALES, Walk
from tests.owner.mail import a_letter, a_session
from tests.signin.sent_mail import code, link
from tests.site.page_users import an_owner
from tests.site.rows import ACTOR, PASSWORD

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
LAST = "one more that is new"


def a_site(address: str) -> Mailbox:
    """She was handed a password that she must change; a message was deleted, another waits."""
    box = an_owner(address, quota_octets=2**30)
    mailboxes.ensure(address, actor=ACTOR, must_change_password=True)
    Domain.objects.update(owner_forwards=True)
    a_letter(box, "Still here")
    a_letter(box, "Ticket to Lyon", removed_at=timezone.now() - timedelta(hours=1))
    a_session(Device.objects.get(mailbox=box), ago=timedelta(hours=1), removed_messages=1, client="192.0.2.77")
    return box


@pytest.mark.parametrize(("language", "scheme"), [("en", "dark"), ("fr", "light")])
def test_an_owners_day(visit, language, scheme):
    address = f"ann-{language}@example.org"
    box = a_site(address)
    page = visit(locale=LOCALES[language], color_scheme=scheme, **PHONE)
    walk = Walk(page, language)

    sign_in(page, address)
    the_first_password(walk)
    what_is_stored(page, walk)
    a_lost_message_comes_back(page, walk, box)
    the_other_language_and_back(page, walk)
    a_recovery_address(walk, address)
    elsewhere_she_is_signed_out(page, walk, visit(locale=LOCALES[language]), address)
    a_forward(walk, box)
    a_phone_is_connected_and_revoked(page, walk)
    a_forgotten_password(page, walk, address)

    assert len(mail.outbox) == 3  # a code, the question of the forward, a forgotten password
    assert walk.faults == {}


def at_home(walk: Walk) -> None:
    """The heading is a verdict. Nobody has fetched anything here."""
    walk.at(f"{walk.say('Mail arrives.')} {walk.say('No mail program fetches it yet.')}", own=True)


def the_first_password(walk: Walk) -> None:
    walk.at("Choose a new password")
    walk.fill("Current password", PASSWORD)
    walk.fill("New password", NEW)
    walk.fill("Repeat the new password", NEW)
    walk.press("Change password")


def what_is_stored(page: Page, walk: Walk) -> None:
    at_home(walk)
    expect(page.locator("section[aria-labelledby=space]")).to_contain_text("1")
    walk.sees(walk.say("How long mail stays"))
    walk.menu("Diary")
    walk.at("Diary")
    walk.sees("192.0.2.77")


def a_lost_message_comes_back(page: Page, walk: Walk, box: Mailbox) -> None:
    walk.menu("Recovery")
    walk.at("Recovery")
    page.locator("[data-select]").click()
    page.locator("input[name=ticked]").check()
    walk.press("Restore")
    expect(page.get_by_role("status").first).to_be_visible()
    walk.menu("Messages")
    walk.at("Messages")
    walk.open("Ticket to Lyon", own=True)
    walk.at("Ticket to Lyon", own=True)
    assert not Message.objects.filter(mailbox=box, removed__isnull=False).exists()


def the_other_language_and_back(page: Page, walk: Walk) -> None:
    other = Walk(page, next(language for language in LOCALES if language != walk.language))
    walk.menu("Settings")
    walk.at("Settings")
    for chosen in (other, walk):
        open_account(page)
        page.locator(f"#account button[value={chosen.language}]").click()
        chosen.at("Settings")
    assert other.faults == {}


def a_recovery_address(walk: Walk, address: str) -> None:
    """Not one of this site, whose admins could read it; one elsewhere, by the code that is mailed there."""
    walk.open("Recovery address")
    walk.at("Recovery address")
    walk.fill("Recovery address", "bob@example.org")
    walk.fill("Current password", NEW)
    walk.press("Send code")
    walk.sees(walk.say("None yet"))
    assert not mail.outbox
    walk.fill("Recovery address", "ann@home.example")
    walk.fill("Current password", NEW)
    walk.press("Send code")
    walk.fill("Code from the mail", code())
    walk.press("Confirm")
    walk.sees_notice("The recovery address is confirmed.")
    assert User.objects.get(address=address).recovery_address == "ann@home.example"


def elsewhere_she_is_signed_out(page: Page, walk: Walk, other: Page, address: str) -> None:
    sign_in(other, address, NEW)
    at_home(Walk(other, walk.language))
    walk.menu("Settings")
    walk.sees(walk.say("this browser"))
    walk.press("Sign out everywhere else")
    expect(page.get_by_role("status").first).to_be_visible()
    other.reload()
    expect(other.get_by_role("heading", level=1)).to_have_text(walk.say("Sign in"))


def a_forward(walk: Walk, box: Mailbox) -> None:
    walk.open("Forwarding")
    walk.at("Forwarding")
    walk.fill("Forward to", "ann@elsewhere.example")
    walk.press("Save")
    walk.sees_notice(
        "A mail with a link was sent to %(targets)s. Mail is forwarded there once somebody has followed it.",
        targets="ann@elsewhere.example",
    )
    assert Alias.objects.get(mailbox=box).keep_copy
    walk.menu("Settings")
    walk.open("Change history")
    walk.at("Change history")


def a_phone_is_connected_and_revoked(page: Page, walk: Walk) -> None:
    walk.menu("Devices")
    walk.at("Devices")
    walk.open("Connect a device")
    walk.at("Connect a device")
    walk.fill("Name", "Phone")
    walk.press("Create password")
    page.get_by_text(walk.say("Show a code for a phone")).click()
    expect(page.locator(".qr:visible")).to_be_visible()
    walk.menu("Devices")
    walk.open("Phone", own=True)
    walk.at("Phone", own=True)
    walk.open("Revoke …")
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_role("status").first).to_contain_text("Phone")
    assert Device.objects.get(name="Phone").revoked_at is not None


def a_forgotten_password(page: Page, walk: Walk, address: str) -> None:
    open_account(page)
    walk.press("Sign out")
    walk.open("Forgotten password")
    walk.at("Forgotten password")
    walk.fill("Address", address)
    walk.press("Send me a link")
    walk.at("Check your mail")
    page.goto(link())
    walk.at("Choose a new password")
    walk.fill("New password", LAST)
    walk.fill("Repeat the new password", LAST)
    walk.press("Change password")
    expect(page.get_by_role("status").first).to_be_visible()
    sign_in(page, address, LAST)
    at_home(walk)
