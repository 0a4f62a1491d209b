"""The bar of tabs at the foot of an owner's phone: always in reach, over nothing that the page says."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import sign_in
from tests.owner.mail import a_letter
from tests.site.page_users import ANN, an_admin, an_owner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
TABS = {"My mailbox": "/mailbox/", "Messages": "/messages/", "Devices": "/devices/", "Recovery": "/recovery/"}
THUMB = 44  # pixels, the least height of what a thumb hits


def test_the_four_places_and_the_rest_are_one_tap_away_and_the_page_ends_above_them(visit):
    box = an_owner()
    for number in range(30):
        a_letter(box, f"Letter {number}")
    page = visit(**PHONE)
    sign_in(page)
    bar = page.get_by_role("navigation", name="Main pages")
    for label, path in TABS.items():
        bar.get_by_role("link", name=label).tap()
        page.wait_for_url(f"**{path}")
        expect(bar.get_by_role("link", name=label)).to_have_attribute("aria-current", "page")
        assert bar.locator("[aria-current]").count() == 1
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        box = bar.bounding_box()
        assert box["y"] + box["height"] == pytest.approx(PHONE["viewport"]["height"], abs=1)
        assert (
            page.evaluate("""document.querySelector('main').getBoundingClientRect().bottom
            - parseFloat(getComputedStyle(document.querySelector('main')).paddingBottom)""")
            <= box["y"] + 1
        )
    assert min(item.bounding_box()["height"] for item in bar.locator("a, button").all()) >= THUMB
    bar.get_by_role("button", name="More").tap()
    page.locator("#menu").get_by_role("link", name="Diary").tap()
    page.wait_for_url("**/diary/")


@pytest.mark.parametrize(("name", "options"), [(ANN, {}), ("root", PHONE)], ids=["owner at a desk", "admin on a phone"])
def test_nobody_else_has_the_bar(visit, name, options):
    an_owner()
    an_admin()
    page = visit(**options)
    sign_in(page, name)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".tabbar:visible")).to_have_count(0)
