"""Menus, filters and errors of forms work by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import NO_SCRIPT, sign_in
from tests.site.page_users import an_admin, an_owner
from tests.site.rows import a_domain

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]


def test_escape_closes_a_menu_and_gives_the_focus_back_and_leaving_it_closes_it_too(visit):
    page = visit()
    page.goto("/sign-in/")
    colours = page.locator("summary", has_text="Colours")
    colours.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Light")).to_be_focused()
    page.keyboard.press("Escape")
    expect(colours).to_be_focused()
    expect(page.get_by_role("button", name="Light")).to_be_hidden()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Light")).to_be_hidden()


@pytest.mark.parametrize("options", [{}, NO_SCRIPT], ids=["script", "no script"])
def test_the_account_menu_opens_and_closes_by_keyboard(visit, options):
    an_owner()
    page = visit(**options)
    sign_in(page)
    account = page.get_by_role("button", name="Account").first
    account.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="English")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(account).to_be_focused()


def test_control_k_searches_everything_and_enter_opens_the_first_hit(visit):
    an_admin()
    mailbox = an_owner()
    page = visit()
    sign_in(page, "root")
    page.wait_for_url("**/overview/")
    page.keyboard.press("Control+k")
    search = page.get_by_role("dialog").get_by_label("Domain, mailbox, alias, person or page")
    expect(search).to_be_focused()
    page.keyboard.type(str(mailbox)[:5])
    hits = page.get_by_role("dialog").locator("[data-hit]")
    expect(hits.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(hits.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(search).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Control+k")
    search.fill(mailbox.user.address)
    expect(page.locator("[data-hits]")).to_have_attribute("data-query", mailbox.user.address)
    expect(hits.first).to_contain_text(mailbox.user.address)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/mailboxes/{mailbox.pk}/")


def test_enter_before_the_hits_are_there_leads_to_the_page_of_what_is_typed_and_no_earlier_hit(visit):
    an_admin()
    earlier, mailbox = an_owner(), an_owner("zoe@example.org")
    page = visit()
    sign_in(page, "root")
    page.wait_for_url("**/overview/")
    page.keyboard.press("Control+k")
    search = page.get_by_role("dialog").get_by_label("Domain, mailbox, alias, person or page")
    search.fill(earlier.user.address)
    expect(page.get_by_role("dialog").locator("[data-hit]").first).to_contain_text(earlier.user.address)
    page.route("**/search/?*part=1*", lambda route: None)  # an answer that never comes
    search.fill(mailbox.user.address)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=zoe*")
    expect(page.get_by_role("main").get_by_role("link", name=mailbox.user.address, exact=True)).to_be_visible()


def test_without_script_the_search_is_a_page(visit):
    an_admin()
    mailbox = an_owner()
    page = visit(**NO_SCRIPT)
    sign_in(page, "root")
    page.get_by_role("link", name="Search").first.click()
    page.get_by_role("main").get_by_role("searchbox").fill(mailbox.user.address)
    page.keyboard.press("Enter")
    page.get_by_role("main").get_by_role("link", name=mailbox.user.address, exact=True).click()
    page.wait_for_url(f"**/mailboxes/{mailbox.pk}/")


def test_a_filter_is_chosen_by_arrows_and_sent_by_its_button(visit):
    an_admin()
    an_owner()
    page = visit()
    sign_in(page, "root")
    page.goto("/mailboxes/")
    page.locator("summary", has_text="Filter").press("Enter")
    page.get_by_label("State").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("State")).to_have_value("suspended")
    assert page.url.endswith("/mailboxes/"), "the list stays until it is asked"
    page.get_by_role("button", name="Apply").press("Enter")
    expect(page.get_by_text("No row fits these filters.")).to_be_visible()


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
