"""Every page that each user reaches is accessible (axe, both themes), works by keyboard and fits a phone."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from mailstore.models import Device
from popadmin.web.layout import MENU
from tests.browser import page_list
from tests.browser.axe import CONTRAST, RULES, findings
from tests.browser.test_pages import sign_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
HEIGHT = 900
DESK, TABLET, PHONE = ({"width": width, "height": HEIGHT} for width in (1440, 720, 390))
WIDTHS = (320, 390, 720, 1008, 1280, 1440, 1920)  # no page scrolls sideways at any of them
# What can be scrolled sideways, the page itself among it. Rows of links may be: chips, tabs, the bar of a selection.
WIDE = """() => [...document.querySelectorAll('*')].filter(e => e.scrollWidth > e.clientWidth + 1
  && (e === document.documentElement || ['auto', 'scroll'].includes(getComputedStyle(e).overflowX))
  && !e.matches('.chips, .tabs, .bulk'))
  .map(e => `wide at ${innerWidth}: ` + e.outerHTML.slice(0, 80))"""
# Dates in the text of a page that no `<time>` has. A chart cannot have one, nor can a box; a code is a machine's.
BARE_DATES = """() => {
  const months = 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|janv|févr|mars|avr|mai|juin|juil|août|sept|déc';
  const date = new RegExp(String.raw`\\d{4}-\\d\\d-\\d\\d|\\b\\d{1,2}\\s(${months})(?!\\p{L})`, 'iu');
  const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim(), place = walker.currentNode.parentElement;
    if (date.test(text) && !place.closest('time, svg, option, textarea, code'))
      found.push('a date without <time>: ' + text);
  }
  return found;
}"""
# A page has one primary button at most. What a dialog or a menu hides is not on the page.
PRIMARY = """() => [...document.querySelectorAll('.btn-primary')].filter(e => e.checkVisibility()).slice(1)
  .map(e => 'one more primary button: ' + e.textContent.trim())"""
LISTS_WITH_SELECTION = frozenset({"mailboxes", "recovery"})  # visited last: a list ends the selection of its pages
NAMED_IN_FRAME = frozenset({"search", *(item.name for _label, items in MENU for item in items)})

# Where the focus is: its place among all that can have it, and whether it can be seen.
FOCUS = """() => {
  const stops = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
    .filter(e => !e.disabled && e.type !== 'hidden' && e.checkVisibility({visibilityProperty: true})
      && !(e.type === 'radio' && !e.checked && document.querySelector(`[name="${e.name}"]:checked`)));
  const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
  return {place: stops.indexOf(e), of: stops.length, html: e.outerHTML.slice(0, 80), parts: e.type?.startsWith('date'),
    seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.width > 1 && box.height > 1
      && box.bottom > 0 && box.top < innerHeight};
}"""


def tabbed_through(page: Page) -> list[str]:
    """Tab from the first stop to the last: each in its turn, each to be seen."""
    page.locator(".skip-link").focus()
    faults, place = [], 0
    while (focus := page.evaluate(FOCUS))["place"] == place < focus["of"]:
        if not focus["seen"]:
            faults.append(f"focus not seen: {focus['html']}")
        page.keyboard.press("Tab")
        while focus["parts"] and page.evaluate(FOCUS)["place"] == place:
            page.keyboard.press("Tab")  # through day, month and year
        place += 1
    return (
        faults if place == focus["of"] else [*faults, f"Tab led from stop {place} of {focus['of']} to {focus['html']}"]
    )


def looked_at(page: Page, place: page_list.ListedPage, status: int) -> list[str]:
    faults = [] if status == 200 else [f"status {status}"]
    faults += [*page.evaluate(BARE_DATES), *page.evaluate(PRIMARY), *tabbed_through(page)]
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")  # nothing lies over a target: no bar, no skip link
    for size in (PHONE, TABLET, DESK):
        page.set_viewport_size(size)
        for scheme, rules in (("light", RULES), ("dark", CONTRAST)):  # a theme changes colours alone
            page.emulate_media(color_scheme=scheme)
            faults += [f"{scheme}, {size['width']}: {each}" for each in findings(page, rules)]
    heading = page.get_by_role("heading", level=1).inner_text()
    if page.title() == "popadmin · popadmin" or not heading:
        faults.append("has no name")
    if page.locator(".side").count() and place.name not in NAMED_IN_FRAME and not page.locator(".crumbs a").count():
        faults.append("no way back above its name")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        faults += page.evaluate(WIDE)
    page.set_viewport_size(DESK)
    return faults


def mailbox_created(page: Page) -> page_list.ListedPage:
    page.goto("/mailboxes/new/")
    page.locator("#id_address").fill("new@example.org")
    page.locator("main form button[type=submit]").click()
    expect(page.locator("#copy-all")).to_be_attached()
    return page_list.ListedPage("mailboxes-new", "/mailboxes/new/, sent")


def device_connected(page: Page) -> page_list.ListedPage:
    page.goto("/devices/connect/?program=apple")
    page.locator("#id_name").fill("My tablet")
    page.locator("main form button[type=submit]").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("My tablet")
    Device.objects.filter(name="My tablet").update(last_sign_in_at=timezone.now(), last_client="192.0.2.7")
    expect(page.locator(".line-good")).to_be_visible()
    return page_list.ListedPage("devices-connect", "/devices/connect/, sent")


SHOWN_ONCE = {page_list.HOST: mailbox_created, page_list.OWNER: device_connected}  # pages that only a button opens


def choose_the_first(page: Page, path: str) -> None:
    """Tick a row of a list, so that the pages of what is done with the chosen have something to ask.

    The button that restores at once asks nothing.
    """
    page.goto(path)
    page.locator("input[name=ticked]").first.check()
    page.locator("button[name=bulk]:not([value=restore-now])").first.click()
    expect(page.locator(".crumbs")).to_be_visible()


@pytest.mark.parametrize(
    ("person", "locale"),
    [
        (page_list.HOST, "en-GB"),
        (page_list.CUSTOMER, "fr-FR"),
        (page_list.OWNER, "fr-FR"),
        (page_list.STRANGER, "en-GB"),
    ],
    ids=["hosting admin", "domain admin", "owner", "stranger"],
)
def test_every_page_that_a_person_reaches_is_without_a_fault(visit, person, locale):
    keys = page_list.a_site()
    page = visit(locale=locale, viewport=DESK, reduced_motion="reduce")  # a colour on its way has no contrast
    if person:
        sign_in(page, person)
        page.wait_for_url("**/mailbox/" if person == page_list.OWNER else "**/overview/")
        choose_the_first(page, "/recovery/" if person == page_list.OWNER else "/mailboxes/")
    faults = {}
    for place in sorted(page_list.pages_of(person, keys), key=lambda place: place.name in LISTS_WITH_SELECTION):
        answer = page.goto(place.path)
        faults[place.path] = looked_at(page, place, answer.status)
    if show := SHOWN_ONCE.get(person):
        place = show(page)
        faults[place.path] = looked_at(page, place, 200)
    assert {path: found for path, found in faults.items() if found} == {}


def test_no_page_is_left_out():
    everything = frozenset().union(*page_list.PAGES.values(), page_list.NO_PAGES)
    assert page_list.names() == everything
