"""A hosting admin creates a policy, sees its preview and uses it for a domain; both languages, also on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from mailstore.models import RetentionPolicy
from tests.browser.test_pages import FAINT, FAULTS, PHONE, sign_in
from tests.messages.test_mailbox_usage import has, signed_in
from tests.site.page_users import an_admin
from tests.site.rows import a_mailbox, a_message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
LOOKS = "Preview|Aperçu"
SAVES = "^(Save|Enregistrer)$"


def is_good(page: Page) -> None:
    assert page.evaluate(FAULTS) == []
    assert page.evaluate(FAINT) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the window"


@pytest.mark.parametrize("options", [{}, {"locale": "fr-FR", "color_scheme": "dark", **PHONE}], ids=["desk", "phone"])
def test_a_policy_is_made_looked_at_and_given_to_a_domain(
    visit: Callable[..., Page], options: dict[str, object]
) -> None:
    an_admin()
    box = a_mailbox()
    has(signed_in(box), a_message(box, arrived_at=timezone.now() - timedelta(days=50)))
    page = visit(**options)
    sign_in(page, "root")
    page.get_by_role("link", name=re.compile("^ ?(Retention|Conservation)$")).click()
    page.get_by_role("link", name=re.compile("first policy|première règle")).click()
    page.get_by_label(re.compile("^(Name|Nom)$")).fill("Short")
    page.get_by_label(re.compile("after arrival|après son arrivée")).first.fill("30")
    is_good(page)
    page.get_by_role("button", name=re.compile(LOOKS)).click()
    expect(page.locator("#effect")).to_contain_text(re.compile("nothing|rien"))
    is_good(page)
    page.get_by_role("button", name=re.compile(SAVES)).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Short")
    is_good(page)
    page.get_by_role("link", name=re.compile("Use it|L’utiliser")).click()
    page.locator("#id_of").fill("example.org")
    page.locator("input[value=at-once]").check()
    page.get_by_role("button", name=re.compile(LOOKS)).click()
    expect(page.locator("#effect")).to_contain_text("1 message")
    is_good(page)
    page.get_by_role("button", name=re.compile(SAVES)).click()
    expect(page.get_by_role("status")).to_contain_text("example.org")
    assert RetentionPolicy.objects.get().domain_set.get().policy_since is None
    is_good(page)
