"""Menus, filters and errors of forms work by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import NO_SCRIPT, sign_in
from tests.site.page_users import an_admin, an_owner
from tests.site.rows import a_domain

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]


def test_escape_closes_a_menu_and_gives_the_focus_back_and_leaving_it_closes_it_too(visit):
    an_owner()
    page = visit()
    sign_in(page)
    theme = page.locator("summary", has_text="Theme")
    theme.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Light")).to_be_focused()
    page.keyboard.press("Escape")
    expect(theme).to_be_focused()
    expect(page.get_by_role("button", name="Light")).to_be_hidden()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Light")).to_be_hidden()


def test_a_filter_is_chosen_by_arrows_and_sent_by_its_button(visit):
    an_admin()
    an_owner()
    page = visit()
    sign_in(page, "root")
    page.goto("/mailboxes/")
    page.get_by_label("State").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("State")).to_have_value("suspended")
    assert page.url.endswith("/mailboxes/"), "the list stays until it is asked"
    page.get_by_role("button", name="Filter", exact=True).press("Enter")
    expect(page.get_by_text("Nothing matches these filters.")).to_be_visible()


@pytest.mark.parametrize("options", [{}, NO_SCRIPT], ids=["script", "no script"])
def test_whoever_sent_a_fault_stands_in_its_field_and_what_he_typed_is_there(visit, options):
    an_admin()
    a_domain()
    page = visit(**options)
    sign_in(page, "root")
    page.goto("/mailboxes/new/")
    page.get_by_label("Address", exact=True).fill("ann@example.org")
    page.get_by_label("Name", exact=True).fill("Ann Smith")
    page.get_by_label("Quota", exact=True).fill("lots")
    page.keyboard.press("Enter")
    quota = page.get_by_label("Quota", exact=True)
    expect(quota).to_be_focused()
    expect(quota).to_have_value("lots")
    expect(quota).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Ann Smith")
