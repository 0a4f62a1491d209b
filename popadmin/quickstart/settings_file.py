"""The settings of the site in /etc/popadmin.env: what is there stays, what is missing is added."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mailstore.mta.setup import HIDDEN

_SETTING = re.compile(r"^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=(.*)$", re.MULTILINE)
_SECRET_KEY = re.compile(r"(SECRET_KEY\s*=\s*)\S.*")
_URL_PASSWORD = re.compile(r"(://[^:/\s]*:)\S+@")  # of the database, and of the server for our own mail


def read(path: Path) -> str:
    """Return the text of the file; empty if there is none."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def values(text: str) -> dict[str, str]:
    return {name: value.strip() for name, value in _SETTING.findall(text)}


def completed(text: str, wanted: Mapping[str, str]) -> str:
    """Return the text with the settings that it does not have yet. A line that is there is never changed."""
    there = values(text)
    added = [f"{name}={value}\n" for name, value in wanted.items() if name not in there]
    if not added:
        return text
    return f"{text.rstrip()}\n{''.join(added)}".lstrip("\n")


def without_secrets(text: str) -> str:
    """Return the text as it may be shown. Lines that are commented out lose their secrets too."""
    return _URL_PASSWORD.sub(rf"\1{HIDDEN}@", _SECRET_KEY.sub(rf"\1{HIDDEN}", text))
