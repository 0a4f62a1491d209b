"""A hosting admin creates a policy, sees its preview and uses it for a domain; both languages, also on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from mailstore.directory import policies
from mailstore.models import RetentionPolicy
from tests.browser.test_pages import FAINT, FAULTS, NO_SCRIPT, PHONE, sign_in
from tests.messages.test_mailbox_usage import has, signed_in
from tests.site.page_users import an_admin
from tests.site.rows import ACTOR, a_mailbox, a_message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
LOOKS = "Preview|Aperçu"
SAVES = "^(Save|Enregistrer)"


def is_good(page: Page) -> None:
    assert page.evaluate(FAULTS) == []
    assert page.evaluate(FAINT) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the window"


def preview(page: Page, options: dict[str, object]) -> None:
    """Without script a button asks for the preview; with it, the preview follows each change."""
    if options == NO_SCRIPT:
        page.get_by_role("button", name=re.compile(LOOKS)).click()


@pytest.mark.parametrize(
    "options",
    [{}, {"locale": "fr-FR", "color_scheme": "dark", **PHONE}, NO_SCRIPT],
    ids=["desk", "phone", "no script"],
)
def test_a_policy_is_made_looked_at_and_given_to_a_domain(
    visit: Callable[..., Page], options: dict[str, object]
) -> None:
    an_admin()
    box = a_mailbox()
    has(signed_in(box), a_message(box, arrived_at=timezone.now() - timedelta(days=50)))
    page = visit(**options)
    sign_in(page, "root")
    page.goto("/policies/")
    page.get_by_role("link", name=re.compile("first policy|première règle")).click()
    page.get_by_label(re.compile("^(Name|Nom)$")).fill("Short")
    page.locator("[name=expire_days_on]").check()
    page.get_by_label(re.compile("^(Days after it arrived|Jours après son arrivée)$")).fill("30")
    is_good(page)
    preview(page, options)
    expect(page.locator("#effect")).to_contain_text("EXPIRE 30")
    is_good(page)
    page.get_by_role("button", name=re.compile(SAVES)).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Short")
    is_good(page)
    page.get_by_role("link", name=re.compile("Choose who uses it|Choisir qui l’utilise")).click()
    page.locator("#id_of").fill("example.org")
    page.locator("#id_policy").select_option("Short")
    page.locator("input[value=at-once]").check()
    preview(page, options)
    expect(page.locator("#effect")).to_contain_text("1 message")
    is_good(page)
    page.get_by_role("button", name=re.compile(SAVES)).click()
    expect(page.locator(".notice")).to_contain_text("example.org")
    assert RetentionPolicy.objects.get().domain_set.get().policy_since is None
    is_good(page)


def test_a_number_in_a_rule_turns_it_on_and_a_save_can_be_taken_back(visit: Callable[..., Page]) -> None:
    an_admin()
    box = a_mailbox()
    has(signed_in(box), a_message(box))
    policy = policies.ensure("Short", actor=ACTOR, site=True).row
    page = visit()
    sign_in(page, "root")
    page.goto(f"/policies/{policy.pk}/")
    page.get_by_label("Days after it arrived", exact=True).fill("5")
    expect(page.locator("[name=expire_days_on]")).to_be_checked()
    expect(page.locator("#effect")).to_contain_text("1 message leaves")
    is_good(page)
    page.locator("[name=expire_days_on]").uncheck()
    expect(page.locator("#effect")).to_contain_text("Nothing leaves")
    page.locator("[name=expire_days_on]").check()
    page.get_by_role("button", name="Save, start on").click()
    page.locator(".notice").get_by_role("button", name="Undo").click()
    expect(page.locator(".notice")).to_contain_text("Short is as it was before")
    assert RetentionPolicy.objects.get().expire_days is None
