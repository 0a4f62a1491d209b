"""The working days of three people, in both languages, by what is written on the pages; the stops are looked at too."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import Page, expect

from mailstore.models import Alias, AuditEntry, Device, Domain, Finding, Mailbox, Message, User
from mailstore.store import grants, mailboxes, policies
from tests.browser.test_pages import NEW, PHONE, sign_in
from tests.browser.walking import LOCALES, Walk
from tests.owner.mail import a_device, a_letter, a_session
from tests.signin.mailing import code, link
from tests.store.site import ACTOR, PASSWORD, a_domain
from tests.web.people import an_admin, an_owner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
TEN = ("anna", "ben", "carl", "dora", "emil", "fay", "gus", "hana", "ines", "jan")


@pytest.mark.parametrize("language", LOCALES)
def test_a_new_hosting_admin_comes_from_an_empty_panel_to_a_domain_of_ten(visit, language, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text("address;name;quota\n" + "".join(f"{name}@firma.example;{name.title()};1 GB\n" for name in TEN))
    an_admin()
    page = visit(locale=LOCALES[language])
    walk = Walk(page, language)

    sign_in(page, "root")
    walk.at("Overview")
    walk.menu("Mailboxes")
    walk.open("Make the first domain")
    walk.fill("Name", "firma.example")
    walk.press("Make the domain")
    walk.told("%(domain)s is made.", domain="firma.example")
    walk.at("firma.example", own=True)

    walk.menu("Mailboxes")
    walk.open("Import")
    walk.at("Import mailboxes")
    walk.field("CSV file").set_input_files(people)
    walk.press("Bring in")
    walk.at("What the columns hold")
    walk.press("Check the rows")
    walk.press("Carry out")
    assert set(handed_out(page, walk)) == {f"{name}@firma.example" for name in TEN}
    page.reload()
    walk.open("To the mailboxes")
    expect(page.get_by_role("row")).to_have_count(1 + len(TEN))

    walk.open("ben@firma.example", own=True)
    walk.press("Suspend")
    walk.told("%(address)s is suspended.", address="ben@firma.example")
    walk.at("ben@firma.example", own=True)
    walk.menu("Mailboxes")
    walk.open("carl@firma.example", own=True)
    walk.press("Remove")
    walk.at("Removed mailboxes")
    walk.press("Restore")
    walk.told("%(address)s is back as it was.", address="carl@firma.example")
    walk.menu("Overview")
    expect(page.locator('a[href$="state=suspended"]')).to_have_text("1")

    assert Mailbox.objects.filter(removed_at=None, domain__name="firma.example").count() == len(TEN)
    assert [user.address for user in User.objects.filter(is_active=False)] == ["ben@firma.example"]
    assert walk.faults == {}


def handed_out(page: Page, walk: Walk) -> dict[str, str]:
    """The passwords of the file that is handed out once, by address."""
    with page.expect_download() as download:
        walk.press("Download the passwords")
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        return {address: password for address, password, *_rest in list(csv.reader(file))[1:]}


@pytest.mark.parametrize("language", LOCALES)
def test_a_domain_admins_day(visit, language):
    a_domain("other.example")
    ann = an_owner(name="Ann Smith")
    device = a_device(ann, "Laptop", last_sign_in_at=timezone.now())
    a_letter(ann, "Ticket to Lyon", removed_at=timezone.now() - timedelta(hours=1))
    a_session(device, ago=timedelta(hours=1), fetched_messages=2, removed_messages=1, octets_out=4096, listed=2)
    Finding.objects.create(
        mailbox=ann, device=device, kind="keeps", since=timezone.now(), facts={"fetched": 9, "percent": 97}
    )
    policies.ensure("Short", actor=ACTOR, expire_days=30, offered=True)
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    page = visit(locale=LOCALES[language], color_scheme="dark")
    walk = Walk(page, language)

    sign_in(page, "carla")
    walk.at("Overview")
    walk.menu("Domains")
    expect(page.get_by_text("other.example")).to_have_count(0)
    walk.open("example.org", own=True)
    walk.at("example.org", own=True)
    walk.open("New mailbox")
    walk.at("New mailbox")
    walk.fill("Address", "bob")
    walk.fill("Name", "Bob Jones")
    walk.press("Make the mailbox")
    walk.at("The mailbox is made")

    walk.menu("Aliases")
    walk.open("Make the first alias")
    walk.fill("Address", "info@example.org")
    walk.fill("Leads to", "ann@example.org\nbob@example.org")
    walk.press("Make the alias")
    walk.told("%(address)s is made.", address="info@example.org")

    walk.menu("Retention")
    walk.open("Choose for a domain or mailbox")
    walk.at("Choose a policy")
    walk.fill("Domain or mailbox", "example.org")
    walk.field("Retention policy").select_option(label="Short")
    walk.press("See what it would do")
    expect(page.locator("#effect")).to_be_visible()
    walk.press("Save")
    walk.told("The retention policy of %(name)s is saved.", name="example.org")

    walk.menu("Mailboxes")  # "where did my mail go?"
    walk.sees(walk.say("never deletes, and the mailbox fills")[1:])
    walk.open("ann@example.org", own=True)
    walk.at("ann@example.org", own=True)
    walk.sees("Laptop")
    walk.sees(walk.say("deleted by a device"))
    expect(page.get_by_text("Ticket to Lyon")).to_have_count(0)
    walk.open("Recovery")
    walk.at("Recovery")
    page.get_by_label(walk.say("Everything that rests")).check()
    walk.press("Restore")
    page.go_back()
    walk.menu("Audit")
    walk.at("Audit")

    assert Mailbox.objects.filter(user__address="bob@example.org").exists()
    assert Alias.objects.get().targets == ["ann@example.org", "bob@example.org"]
    assert Domain.objects.get(name="example.org").policy is not None
    assert not Message.objects.filter(removed__isnull=False).exists()
    assert not AuditEntry.objects.filter(verb="denied").exists()
    assert walk.faults == {}


@pytest.mark.parametrize(("language", "scheme"), [("en", "dark"), ("fr", "light")])
def test_an_owners_day(visit, language, scheme):
    address = f"ann-{language}@example.org"
    box = an_owner(address)
    mailboxes.ensure(address, actor=ACTOR, must_change_password=True)
    Domain.objects.update(owner_forwards=True)
    a_letter(box, "Ticket to Lyon", removed_at=timezone.now() - timedelta(hours=1))
    a_session(Device.objects.get(mailbox=box), ago=timedelta(hours=1), removed_messages=1)
    page = visit(locale=LOCALES[language], color_scheme=scheme, **PHONE)
    walk = Walk(page, language)

    sign_in(page, address)
    walk.at("Choose a new password")
    walk.fill("Present password", PASSWORD)
    walk.fill("New password", NEW)
    walk.fill("New password, once more", NEW)
    walk.press("Change the password")
    walk.at("My mailbox")

    walk.menu("Diary")
    walk.at("Diary")
    walk.menu("Recovery")
    walk.at("Recovery")
    page.locator("input[name=ticked]").check()
    walk.press("Restore …")
    walk.press("Restore")
    walk.menu("Messages")
    walk.at("Messages")
    walk.open("Ticket to Lyon", own=True)
    walk.at("Ticket to Lyon", own=True)

    walk.menu("Settings")
    walk.at("Settings")
    walk.open("Recovery address")
    walk.at("Recovery address")
    walk.fill("Recovery address", "ann@home.example")
    walk.fill("Present password", NEW)
    walk.press("Mail the code")
    walk.fill("Code from the mail", code())
    walk.press("Confirm")
    walk.told("The recovery address is confirmed.")
    walk.open("Forwarding")
    walk.at("Forwarding")
    walk.fill("Forward to", "ann@elsewhere.example")
    walk.press("Save")
    walk.told("Your mail is forwarded.")
    walk.menu("Settings")
    walk.open("What was changed")
    walk.at("What was changed")

    walk.menu("Devices")
    walk.at("Devices")
    walk.open("Connect a device")
    walk.at("Connect a device")
    walk.fill("Name", "Phone")
    walk.press("Make the password")
    expect(page.locator(".qr")).to_be_visible()
    walk.menu("Devices")
    walk.open("Phone", own=True)
    walk.at("Phone", own=True)
    walk.open("Revoke …")
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_role("status").first).to_contain_text("Phone")
    assert Device.objects.get(name="Phone").revoked_at is not None

    walk.press("Sign out")
    walk.open("Forgotten password")
    walk.at("Forgotten password")
    walk.fill("Address", address)
    walk.press("Mail me a link")
    walk.at("Look into your mail")
    page.goto(link())
    walk.at("Choose a new password")
    walk.fill("New password", "one more that is new")
    walk.fill("New password, once more", "one more that is new")
    walk.press("Change the password")
    expect(page.get_by_role("status").first).to_be_visible()
    sign_in(page, address, "one more that is new")
    walk.at("My mailbox")
    assert len(mail.outbox) == 2
    assert walk.faults == {}
