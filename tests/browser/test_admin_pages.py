"""The admin pages in a real browser: a hosting admin on an empty site, and a domain admin."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from mailstore.directory import aliases, grants, mailbox_batch, mailbox_removal
from mailstore.directory.mailbox_judge import Wanted
from mailstore.models import Mailbox, RetentionPolicy, User
from popadmin.panel.bulk_field_changes import FieldChange
from tests.browser.axe import findings
from tests.browser.test_pages import NO_SCRIPT, sign_in
from tests.site.page_users import ANN, an_admin, an_owner
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
WORDS = {
    "en": {
        "locale": "en-GB",
        "mailboxes": "Mailboxes",
        "address": "Address",
        "name": "Name",
        "quota": "Quota",
        "make": "Create mailbox",
        "made": "Mailbox created",
        "suspend": "Suspend",
        "suspended": "is suspended.",
        "back": "is restored.",
        "search": "Search mailboxes",
        "one": "1 to 1 of 1",
        "undo": "Undo",
        "undone": "previous setting restored",
    },
    "fr": {
        "locale": "fr-FR",
        "mailboxes": "Boîtes",
        "address": "Adresse",
        "name": "Nom",
        "quota": "Quota",
        "make": "Créer la boîte",
        "made": "Boîte créée",
        "suspend": "Suspendre",
        "suspended": "est suspendue.",
        "back": "est rétablie",
        "search": "Rechercher une boîte",
        "one": "1 à 1 sur 1",
        "undo": "Annuler",
        "undone": "réglage précédent rétabli",
    },
}


def site() -> dict[str, Mailbox]:
    """Some of everything that the pages show."""
    an_admin()
    policy = RetentionPolicy.objects.create(name="Thirty days", expire_days=30)
    ann = an_owner(quota_octets=1000, name="Ann Smith", policy=policy, notes="pays late")
    a_message(ann, octets=950)
    off = an_owner("off@example.org", suspended=True, held=True)
    gone = an_owner("gone@example.org")
    mailbox_removal.remove("gone@example.org", actor=ACTOR, with_mail=True)
    aliases.ensure("info@example.org", [ANN], actor=ACTOR)
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    return {"ann": ann, "off": off, "gone": gone}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_a_bulk_action_answers(visit, scheme):
    site()
    page = visit(color_scheme=scheme)
    sign_in(page, "root")
    found = {}
    page.goto("/mailboxes/")
    page.get_by_label(f"Select {ANN}").check()
    page.get_by_role("button", name="Quota…", exact=True).click()
    page.get_by_label("New quota").fill("lots")
    page.get_by_role("button", name="Preview").click()
    found["with an error"] = findings(page)
    page.get_by_label("New quota").fill("1 GB")
    page.get_by_role("button", name="Preview").click()
    found["a preview"] = findings(page)
    page.get_by_role("button", name="Change the quota of 1 mailbox").click()
    found["results"] = findings(page)
    assert {path: faults for path, faults in found.items() if faults} == {}


def test_more_than_a_step_takes_goes_on_by_itself_with_a_bar_and_is_undone(visit):
    an_admin()
    a_domain()
    rows = FieldChange.step_rows + 30
    mailbox_batch.ensure([Wanted(f"box{n}@example.org", {}) for n in range(rows)], actor=ACTOR, generates=False)
    page = visit()
    sign_in(page, "root")
    page.goto("/mailboxes/")
    page.locator("input[name=ticked]").first.check()
    page.get_by_role("button", name=f"Select all {rows}").click()
    page.get_by_role("button", name="Suspend", exact=True).click()
    page.get_by_role("button", name=re.compile(rf"^Suspend {rows} mailbox")).click()
    undo = page.get_by_role("button", name="Undo", exact=True)
    expect(undo).to_be_visible()
    assert User.objects.filter(is_active=False).count() == rows
    undo.click()
    expect(page.get_by_text(f"{rows} changes undone")).to_be_visible()
    assert findings(page) == []


def make(page: Page, words: dict[str, str], address: str) -> None:
    page.get_by_role("navigation").first.get_by_role("link", name=words["mailboxes"]).click()
    page.locator("main a.btn-primary").click()  # without rows it is that of the empty list
    page.get_by_label(words["address"], exact=True).fill(address)
    page.get_by_label(words["name"], exact=True).fill(address.partition("@")[0].title())
    page.get_by_label(words["quota"], exact=True).fill("1 GB")
    page.get_by_role("button", name=words["make"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words["made"])


@pytest.mark.parametrize(("language", "script"), [("en", False), ("fr", True)], ids=["no script", "French"])
def test_a_hosting_admin_makes_mailboxes_suspends_one_restores_one_and_undoes_what_he_did_to_many(
    visit, language, script
):
    words = WORDS[language]
    an_admin()
    a_domain()
    page = visit(locale=words["locale"], **({} if script else NO_SCRIPT))
    sign_in(page, "root")
    for name in ("ann", "bob", "carl"):
        make(page, words, f"{name}@example.org")
    page.get_by_role("navigation").first.get_by_role("link", name=words["mailboxes"]).click()
    page.get_by_role("link", name="bob@example.org").click()
    page.get_by_role("button", name=words["suspend"]).click()
    expect(page.get_by_role("status")).to_contain_text(words["suspended"])
    page.get_by_role("main").locator("summary").first.click()
    page.locator("a[href$='/removal/']").click()
    page.locator(".ask-box .btn-danger").click()
    page.locator(".notice button").click()
    expect(page.get_by_role("status")).to_contain_text(words["back"])
    page.goto("/mailboxes/")
    page.locator("input[name=ticked]").first.check()
    page.get_by_label(words["search"]).fill("carl")
    page.get_by_label(words["search"]).press("Enter")
    expect(page.locator(".foot")).to_contain_text(words["one"])
    page.locator("input[name=ticked]").check()
    page.get_by_role("button", name=words["suspend"], exact=True).click()
    page.get_by_role("button", name=re.compile(f"^{words['suspend']}.*2")).click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("main").get_by_role("button", name=words["undo"], exact=True).click()
    expect(page.locator("tbody tr").first).to_contain_text(words["undone"])
    assert set(User.objects.filter(is_active=False).values_list("address", flat=True)) == {"bob@example.org"}


def test_a_domain_admin_runs_his_own_and_meets_nothing_else(visit, complaints):
    boxes = site()
    foreign = an_owner("eve@other.example")
    page = visit()
    sign_in(page, "carla")
    page.wait_for_url("**/overview/")
    menu = page.get_by_role("navigation").first
    expect(menu.get_by_role("link", name="Administrators")).to_have_count(0)
    menu.get_by_role("link", name="Mailboxes").click()
    expect(page.get_by_role("link", name="eve@other.example")).to_have_count(0)
    make(page, WORDS["en"], "dora")
    assert Mailbox.objects.filter(user__address="dora@example.org").exists()
    page.goto(f"/mailboxes/{boxes['ann'].pk}/")
    expect(page.get_by_text("pays late")).to_be_visible()
    page.goto(f"/mailboxes/{foreign.pk}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")
    assert "404" in complaints.pop()


def test_the_keyboard_alone_ticks_a_row_and_suspends_it(visit):
    an_admin()
    an_owner()
    page = visit()
    sign_in(page, "root")
    page.goto("/mailboxes/")
    tick = page.get_by_label(f"Select {ANN}")
    tick.focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-chosen]")).to_have_text("1 selected")
    button = page.get_by_role("button", name="Suspend", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 mailbox will be suspended.")).to_be_visible()
    page.get_by_role("button", name="Suspend 1 mailbox").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Nothing is selected")).to_be_visible()


def test_times_are_in_the_zone_of_the_browser(visit):
    an_admin()
    mailbox = an_owner()
    page = visit(timezone_id="Asia/Tokyo")
    sign_in(page, "root")
    page.goto(f"/mailboxes/{mailbox.pk}/")
    expect(page.locator("time").first).to_have_attribute("title", re.compile("JST$"))
