"""The way back: the pages above the one that is shown."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Crumb:
    label: Promise | str
    url: str


def crumb(label: Promise | str, name: str, *args: object) -> Crumb:
    """A page of this url name above the one that is shown; `crumbs` of a page's context lists them, the first first."""
    return Crumb(label, reverse(name, args=args))
