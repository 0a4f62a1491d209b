"""Breadcrumbs: links to the pages above the current one."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse_lazy
from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Crumb:
    label: Promise | str
    url: Promise | str


def crumb(label: Promise | str, name: str, *args: object) -> Crumb:
    """Return a link to the page with this URL name; `crumbs` in the context lists them, the topmost first."""
    return Crumb(label, reverse_lazy(name, args=args))
