"""`make screenshots DIR=...`: a screenshot of every page, at three widths, in both themes and both languages.

They are to be looked at, beside the pages of a change or of a design. So this file is not collected with the tests.
"""

from __future__ import annotations

import itertools
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import page_list
from tests.browser.test_every_page import DESK, PHONE, TABLET, choose_the_first
from tests.browser.test_pages import sign_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
FOLDER = "SCREENSHOTS"  # the environment variable that names it
PEOPLE = {
    "hosting-admin": page_list.HOST,
    "domain-admin": page_list.CUSTOMER,
    "owner": page_list.OWNER,
    "stranger": page_list.STRANGER,
}
LOCALES = {"en": "en-GB", "fr": "fr-FR"}
SCHEMES, SIZES = ("light", "dark"), (PHONE, TABLET, DESK)


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("who", PEOPLE)
def test_pictures_of_every_page(visit: Any, who: str, language: str) -> None:
    folder = Path(os.environ[FOLDER]) / language / who
    folder.mkdir(parents=True, exist_ok=True)
    person, keys = PEOPLE[who], page_list.a_site()
    page = visit(locale=LOCALES[language], viewport=DESK, reduced_motion="reduce")
    if person:
        sign_in(page, person)
        page.wait_for_url("**/mailbox/" if person == page_list.OWNER else "**/overview/")
        choose_the_first(page, "/recovery/" if person == page_list.OWNER else "/mailboxes/")
    numbers: dict[str, itertools.count[int]] = defaultdict(lambda: itertools.count(1))
    for place in page_list.pages_of(person, keys):
        page.goto(place.path)
        _take(page, folder, f"{place.name}-{next(numbers[place.name])}")


def _take(page: Page, folder: Path, name: str) -> None:
    for scheme, size in itertools.product(SCHEMES, SIZES):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.screenshot(path=folder / f"{name}-{scheme}-{size['width']}.png", full_page=True, animations="disabled")
