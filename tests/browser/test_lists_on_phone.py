"""Lists on a phone: the buttons for selected rows are at the bottom; a shown password is not shown again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from mailstore.models import AuditEntry, User
from tests.browser.axe import findings
from tests.browser.test_pages import PHONE, sign_in
from tests.site.page_users import ANN, an_admin, an_owner
from tests.site.rows import a_domain

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]

OF_MAILBOX = re.compile(r"/mailboxes/\d+/$")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_buttons_and_the_count_stay_under_the_thumb(visit, scheme):
    an_admin()
    for number in range(12):
        an_owner(f"box{number:02}@example.org")
    page = visit(color_scheme=scheme, **PHONE)
    sign_in(page, "root")
    page.goto("/mailboxes/")
    bar, last = page.locator(".bulk-do"), page.locator("input[name=ticked]").last
    expect(bar.get_by_text("selected")).to_be_hidden()
    last.check()
    height = page.evaluate("innerHeight")
    box = bar.bounding_box()
    assert box["y"] + box["height"] == pytest.approx(height, abs=2)
    expect(bar.get_by_text("1 selected")).to_be_in_viewport()
    last.scroll_into_view_if_needed()
    assert last.bounding_box()["y"] < box["y"]
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert findings(page) == []
    bar.get_by_role("button", name="Suspend").click()
    page.get_by_role("button", name="Suspend: 1").click()
    expect(page.get_by_text("suspended: no → yes")).to_be_visible()
    assert User.objects.filter(is_active=False).count() == 1


def test_a_page_that_has_shown_a_password_is_loaded_again_as_the_mailbox(visit):
    an_admin()
    a_domain()
    page = visit()
    sign_in(page, "root")
    page.goto("/mailboxes/new/")
    page.get_by_label("Address", exact=True).fill("ann")
    page.get_by_role("button", name="Create mailbox").click()
    expect(page.get_by_text("shown only once")).to_be_visible()
    expect(page).to_have_url(OF_MAILBOX)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(ANN)
    page.goto(re.sub(r"/$", "/password/", page.url))
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_text("shown only once")).to_be_visible()
    expect(page).to_have_url(OF_MAILBOX)
    hashed = User.objects.get(address=ANN).password
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(ANN)
    assert User.objects.get(address=ANN).password == hashed
    assert AuditEntry.objects.filter(verb="mailbox.password").count() == 1
