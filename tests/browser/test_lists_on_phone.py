"""Lists at a desk and on a phone: rows, filters, and the bar for selected rows; a shown password is not shown again."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.urls import resolve
from playwright.sync_api import expect

from mailstore.models import AuditEntry, Mailbox, User
from popadmin.lists.views import ListPage
from tests.browser import page_list
from tests.browser.axe import findings
from tests.browser.test_pages import NO_SCRIPT, sign_in
from tests.site.page_users import ANN, an_admin, an_owner
from tests.site.rows import a_domain

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]

OF_MAILBOX = re.compile(r"/mailboxes/\d+/$")


PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
DESK = {"viewport": {"width": 1440, "height": 900}}
# Where the first row begins, how high a row is, and how many are seen whole above the foot.
ROWS = """() => {
  const rows = [...document.querySelectorAll('.rows > tr:not([hidden])')].map(row => row.getBoundingClientRect());
  const foot = document.querySelector('.foot').getBoundingClientRect();
  return {top: rows[0].top, height: rows[1].height, seen: rows.filter(row => row.bottom <= foot.top).length};
}"""


# Where the first row of a list ends, or null; and how far a phone shows a page above the bars at its foot.
FIRST_ROW_END = """() => {
  const row = [...document.querySelectorAll('.rows > tr, .days > li')].find(each => each.checkVisibility());
  return row ? row.getBoundingClientRect().bottom : null;
}"""
FOLD = 844 - 2 * 56  # of the phone above, in pixels


def some_mailboxes(number: int) -> None:
    row = an_owner("box00@example.org", quota_octets=1000).domain
    users = User.objects.bulk_create(User(address=f"box{n:02}@example.org", name=f"Box {n}") for n in range(1, number))
    Mailbox.objects.bulk_create(Mailbox(user=user, domain=row, quota_octets=1000, octets=900) for user in users)


@pytest.mark.parametrize(
    ("options", "top", "height", "seen"), [(PHONE, 160, 62, 10), (DESK, 130, 28, 26)], ids=["phone", "desk"]
)
def test_many_rows_are_seen_at_once(visit, options, top, height, seen):
    an_admin()
    some_mailboxes(40)
    page = visit(**options)
    sign_in(page, "root")
    page.goto("/mailboxes/")
    rows = page.evaluate(ROWS)
    assert rows["top"] <= top
    assert rows["height"] == pytest.approx(height, abs=1)
    assert rows["seen"] >= seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("options", [{}, NO_SCRIPT], ids=["script", "no script"])
def test_on_a_phone_select_shows_the_boxes_and_the_buttons_stay_under_the_thumb(visit, scheme, options):
    an_admin()
    some_mailboxes(12)
    page = visit(color_scheme=scheme, **PHONE, **options)
    sign_in(page, "root")
    page.goto("/mailboxes/")
    bar, last = page.locator(".bulk"), page.locator("input[name=ticked]").last
    expect(last).to_be_hidden()
    expect(bar).to_be_hidden()
    page.get_by_role("link", name="Select").click()
    last.check()
    box = bar.bounding_box()
    assert box["y"] + box["height"] == pytest.approx(page.evaluate("innerHeight"), abs=2)
    if not options:
        expect(bar.get_by_text("1 selected")).to_be_in_viewport()
        assert findings(page) == []
    assert last.bounding_box()["y"] < box["y"]
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    bar.get_by_role("button", name="Suspend").click()
    page.get_by_role("button", name="Suspend 1 mailbox").click()
    expect(page.get_by_text("suspended: no → yes")).to_be_visible()
    assert User.objects.filter(is_active=False).count() == 1


def test_the_bar_of_the_selected_takes_the_place_of_the_chips_and_clears_the_selection(visit):
    an_admin()
    some_mailboxes(60)
    page = visit(**DESK)
    sign_in(page, "root")
    page.goto("/mailboxes/")
    chips, bar, rows = page.locator(".chips"), page.locator(".bulk"), page.locator(".rows")
    top = rows.bounding_box()["y"]
    page.get_by_label("Select box03@example.org").check()
    expect(chips).to_be_hidden()
    expect(bar.get_by_text("1 selected")).to_be_visible()
    assert rows.bounding_box()["y"] == top
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    expect(bar.get_by_text("1 selected")).to_be_visible()
    bar.get_by_role("button", name="Clear selection").click()
    expect(bar).to_be_hidden()
    expect(chips).to_be_visible()


@pytest.mark.parametrize("options", [{}, NO_SCRIPT], ids=["script", "no script"])
def test_a_filter_comes_back_as_a_chip_that_removes_it(visit, options):
    an_admin()
    some_mailboxes(3)
    page = visit(**DESK, **options)
    sign_in(page, "root")
    page.goto("/mailboxes/")
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("State").select_option("held")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("No row fits these filters.")).to_be_visible()
    page.get_by_role("link", name="Remove the filter “State: On hold”").click()
    expect(page.locator(".rows")).to_contain_text("box00")
    page.get_by_label("Search mailboxes").fill("nothing like it")
    page.get_by_label("Search mailboxes").press("Enter")
    page.get_by_role("link", name="Clear the search").click()
    expect(page.locator(".rows")).to_contain_text("box00")


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


def test_the_box_of_the_header_has_our_colour_when_some_rows_are_chosen(visit):
    an_admin()
    some_mailboxes(3)
    page = visit(**DESK, reduced_motion="reduce", color_scheme="light")
    sign_in(page, "root")
    page.goto("/mailboxes/")
    page.locator("input[name=ticked]").first.check()
    header = page.locator("[data-tick-all]")
    assert header.evaluate("box => box.indeterminate")
    assert header.evaluate("box => getComputedStyle(box).backgroundColor") == "rgb(10, 106, 117)"


def lists_of(person: str, keys: page_list.Keys) -> list[str]:
    """The addresses of the pages of this person that are lists."""
    views = {place.path: resolve(urlsplit(place.path).path).func for place in page_list.pages_of(person, keys)}
    return [path for path, view in views.items() if issubclass(getattr(view, "view_class", object), ListPage)]


@pytest.mark.parametrize(("person", "least"), [(page_list.HOST, 9), (page_list.OWNER, 4)], ids=["admin", "owner"])
def test_on_a_phone_the_first_row_of_each_list_is_above_the_fold(visit, person, least):
    keys = page_list.a_site()
    page = visit(**PHONE)
    sign_in(page, person)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    ends = {}
    for path in lists_of(person, keys):
        page.goto(path)
        if (end := page.evaluate(FIRST_ROW_END)) is not None:
            ends[path] = end
    assert len(ends) >= least
    assert {path: end for path, end in ends.items() if end > FOLD} == {}
