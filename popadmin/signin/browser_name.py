"""A short name of a browser from its User-Agent, so that users recognise it. It decides nothing."""

from __future__ import annotations

from django.utils.translation import gettext as _

# Browsers also send the names of others: the first match is right.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
KEPT_CHARACTERS = 300  # of the User-Agent; the names are within them


def browser(agent: str) -> str:
    """Return a name such as `Firefox, Windows`; "another browser" if unknown."""
    known = [next((name for mark, name in names if mark in agent), "") for names in (BROWSERS, SYSTEMS)]
    return ", ".join(filter(None, known)) or _("another browser")
