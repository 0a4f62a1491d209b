"""The pages in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.site.page_users import ANN, an_admin, an_owner
from tests.site.rows import PASSWORD

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
NEW = "a wholly different one"
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
NO_SCRIPT = {"java_script_enabled": False}

# What assistive technology would miss, in words; run in the page.
FAULTS = """() => {
  const named = e => (e.labels && e.labels.length) || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby');
  const faults = [];
  for (const e of document.querySelectorAll('input:not([type=hidden]):not([hidden]), select, textarea'))
    if (!named(e)) faults.push('no label: ' + e.outerHTML);
  for (const e of document.querySelectorAll('svg, img'))
    if (e.getAttribute('aria-hidden') !== 'true' && !named(e) && !e.getAttribute('alt'))
      faults.push('no name: ' + e.outerHTML);
  for (const e of document.querySelectorAll('a, button, summary'))
    if (!e.textContent.trim() && !named(e)) faults.push('nothing to read: ' + e.outerHTML);
  for (const e of document.querySelectorAll('th')) if (!e.scope) faults.push('no scope: ' + e.outerHTML);
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  faults.push(...ids.filter((id, i) => ids.indexOf(id) !== i).map(id => 'id twice: ' + id));
  for (const e of document.querySelectorAll('[aria-labelledby], [aria-describedby]'))
    for (const id of (e.getAttribute('aria-labelledby') || e.getAttribute('aria-describedby')).split(' '))
      if (!document.getElementById(id)) faults.push('points nowhere: ' + e.outerHTML);
  if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
  if (document.querySelectorAll('main').length !== 1) faults.push('not one main');
  if (!document.documentElement.lang) faults.push('no language');
  return faults;
}"""

# Texts whose contrast is below WCAG 2 AA (4.5, or 3 for large text), against the nearest opaque background.
FAINT = """() => {
  const rgb = text => { const m = text.match(/[0-9.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3]));
  const light = c => { const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= .04045 ? v / 12.92
    : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !e.checkVisibility() || e.closest('svg, .skip-link')) continue;
    let back = e;
    while (back.parentElement && rgb(getComputedStyle(back).backgroundColor)[3] < 1) back = back.parentElement;
    const ground = rgb(getComputedStyle(back).backgroundColor), style = getComputedStyle(e);
    const [a, b] = [light(over(rgb(style.color), ground)), light(ground)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05), large = parseFloat(style.fontSize) >= 24;
    if (ratio < (large ? 3 : 4.5)) faint.push(ratio.toFixed(2) + ' ' + walker.currentNode.textContent.trim());
  }
  return faint;
}"""


def sign_in(page: Page, name: str = ANN, password: str = PASSWORD) -> None:
    page.goto("/sign-in/")
    page.get_by_label(re.compile("^(Address|Adresse)$")).fill(name)
    page.get_by_label(re.compile("^(Password|Mot de passe)$")).fill(password)
    page.get_by_role("button", name=re.compile("^(Sign in|Se connecter)$")).click()


def open_account(page: Page) -> None:
    """Open the menu of the account, at the foot of the sidebar or, on a phone, at the top."""
    page.locator("[popovertarget=account]:visible").first.click()


def change_password(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("link", name="Settings").click()
    page.get_by_role("main").get_by_role("link", name=re.compile("^Password")).click()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("Repeat the new password").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("status")).to_contain_text("The password is changed")


@pytest.mark.parametrize("options", [{}, NO_SCRIPT], ids=["script", "no script"])
def test_an_owner_signs_in_sees_his_mailbox_and_signs_out(visit, options):
    an_owner(quota_octets=2**30)
    page = visit(**options)
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Mail arrives.")
    expect(page.get_by_text("0 of 1 GB")).to_be_visible()
    open_account(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_wrong_password_is_told_and_the_address_is_kept(visit):
    an_owner()
    page = visit()
    sign_in(page, password="not this one")
    expect(page.get_by_role("alert")).to_have_text("The address or the password is wrong. Check both, then try again.")
    expect(page.get_by_label("Address")).to_have_value(ANN)


def test_a_changed_password_ends_the_other_session_and_leaves_this_one(visit):
    an_owner()
    here, elsewhere = visit(), visit()
    sign_in(here)
    sign_in(elsewhere)
    change_password(here)
    elsewhere.reload()
    expect(elsewhere.get_by_role("heading", level=1)).to_have_text("Sign in")
    here.reload()
    expect(here.get_by_role("heading", level=1)).to_have_text("Password")


def test_the_language_changes_where_one_stands(visit):
    an_owner()
    page = visit()
    sign_in(page)
    open_account(page)
    page.get_by_role("button", name="Français").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    assert page.url.endswith("/mailbox/")


def test_a_french_browser_meets_french(visit):
    an_admin()
    page = visit(locale="fr-FR")
    sign_in(page, "root")
    page.get_by_role("navigation").get_by_role("link", name="Domaines").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Domaines")


def background(page: Page) -> str:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_the_theme_follows_the_machine_until_one_is_chosen(visit):
    an_owner()
    light, dark = visit(color_scheme="light"), visit(color_scheme="dark")
    for page in (light, dark):
        sign_in(page)
    assert background(light) != background(dark)
    machine_dark = background(dark)
    light.locator("[popovertarget=account]:visible").first.click()
    light.get_by_role("button", name="Dark").click()
    expect(light.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert background(light) == machine_dark


def test_the_keyboard_alone_signs_in(visit):
    an_owner()
    page = visit()
    page.goto("/sign-in/")
    expect(page.get_by_label("Address")).to_be_focused()
    page.keyboard.type(ANN)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Mail arrives.")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_read_by_eye_and_by_ear(visit, complaints, scheme):
    an_owner(quota_octets=2**30)
    an_admin()
    page = visit(color_scheme=scheme)
    page.goto("/sign-in/")
    faults = {"/sign-in/": read(page)}
    for name, paths in ((ANN, ("/mailbox/", "/password/", "/nowhere/")), ("root", ("/overview/",))):
        page.context.clear_cookies()
        sign_in(page, name)
        for path in paths:
            page.goto(path)
            faults[path] = read(page)
    page.goto("/password/")
    for label in ("Current password", "New password", "Repeat the new password"):
        page.get_by_label(label, exact=True).fill(label)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("This is not your current password.")).to_be_visible()
    faults["with errors"] = read(page)
    assert {path: found for path, found in faults.items() if found} == {}
    assert len(complaints) == 1  # the page that is not there
    assert "404" in complaints.pop()


def read(page: Page) -> list[str]:
    return [*page.evaluate(FAULTS), *page.evaluate(FAINT)]
