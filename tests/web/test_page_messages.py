"""Notices on a page have the colour of their level."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.template.loader import render_to_string

STYLES = Path(__file__).resolve().parents[2] / "static/vendor/bootstrap/bootstrap.min.css"


def classes(level: int) -> list[str]:
    page = render_to_string("page.html", {"messages": [Message(level, "It was so.")], "theme": "auto"})
    found = re.search(r'<p class="([^"]+)"[^>]*>It was so', page)
    assert found
    return found[1].split()


def test_an_error_looks_like_one() -> None:
    assert classes(constants.ERROR) == ["alert", "alert-danger"]


@pytest.mark.parametrize("level", constants.DEFAULT_LEVELS.values(), ids=constants.DEFAULT_LEVELS.keys())
def test_every_level_has_a_colour(level: int) -> None:
    for name in classes(level):
        assert f".{name}{{" in STYLES.read_text()
