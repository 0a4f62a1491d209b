"""Domains in a real browser, with and without script, for hosting admins and domain admins."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from mailstore.directory import grants
from mailstore.models import Alias, Domain
from popadmin.connect.dns import check
from tests.browser.test_pages import NO_SCRIPT, PHONE, sign_in
from tests.fakes.dns_server import dns_server
from tests.site.page_users import an_admin
from tests.site.rows import ACTOR, PASSWORD, a_domain

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]


def go(page: Page, name: str) -> None:
    """Follow a link of the menu, which a phone hides behind a button."""
    side = page.locator(".side")
    page.locator(".frame").wait_for()
    if not side.is_visible():
        page.locator("[popovertarget=menu]:visible").first.click()
    side.get_by_role("link", name=name).click()


def said(page: Page, text: str) -> None:
    expect(page.get_by_role("status").first).to_contain_text(text)


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="This domain").get_by_role("link", name=name).click()


@pytest.mark.parametrize("options", [{}, NO_SCRIPT], ids=["script", "no script"])
def test_a_hosting_admin_makes_fills_suspends_removes_and_restores_a_domain(visit, options):
    an_admin()
    page = visit(**options)
    sign_in(page, "root")
    go(page, "Domains")
    page.get_by_role("link", name="Create first domain").click()
    page.get_by_label("Name").fill("example")
    page.get_by_label("A new mailbox gets").fill("1.5 GB")
    page.get_by_role("button", name="Create domain").click()
    expect(page.get_by_text("lacks its ending")).to_be_visible()
    expect(page.get_by_label("A new mailbox gets")).to_have_value("1.5")
    page.get_by_label("Name").fill("Example.org")
    page.get_by_role("button", name="Create domain").click()
    said(page, "example.org is created.")
    an_alias_a_catch_all_and_an_admin(page)
    an_alias_is_removed_and_comes_back(page)

    go(page, "Domains")
    page.get_by_role("link", name="example.org").click()
    page.get_by_role("button", name="Suspend").click()
    said(page, "example.org is suspended")
    page.get_by_role("button", name="Undo").click()
    said(page, "example.org is active again.")
    the_domain_is_removed_and_comes_back(page)
    assert Alias.objects.count() == 2
    assert Domain.objects.get().removed_at is None


def an_alias_a_catch_all_and_an_admin(page: Page) -> None:
    tab(page, "Addresses")
    page.get_by_role("link", name="Change the catch-all").click()
    page.get_by_label("Mail for unknown names goes to").fill("ann@example.com")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("goes to ann@example.com")).to_be_visible()

    tab(page, "Administrators")
    page.get_by_role("link", name="Add an administrator").click()
    page.get_by_label("Login or address").fill("dora")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("shown only once")).to_be_visible()
    page.get_by_role("link", name="Open domain").click()
    expect(page.get_by_role("row").filter(has_text="dora")).to_be_visible()

    tab(page, "Addresses")
    page.get_by_role("link", name="New alias").click()
    page.get_by_label("Address", exact=True).fill("info")
    page.get_by_label("Delivers to").fill("ann@example.com\nbob@example.com")
    page.get_by_role("button", name="Create alias").click()
    said(page, "info@example.org is created.")


def an_alias_is_removed_and_comes_back(page: Page) -> None:
    page.get_by_role("link", name="info@example.org").click()
    page.get_by_role("button", name="Remove").click()
    said(page, "info@example.org is removed.")
    expect(page.get_by_role("link", name="info@example.org")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    said(page, "info@example.org is restored.")


def the_domain_is_removed_and_comes_back(page: Page) -> None:
    page.locator(".title-row .more > summary").click()
    page.get_by_role("link", name="Remove the domain").click()
    expect(page.get_by_text("2 aliases")).to_be_visible()
    page.get_by_label("Type example.org to confirm").fill("example.com")
    page.get_by_role("button", name="Remove the domain").click()
    expect(page.get_by_text("This is not example.org.")).to_be_visible()
    page.get_by_label("Type example.org to confirm").fill("example.org")
    page.get_by_role("button", name="Remove the domain").click()
    said(page, "example.org is removed.")
    page.goto("/operations/")
    page.get_by_role("button", name="Undo removed the domain example.org").click()
    said(page, "example.org is restored.")


def test_a_domain_admin_runs_his_domain_on_a_phone(visit):
    a_domain("other.example")
    a_domain("example.org")
    grants.ensure("dora", ["example.org"], actor=ACTOR, password=PASSWORD)
    page = visit(**PHONE)
    sign_in(page, "dora")
    go(page, "Domains")
    expect(page.get_by_text("other.example")).to_have_count(0)
    expect(page.get_by_role("link", name="New domain")).to_have_count(0)
    page.get_by_role("link", name="example.org").click()
    expect(page.get_by_role("link", name="Remove")).to_have_count(0)
    tab(page, "Settings")
    page.get_by_role("link", name="Edit the settings").click()
    expect(page.get_by_label("Mailboxes", exact=True)).to_have_count(0)
    page.get_by_label("Owners may forward their mail").check()
    page.get_by_role("button", name="Save").click()
    said(page, "Saved.")
    assert Domain.objects.get(name="example.org").owner_forwards


def test_the_records_in_dns_fill_in_by_themselves_and_the_zone_is_copied_whole(visit, settings):
    an_admin()
    domain = Domain.objects.get(name=a_domain("customer.example"))
    with dns_server() as server:
        settings.DNS_SERVERS = [server.address]
        server.put("customer.example", "MX", "10 mx.other.example.")
        page = visit(permissions=["clipboard-read", "clipboard-write"])
        sign_in(page, "root")
        page.goto(f"/domains/{domain.pk}/dns/")
        expect(page.get_by_text("10 mx.other.example.")).to_be_visible()
        expect(page.get_by_role("button", name="Look again")).to_be_visible()
        page.get_by_role("button", name="Copy").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == check.unasked("customer.example").zone
