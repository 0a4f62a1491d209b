"""A real browser (chromium) on a real server; every error of a page is collected."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_MS = 15_000  # a page that is not there by then will not come; a busy machine needs some of it
QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM.exists() or os.environ.get("CI") == "true":
        return
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason=f"{CHROMIUM} is not installed (Debian package chromium)"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Ended with the module: while it lives, its loop runs in this thread, and no other test could have one."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET))
        yield started
        started.close()


class Complaints(list[str]):
    """What the browser's console said against our pages: errors, warnings, violations of the content policy."""

    def listen(self, page: Page) -> Page:
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("requestfailed", lambda request: self._failed(request.url, request.failure or ""))
        return page

    def _failed(self, url: str, why: str) -> None:
        if why != "net::ERR_ABORTED":  # the browser itself drops what it still loads when the next page is asked for
            self.append(f"{url}: {why}")

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.append(text)


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Empty at the end of each test, unless the test has taken out what it expected."""
    heard = Complaints()
    yield heard
    assert heard == []


@pytest.fixture
def visit(browser: Browser, live_server, complaints: Complaints) -> Iterator[Any]:
    """Called, it opens a page in a fresh context; the arguments are those of a browser context."""
    contexts = []

    def fresh(**options: Any) -> Page:
        contexts.append(browser.new_context(base_url=live_server.url, **{"locale": "en-GB", **options}))
        contexts[-1].set_default_timeout(PATIENCE_MS)
        return complaints.listen(contexts[-1].new_page())

    yield fresh
    for context in contexts:
        context.close()
