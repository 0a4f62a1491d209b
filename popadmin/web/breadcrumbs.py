"""The way back: the pages above the one that is shown."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse_lazy
from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Crumb:
    label: Promise | str
    url: Promise | str


def crumb(label: Promise | str, name: str, *args: object) -> Crumb:
    """A page of this url name above the one that is shown; `crumbs` of a page's context lists them, the first first."""
    return Crumb(label, reverse_lazy(name, args=args))
