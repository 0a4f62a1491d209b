"""A domain admin's working day in both languages: their own domain, within its limits, and nothing else."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone, translation
from playwright.sync_api import Page, expect

from mailstore.directory import domains, grants, policies
from mailstore.directory.audit import Actor
from mailstore.models import Alias, AuditEntry, Domain, Finding, Mailbox, Message, User
from tests.browser.test_pages import sign_in
from tests.browser.walk import LOCALES, Walk
from tests.owner.mail import a_device, a_letter, a_session
from tests.site.page_users import ANN, an_admin, an_owner
from tests.site.rows import ACTOR, PASSWORD

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
GB = 2**30
CAP = "%(domain)s has reached its mailbox limit (%(limit)d)"
FULL = {"domain": "example.org", "limit": 4}


def a_site() -> None:
    """A domain of four mailboxes at most; Ann has one, and asks where her mail went. Another domain beside it."""
    an_owner("eve@other.example")
    ann = an_owner(name="Ann Smith", quota_octets=GB)
    device = a_device(ann, "Laptop", last_sign_in_at=timezone.now())
    a_letter(ann, "Ticket to Lyon", removed_at=timezone.now() - timedelta(hours=1))
    a_session(device, ago=timedelta(hours=1), fetched_messages=2, removed_messages=1, octets_out=4096, listed=2)
    facts = {"fetched": 9, "percent": 97}
    Finding.objects.create(mailbox=ann, device=device, kind="keeps", since=timezone.now(), facts=facts)
    policies.ensure("Short", actor=ACTOR, expire_days=30, offered=True)
    host = Actor("root", "web", an_admin())
    domains.ensure("example.org", actor=host, mailbox_limit=4, mailbox_quota_most=GB, allotment_octets=4 * GB)
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)


@pytest.mark.parametrize("language", LOCALES)
def test_a_domain_admins_day(visit, complaints, language, tmp_path):
    a_site()
    page = visit(locale=LOCALES[language], color_scheme="dark")
    walk = Walk(page, language)

    sign_in(page, "carla")
    his_overview(page, walk)
    a_mailbox_within_the_caps(page, walk)
    an_alias_and_a_forward(walk)
    a_policy_for_the_domain(page, walk)
    where_did_my_mail_go(page, walk)
    one_is_suspended_and_comes_back(page, walk)
    a_file_within_the_caps(page, walk, tmp_path)
    many_at_once(page, walk)
    the_list_as_a_file(page, walk)
    what_the_host_did(page, walk)
    nothing_of_others(page, walk, complaints)

    assert walk.faults == {}


def his_overview(page: Page, walk: Walk) -> None:
    one, many = "%(number)s mailbox fills, and its program never deletes mail", "%(number)s mailboxes fill, and their"
    with translation.override(walk.language):
        verdict = translation.ngettext(one, f"{many} programs never delete mail", 1) % {"number": 1}
    walk.at(verdict, own=True)
    expect(page.get_by_role("table").get_by_role("link", name="example.org")).to_be_visible()
    expect(page.get_by_text(walk.say("Parts of the site"))).to_have_count(0)
    walk.menu("Domains")
    expect(page.get_by_text("other.example")).to_have_count(0)
    walk.open("example.org", own=True)
    walk.at("example.org", own=True)
    expect(page.get_by_role("main").get_by_role("button", name=walk.say("Suspend"), exact=True)).to_have_count(0)


def a_mailbox_within_the_caps(page: Page, walk: Walk) -> None:
    walk.open("New mailbox")
    walk.at("New mailbox")
    walk.fill("Address", "bob")
    walk.fill("Name", "Bob Jones")
    walk.fill("Quota", "2 GB")
    walk.press("Create mailbox")
    expect(page.locator("#id_quota_octets_error")).to_be_visible()
    walk.at("New mailbox")
    walk.fill("Quota", "1 GB")
    walk.press("Create mailbox")
    walk.at("Mailbox created")
    expect(page).to_have_url(re.compile(r"/mailboxes/\d+/$"))  # what was made is not made again
    page.reload()
    walk.at("bob@example.org", own=True)


def an_alias_and_a_forward(walk: Walk) -> None:
    walk.menu("Aliases")
    walk.open("Create first alias")
    walk.fill("Address", "info")
    walk.fill("Delivers to", "ann@example.org\nbob@example.org")
    walk.press("Create alias")
    walk.sees_notice("%(address)s is created.", address="info@example.org")
    walk.open("New alias")
    walk.fill("Address", "bob@example.org")
    walk.fill("Delivers to", "bob@elsewhere.example")
    walk.press("Create alias")
    walk.at("New alias")
    walk.field("If the address is a mailbox").select_option("yes")
    walk.press("Create alias")
    walk.sees_notice("%(address)s is created.", address="bob@example.org")
    forward = Alias.objects.get(mailbox__user__address="bob@example.org")
    assert (forward.targets, forward.keep_copy) == (["bob@elsewhere.example"], True)
    assert Alias.objects.get(mailbox=None).targets == ["ann@example.org", "bob@example.org"]


def a_policy_for_the_domain(page: Page, walk: Walk) -> None:
    walk.menu("Retention")
    walk.open("Choose a policy")
    walk.at("Choose a policy")
    walk.fill("Domain or mailbox", "example.org")
    walk.field("Retention policy").select_option(label="Short")
    expect(page.locator("#effect [name=save]")).to_be_enabled()
    walk.press("Save")
    walk.sees_notice("The retention policy of %(name)s is saved.", name="example.org")
    assert Domain.objects.get(name="example.org").policy.name == "Short"


def where_did_my_mail_go(page: Page, walk: Walk) -> None:
    walk.menu("Mailboxes")
    walk.sees(walk.say("never deletes, and the mailbox fills")[1:])
    walk.open(ANN, own=True)
    walk.at(ANN, own=True)
    walk.sees("Laptop")
    walk.open("Timeline")
    walk.at(ANN, own=True)
    with translation.override(walk.language):
        walk.sees(translation.ngettext("fetched %(number)s", "fetched %(number)s", 2) % {"number": 2})
    walk.open("Recovery")
    walk.at(ANN, own=True)
    walk.sees(walk.say("deleted by a device"))
    expect(page.get_by_text("Ticket to Lyon")).to_have_count(0)
    page.get_by_label(walk.say("Everything in recovery")).check()
    walk.press("Restore")
    expect(page.get_by_role("status").first).to_be_visible()
    assert not Message.objects.filter(removed__isnull=False).exists()


def one_is_suspended_and_comes_back(page: Page, walk: Walk) -> None:
    walk.menu("Mailboxes")
    walk.open("bob@example.org", own=True)
    walk.press("Suspend")
    walk.sees_notice("%(address)s is suspended.", address="bob@example.org")
    assert not User.objects.get(address="bob@example.org").is_active
    walk.press("Resume")
    walk.sees_notice("%(address)s is active again.", address="bob@example.org")
    assert User.objects.get(address="bob@example.org").is_active


def a_file_within_the_caps(page: Page, walk: Walk, folder: Path) -> None:
    """Two of three rows fit, and one names a domain that is not his; afterwards a form is told the same."""
    people = folder / "people.csv"
    names = ("cleo@example.org", "dan@example.org", "emil@example.org", "fay@other.example")
    people.write_text("address;quota\n" + "".join(f"{name};1 GB\n" for name in names))
    walk.menu("Mailboxes")
    walk.open("Import")
    walk.at("Import a file")
    walk.field("CSV file").set_input_files(people)
    walk.press("Upload")
    walk.at("Columns of the file")
    walk.press("Check the rows")
    walk.sees(walk.say(CAP, **FULL))
    walk.sees(walk.say("%(domain)s is not a domain of this site: create it first", domain="other.example"))
    walk.press("Import the correct rows")
    expect(page.get_by_role("button", name=walk.say("Download the passwords"))).to_be_visible()
    made = Mailbox.objects.filter(domain__name="example.org").values_list("user__address", flat=True)
    assert set(made) == {ANN, "bob@example.org", *names[:2]}
    page.goto("/mailboxes/new/")
    walk.fill("Address", "gus")
    walk.fill("Quota", "1 MB")
    walk.press("Create mailbox")
    expect(page.locator("#id_address_error")).to_have_text(walk.say(CAP, **FULL))


def many_at_once(page: Page, walk: Walk) -> None:
    walk.menu("Mailboxes")
    for name in ("cleo", "dan"):
        page.get_by_role("row").filter(has_text=f"{name}@example.org").locator("input[name=ticked]").check()
    walk.press("Quota")
    walk.fill("New quota", "500 MB")
    walk.press("Preview")
    page.locator("button[name=do]").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    small = Mailbox.objects.filter(quota_octets=500 * 2**20).values_list("user__address", flat=True)
    assert set(small) == {"cleo@example.org", "dan@example.org"}


def the_list_as_a_file(page: Page, walk: Walk) -> None:
    walk.menu("Mailboxes")
    page.get_by_role("main").get_by_label(walk.say("More"), exact=True).first.click()
    with page.expect_download() as download:
        walk.open("Export as CSV")
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        addresses = {row[0] for row in list(csv.reader(file))[1:]}
    assert addresses == {f"{name}@example.org" for name in ("ann", "bob", "cleo", "dan")}


def what_the_host_did(page: Page, walk: Walk) -> None:
    walk.menu("Audit")
    walk.at("Audit")
    row = page.get_by_role("row").filter(has_text="root")
    expect(row.first).to_contain_text(walk.say("changed the domain"))
    expect(page.get_by_role("main")).not_to_contain_text("other.example")


def nothing_of_others(page: Page, walk: Walk, complaints: list[str]) -> None:
    """404, and a row of the audit for each try; he himself reads nothing of it."""
    eve = Mailbox.objects.get(user__address="eve@other.example")
    for path in (f"/mailboxes/{eve.pk}/", f"/domains/{eve.domain_id}/edit/"):
        page.goto(path)
        walk.at("Page not found")
        assert "404" in complaints.pop()
    tries = AuditEntry.objects.filter(verb="denied", actor_name="carla").order_by("pk")
    assert [entry.subject for entry in tries] == ["eve@other.example", "other.example"]
    page.goto("/audit/")
    expect(page.get_by_role("main")).not_to_contain_text("other.example")
