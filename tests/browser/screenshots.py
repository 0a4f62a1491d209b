"""`make pictures`: take the screenshots of docs/owners, of the demo in a real browser, in both languages."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, QUIET
from tests.up.programs import REPOSITORY, free_ports, running, until

FOLDER = REPOSITORY / "docs/owners/pictures"
LISTENS = ("WEB_LISTEN", "POP3_LISTEN", "POP3S_LISTEN", "LMTP_LISTEN")
# What the pages tell of the server is that of a real site, not of the ports that happen to be free.
SHOWN = {"PUBLIC_HOSTNAME": "mail.example.test", "PUBLIC_POP3_PORT": "110", "PUBLIC_POP3S_PORT": "995"}
RUNS = "Ctrl-C stops it"  # it says so once the demo is made
START_SECONDS = 120
WIDTH, HEIGHT, TALL = 820, 620, 960  # of a window
WINDOW, PAGE, RULES = "body", "main", "section[aria-labelledby=rules]"  # what a picture is of
PROGRAM = "section[data-program]:not([hidden])"
CHLOE, ALICE = "chloe@example.test", "alice@example.test"
LOST = "What is new this month"  # a message of the demo that a device has deleted


@dataclass(frozen=True, slots=True)
class Words:
    """What a language calls the things on the way."""

    language: str
    locale: str
    devices: dict[str, str]  # as the demo has them, and as they are called here
    new_device: str


LANGUAGES = (
    Words("en", "en-GB", {}, "Phone"),
    Words("fr", "fr-FR", {"Office PC": "PC du bureau", "Laptop": "Portable", "Phone": "Téléphone"}, "Téléphone"),
)


def devices(page: Page, _words: Words) -> None:
    page.goto("/devices/")


def connecting(page: Page, words: Words) -> None:
    page.goto("/devices/connect/")
    page.locator("[name=name]").fill(words.new_device)
    page.locator("main .btn-primary").first.click()
    page.locator("#copy-secret").wait_for()


def message(page: Page, words: Words) -> None:
    recovery(page, words)
    page.get_by_role("link", name=LOST).click()


def recovery(page: Page, _words: Words) -> None:
    page.goto("/recovery/")


def diary(page: Page, _words: Words) -> None:
    page.goto("/diary/")


def mailbox(page: Page, _words: Words) -> None:
    page.goto("/mailbox/")


# A picture's name, whose mailbox it shows, the way there, and what of it is shown.
PICTURES: tuple[tuple[str, str, Callable[[Page, Words], None], str], ...] = (
    ("mailbox", CHLOE, mailbox, WINDOW),
    ("rules", CHLOE, mailbox, RULES),
    ("devices", CHLOE, devices, PAGE),
    ("connecting", ALICE, connecting, PROGRAM),
    ("message", CHLOE, message, PAGE),
    ("recovery", CHLOE, recovery, PAGE),
    ("diary", CHLOE, diary, PAGE),
)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="popadmin-pictures-") as folder:
        ports = dict(zip(LISTENS, free_ports(len(LISTENS)), strict=True))
        listens = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
        environment = {**os.environ, **SHOWN, **listens, "POPADMIN_DATA_DIR": folder}
        environment.pop("DATABASE_URL", None)
        command = [sys.executable, "manage.py", "up", "--demo"]
        said = Path(folder) / "said"
        with said.open("w") as log, running(command, env=environment, stdout=log, stderr=log):
            until(lambda: RUNS in said.read_text(), f"the demo is made: {said.read_text()}", START_SECONDS)
            passwords = json.loads((Path(folder) / "demo.json").read_text())["passwords"]
            _take_all(f"http://{listens['WEB_LISTEN']}", passwords)


def _take_all(site: str, passwords: dict[str, str]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET))
        for words in LANGUAGES:
            pages = {who: _signed_in(browser, site, words, who, passwords[who]) for who in (CHLOE, ALICE)}
            _rename(pages[CHLOE], words)
            for name, who, go, selector in PICTURES:
                go(pages[who], words)
                _take(pages[who], selector, FOLDER / f"{name}-{words.language}.png")
        browser.close()


def _signed_in(browser: Browser, site: str, words: Words, who: str, password: str) -> Page:
    context = browser.new_context(
        base_url=site, locale=words.locale, color_scheme="light", viewport={"width": WIDTH, "height": HEIGHT}
    )
    page = context.new_page()
    page.goto("/")
    page.locator("[name=login], [name=username], [name=address]").first.fill(who)
    page.locator("[name=password]").fill(password)
    page.locator("main .btn-primary").first.click()
    page.wait_for_url("**/mailbox/")
    return page


def _rename(page: Page, words: Words) -> None:
    for name, called in words.devices.items():
        page.goto("/devices/")
        page.get_by_role("link", name=name).click()
        page.locator("form[action$='/name/'] [name=name]").fill(called)
        page.locator("form[action$='/name/'] button").click()


def _take(page: Page, selector: str, file: Path) -> None:
    """Of the element, as far as the window shows it. The values of a program are shown whole: they belong together."""
    page.wait_for_load_state("networkidle")
    height = TALL if selector == PROGRAM else HEIGHT
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.locator(selector).scroll_into_view_if_needed()
    box = page.evaluate("name => document.querySelector(name).getBoundingClientRect().toJSON()", selector)
    top, bottom = max(0, box["top"]), min(height, box["bottom"])
    area = {"x": box["x"], "y": top, "width": box["width"], "height": bottom - top}
    page.screenshot(path=file, clip=area, animations="disabled")


if __name__ == "__main__":
    main()
