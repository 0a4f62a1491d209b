"""Every page that each person reaches: axe finds nothing in either theme, nothing is wider than a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from popadmin.layout import PLACES
from tests.browser import places
from tests.browser.axe import findings
from tests.browser.test_pages import sign_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
# Whatever can be scrolled sideways, the page itself among it.
WIDE = """() => [...document.querySelectorAll('*')].filter(e => e.scrollWidth > e.clientWidth + 1
  && (e === document.documentElement || ['auto', 'scroll'].includes(getComputedStyle(e).overflowX)))
  .map(e => 'wide: ' + e.outerHTML.slice(0, 80))"""
IN_MENU = frozenset(place.name for place in PLACES)


def looked_at(page: Page, place: places.Place, status: int) -> list[str]:
    faults = [] if status == 200 else [f"status {status}"]
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        faults += [f"{scheme}: {each}" for each in findings(page)]
    heading = page.get_by_role("heading", level=1).inner_text()
    if page.title() == "popadmin · popadmin" or not heading:
        faults.append("has no name")
    if page.locator(".sidebar").count() and place.name not in IN_MENU and not page.locator(".crumbs a").count():
        faults.append("no way back above its name")
    page.set_viewport_size(PHONE)
    faults += page.evaluate(WIDE)
    page.set_viewport_size(DESK)
    return faults


def choose_the_first(page: Page, path: str) -> None:
    """Tick a row of a list, so that the pages of what is done with the chosen have something to ask."""
    page.goto(path)
    page.locator("input[name=ticked]").first.check()
    page.locator("button[name=bulk]").first.click()
    expect(page.locator(".crumbs")).to_be_visible()


@pytest.mark.parametrize(
    ("person", "locale"),
    [(places.HOST, "en-GB"), (places.CUSTOMER, "fr-FR"), (places.OWNER, "fr-FR"), (places.STRANGER, "en-GB")],
    ids=["hosting admin", "domain admin", "owner", "stranger"],
)
def test_every_page_that_a_person_reaches_is_without_a_fault(visit, person, locale):
    keys = places.a_site()
    page = visit(locale=locale, viewport=DESK, reduced_motion="reduce")  # a colour on its way has no contrast
    if person:
        sign_in(page, person)
        page.wait_for_url("**/mailbox/" if person == places.OWNER else "**/overview/")
        choose_the_first(page, "/recovery/" if person == places.OWNER else "/mailboxes/")
    faults = {}
    for place in places.places(person, keys):
        answer = page.goto(place.path)
        faults[place.path] = looked_at(page, place, answer.status)
    assert {path: found for path, found in faults.items() if found} == {}


def test_no_page_is_left_out():
    everything = frozenset().union(*places.PAGES.values(), places.NO_PAGES)
    assert places.names() - {"openapi"} == everything
