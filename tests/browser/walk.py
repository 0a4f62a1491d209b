"""A user who walks through the pages by their texts, in one language, and looks at each page."""

from __future__ import annotations

import re

from django.utils import translation
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_pages import read

LOCALES = {"en": "en-GB", "fr": "fr-FR"}


class Walk:
    """Texts are given in English, as the source has them, and looked for in the language of the walk.

    What is wrong at a stop (for eye and ear, or wider than the window) is kept in `faults`, by heading.
    """

    def __init__(self, page: Page, language: str) -> None:
        self.page, self.language = page, language
        self.faults: dict[str, list[str]] = {}

    def say(self, text: str, context: str | None = None, **values: object) -> str:
        with translation.override(self.language):
            said = translation.pgettext(context, text) if context else translation.gettext(text)
        assert self.language == "en" or context or said != text or text in ("Messages", "Notes", "Audit", "Quota"), text
        return said % values if values else said

    def at(self, heading: str, *, own: bool = False, **values: object) -> None:
        """Stand at the page of this heading; `own` where it is a name, which no language changes."""
        title = heading if own else self.say(heading, **values)
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)
        wide = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if found := [*read(self.page), *([f"{wide} pixels too wide"] if wide > 0 else [])]:
            self.faults[title] = found

    def menu(self, text: str) -> None:
        """Follow a link of the menu, which a phone hides behind a button."""
        side = self.page.locator(".side")
        if not side.is_visible():
            self.page.locator("[popovertarget=menu]:visible").first.click()
        label = re.escape(self.say(text))
        side.get_by_role("link", name=re.compile(rf"^{label}(\s[\d\s.,\u202f\u00a0]+)?$")).click()

    def open(self, text: str, *, own: bool = False) -> None:
        name = text if own else self.say(text)
        self.page.get_by_role("main").get_by_role("link", name=name).first.click()

    def press(self, text: str, context: str | None = None, **values: object) -> None:
        begins = re.compile(rf"^\s*{re.escape(self.say(text, context, **values))}")
        self.page.get_by_role("button", name=begins).first.click()

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(self.say(label), exact=True)

    def fill(self, label: str, value: str) -> None:
        self.field(label).fill(value)

    def sees_notice(self, text: str, **values: object) -> None:
        expect(self.page.get_by_role("status").first).to_contain_text(self.say(text, **values))

    def sees(self, text: str) -> None:
        expect(self.page.get_by_role("main")).to_contain_text(text)
