"""The findings of axe-core on a page, by WCAG 2.2 A and AA and best practices, as text."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
CONTRAST = {"resultTypes": ["violations"], "runOnly": {"type": "rule", "values": ["color-contrast"]}}
axe = Axe()


def findings(page: Page, rules: dict[str, object] = RULES) -> list[str]:
    """Each with the rule and where it is broken; none is what we want."""
    return [
        f"{one['id']}: {one['help']} at {', '.join(str(node['target']) for node in one['nodes'][:3])}"
        for one in axe.run(page, options=rules).response["violations"]
    ]
