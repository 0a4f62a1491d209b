"""Notices on a page show their level, and what can be taken back has its button."""

from __future__ import annotations

import re

import pytest
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.template.loader import render_to_string
from django.test import RequestFactory

from popadmin.web import notices


def notice(message: Message) -> str:
    page = render_to_string("partials/notices.html", {"messages": [message]})
    found = re.search(r'<div class="notice" role="status">(.*)</div>\s*</div>', page, re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("level", "mark"),
    [(constants.ERROR, "icon-bad"), (constants.WARNING, "icon-warn"), (constants.SUCCESS, "icon-good")],
)
def test_the_icon_of_a_notice_shows_its_level(level: int, mark: str) -> None:
    said = notice(Message(level, "It was <so>."))
    assert f'class="icon {mark}"' in said
    assert "It was &lt;so&gt;." in said
    assert "<form" not in said


def test_what_can_be_taken_back_has_a_button_that_does_it() -> None:
    request = RequestFactory().get("/")
    kept: list[tuple[int, str, str]] = []
    request._messages = type(  # type: ignore[attr-defined]  # where the framework keeps them
        "Kept", (), {"add": lambda _self, level, text, extra_tags: kept.append((level, text, extra_tags))}
    )()
    notices.undoable(request, "Suspended.", "/mailboxes/1/suspension/")
    said = notice(Message(*kept[0]))
    assert 'method="post" action="/mailboxes/1/suspension/"' in said
    assert "Undo" in said
