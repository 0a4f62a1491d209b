"""Notices that offer Undo: said once, on the next page, with a button that takes back what was just done."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest

UNDO = "undo "  # before the URL, in the tags of the message


def undoable(request: HttpRequest, text: str, url: str) -> None:
    """Tell what was done; a POST to `url` undoes it."""
    messages.success(request, text, extra_tags=f"{UNDO}{url}")
