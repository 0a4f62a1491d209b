"""The chips above a list: its ready-made views with their counts, and the filters that are given, each removable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.forms import ChoiceField
from django.forms.boundfield import BoundField
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from popadmin.lists.columns import Filters, ReadyView
from popadmin.lists.counting import COUNTED_ROWS
from popadmin.lists.list_state import State
from popadmin.web.formats import count

ALL = ReadyView(gettext_lazy("All"), {})


@dataclass(frozen=True, slots=True)
class Chip:
    """A link to a view. `level` colours its count."""

    label: Promise | str
    query: str
    count: str
    level: str
    css: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class GivenFilter:
    """A filter that narrows the list, and the query string without it."""

    text: str
    query: str


def current_view(views: Iterable[ReadyView], filters: Filters) -> ReadyView | None:
    """Return the view with the most filters that are all given; without any filter but the search, ALL."""
    given = {name: str(value) for name, value in filters.given().items() if name != filters.search}
    fitting = [view for view in views if _texts(view).items() <= given.items()]
    best = max(fitting, key=lambda view: len(view.given), default=None)
    return best if best is None or best.given or not given else None


def chips(views: Sequence[ReadyView], counts: Sequence[int | None], current: ReadyView | None) -> list[Chip]:
    return [_chip(view, number, view is current) for view, number in zip(views, counts, strict=True)]


def given_filters(state: State, current: ReadyView | None) -> list[GivenFilter]:
    """Return the given filters that neither the current view nor the search box shows."""
    shown = {state.filters.search, *(current.given if current else ())}
    return [
        GivenFilter(_text(state.filters[name], value), state.without(name))
        for name, value in state.filters.given().items()
        if name not in shown
    ]


def _chip(view: ReadyView, number: int | None, is_current: bool) -> Chip:
    query = f"?{urlencode(view.given)}"
    return Chip(view.label, query, _number(number), view.level if number else "", view.css, is_current)


def _number(number: int | None) -> str:
    if number is None:
        return ""
    return f"{count(COUNTED_ROWS)}+" if number > COUNTED_ROWS else count(number)


def _texts(view: ReadyView) -> dict[str, str]:
    return {name: str(value) for name, value in view.given.items()}


def _text(bound: BoundField, value: Any) -> str:
    if isinstance(bound.field, ChoiceField):
        value = next(label for key, label in bound.field.widget.choices if str(key) == value)
    return _("%(label)s: %(value)s") % {"label": bound.label, "value": value}
