"""The page after a mailbox is created: all that its owner has to type, to copy one by one or together, and to print."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from popadmin.web.server_settings import server_settings
from tests.browser.test_pages import sign_in
from tests.site.page_users import ANN, an_admin
from tests.site.rows import a_domain

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}


def created(page: Page) -> dict[str, str]:
    """Create a mailbox; return what the page lists, by its label. Ports share the label of the first one."""
    sign_in(page, "root")
    page.goto("/mailboxes/new/")
    page.get_by_label("Address", exact=True).fill("ann")
    page.get_by_role("button", name="Create mailbox").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mailbox created")
    values: dict[str, str] = {}
    label = ""
    for row in page.locator("dl.values > div").all():
        label = term if (term := row.locator("dt").inner_text()) != "or" else label
        values[label] = f"{values.get(label, '')} {row.locator('dd').inner_text()}".strip()
    return values


@pytest.fixture
def page(visit, live_server) -> Page:
    an_admin()
    a_domain()
    return visit(**CLIPBOARD)


def test_it_has_server_ports_web_address_user_and_password(page: Page, live_server) -> None:
    values, server = created(page), server_settings()
    assert set(values) == {"Web address", "POP server", "Port and encryption", "User name", "Password"}
    assert values["Web address"].startswith(f"{live_server.url}/")
    assert values["POP server"].startswith(server.host)
    assert values["User name"].startswith(ANN)
    assert server.ports
    for port in server.ports:
        assert f"{port.number} {port.encryption}" in values["Port and encryption"]


def test_each_value_is_copied_alone_and_all_of_them_together(page: Page) -> None:
    values = created(page)
    alone = {}
    for row in page.locator("dl.values > div", has=page.locator("[data-copy]")).all():
        row.get_by_role("button").click()
        expect(row.get_by_role("button")).to_contain_text("Copied")
        alone[row.locator("dt").inner_text()] = page.evaluate("navigator.clipboard.readText()")
    assert set(alone) == set(values) - {"Port and encryption"}
    for label, text in alone.items():
        assert values[label].startswith(text)
    page.get_by_role("button", name="Copy all").click()
    expect(page.get_by_role("button", name="Copied").last).to_be_visible()
    together = page.evaluate("navigator.clipboard.readText()")
    for label, text in alone.items():
        assert f"{label}: {text}\n" in together
    for port in server_settings().ports:
        assert f"Port and encryption: {port.number} {port.encryption}\n" in together


def test_the_print_has_the_values_and_no_buttons(page: Page) -> None:
    values = created(page)
    page.evaluate("addEventListener('beforeprint', () => { document.body.dataset.printed = 'yes'; })")
    page.get_by_role("button", name="Print").click()
    expect(page.locator("body")).to_have_attribute("data-printed", "yes")
    page.emulate_media(media="print")
    for text in (ANN, server_settings().host, re.split(r"\s", values["Password"])[0]):
        expect(page.locator("dl.values").get_by_text(text, exact=True).first).to_be_visible()
    for button in page.locator("main").locator(".btn").all():
        expect(button).to_be_hidden()
