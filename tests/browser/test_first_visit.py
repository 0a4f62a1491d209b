"""An admin who has never seen the panel answers what customers ask, from the pages alone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from mailstore import bodies
from mailstore.directory import aliases, grants, mailboxes, policies
from mailstore.directory.audit import Actor
from mailstore.models import Domain, Heartbeat, Mailbox, RetentionPolicy, SweepPass, User
from tests.browser.test_pages import sign_in
from tests.messages.test_mailbox_usage import has, signed_in
from tests.site.page_users import an_admin, an_owner
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
CLINIC = "clinic.example"
FRONT, BOOKS = f"accueil@{CLINIC}", "compta@garage.example"
MB = 2**20


def a_busy_site() -> None:
    """Two mailboxes refuse mail, one because Carla lowered its quota; info@ reaches two people through a group."""
    an_admin()
    a_domain(CLINIC)
    a_domain("garage.example")
    grants.ensure("carla", [CLINIC], actor=ACTOR, password=PASSWORD)
    front = an_owner(FRONT, quota_octets=500 * MB, name="Accueil")
    books = an_owner(BOOKS, quota_octets=2 * MB)
    for each in (f"doctor@{CLINIC}", f"nurse@{CLINIC}"):
        an_owner(each, quota_octets=100 * MB)
    a_message(front, octets=40 * MB)
    a_message(books, octets=2 * MB)
    carla = User.objects.get(address="carla")
    mailboxes.ensure(FRONT, actor=Actor(carla.address, "web", user=carla), quota_octets=30 * MB)
    aliases.ensure(f"staff@{CLINIC}", [f"doctor@{CLINIC}", f"nurse@{CLINIC}"], actor=ACTOR)
    aliases.ensure(f"info@{CLINIC}", [f"staff@{CLINIC}"], actor=ACTOR)
    doctor = Mailbox.objects.get(user__address=f"doctor@{CLINIC}")
    has(signed_in(doctor), a_message(doctor, arrived_at=timezone.now() - timedelta(days=50)))
    policy = policies.ensure("A year", actor=ACTOR, expire_days=365).row
    Domain.objects.filter(name=CLINIC).update(policy=policy)


@pytest.fixture
def page(visit, settings, tmp_path) -> Page:
    """The overview of a site whose parts are at work and whose disk takes mail."""
    now = timezone.now()
    for part in ("pop3", "lmtp", "sweep"):
        Heartbeat.objects.create(part=part, seen_at=now)
    SweepPass.objects.create(started_at=now, ended_at=now)
    settings.MAIL_STORE_URL = f"file:{tmp_path}/mail"
    bodies.from_url(settings.MAIL_STORE_URL).prepare()
    a_busy_site()
    page: Page = visit(viewport={"width": 1440, "height": 900})
    sign_in(page, "root")
    page.wait_for_url("**/overview/")
    return page


def find(page: Page, text: str) -> None:
    """Open the first hit of the search that Ctrl K opens."""
    page.keyboard.press("Control+k")
    page.keyboard.type(text)
    hit = page.get_by_role("dialog").locator("[data-hit]").first
    expect(hit).to_contain_text(text)
    hit.click()


def test_which_mailboxes_refuse_mail_and_why_stands_on_the_first_page(page):
    expect(page.get_by_role("heading", level=1)).to_have_text("2 mailboxes are refusing mail")
    main = page.get_by_role("main")
    for address, figures in ((FRONT, "40 MB of 30 MB"), (BOOKS, "2 MB of 2 MB")):
        row = main.get_by_role("listitem").filter(has_text=address)
        expect(row).to_contain_text("full")
        expect(row).to_contain_text(re.compile(figures.replace(" ", r"\s")))
    main.get_by_role("listitem").filter(has_text=FRONT).get_by_role("link").last.click()
    expect(page.get_by_role("main")).to_contain_text("Refusing new mail: full")


def test_what_reaches_an_address_is_on_the_page_of_its_mailbox(page):
    find(page, f"doctor@{CLINIC}")
    for address in (f"doctor@{CLINIC}", f"staff@{CLINIC}", f"info@{CLINIC}"):
        expect(page.get_by_role("main")).to_contain_text(address)
    find(page, f"info@{CLINIC}")
    for address in (f"doctor@{CLINIC}", f"nurse@{CLINIC}"):
        expect(page.get_by_role("main").get_by_role("link", name=address)).to_be_visible()


def test_who_changed_a_quota_is_on_the_timeline_and_can_be_undone(page):
    find(page, FRONT)
    page.get_by_role("link", name=re.compile("^Timeline")).click()
    entry = page.get_by_role("listitem").filter(has_text="carla").filter(has_text="quota")
    expect(entry).to_contain_text(re.compile(r"500\sMB → 30\sMB"))
    entry.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status").first).to_be_visible()
    assert Mailbox.objects.get(user__address=FRONT).quota_octets == 500 * MB


def test_what_a_policy_would_remove_is_told_before_it_is_saved_and_is_taken_back_after(page):
    find(page, "A year")
    page.locator("[name=expire_days]").fill("30")
    preview = page.locator(".preview")
    expect(preview).to_contain_text(re.compile(r"1 message"))
    preview.get_by_role("button", name=re.compile("^Save")).click()
    expect(page.get_by_role("status").first).to_be_visible()
    assert RetentionPolicy.objects.get(name="A year").expire_days == 30
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status").first).to_be_visible()
    assert RetentionPolicy.objects.get(name="A year").expire_days == 365
