"""Declarations of a list: its columns with their order, and its filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.db.models import F, QuerySet
from django.db.models.expressions import Combinable
from django.forms.boundfield import BoundField
from django.forms.renderers import BaseRenderer
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

from mailstore.directory.fields.field import Surface, Table

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SEARCH_CHARACTERS = 3  # a trigram index cannot find fewer
Rows = QuerySet[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `order` is the expression that sorts it (never NULL), or None if it cannot be sorted.

    `down` is True if the first click sorts the largest first, as for sizes and times.
    """

    name: str
    label: Promise
    order: Combinable | None = None
    down: bool = False
    css: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A column and a direction; in the query string its name, with a minus for descending."""

    column: Column
    down: bool

    def __str__(self) -> str:
        return f"-{self.column.name}" if self.down else self.column.name

    @property
    def expression(self) -> Combinable:
        return self.column.order or F("pk")


@dataclass(frozen=True, slots=True)
class ReadyView:
    """A ready-made view of a list: a chip with the number of its rows.

    `given` are its filters. `level` is "bad" or "warn" where each of its rows means trouble. The rows of a view that
    `is_costly` are counted only where the list is short.
    """

    label: Promise | str
    given: Mapping[str, Any]
    level: str = ""
    css: str = ""
    is_costly: bool = False


@dataclass(frozen=True, slots=True)
class Exported:
    """A column of the CSV file: its heading, and a function that returns the cell of a row."""

    heading: Promise
    cell: Callable[[Any], object]


def exported_fields(table: Table, **cells: Callable[[Any], object]) -> tuple[Exported, ...]:
    """Return a column of the CSV file for each field of a table. `cells` replaces the cells of the fields it names."""
    return tuple(
        Exported(field.heading, cells.get(field.name, field.exported_value)) for field in table.on(Surface.FILE)
    )


class Suggested(forms.NumberInput):
    """A number field that also offers suggestions."""

    def __init__(self, numbers: Sequence[int]) -> None:
        super().__init__()
        self._numbers = numbers

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        offered = f"{name}-suggested"
        box = super().render(name, value, {**(attrs or {}), "list": offered}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((number,) for number in self._numbers))
        return format_html('{}<datalist id="{}">{}</datalist>', box, offered, options)


class SearchBox(forms.CharField):
    """The search of a list. `placeholder` says what it searches; without it, the label does."""

    def __init__(self, *, label: StrOrPromise, placeholder: StrOrPromise = "", max_length: int = 254) -> None:
        box = forms.TextInput(attrs={"type": "search", "placeholder": placeholder or label})
        super().__init__(label=label, max_length=max_length, widget=box)


class Search(SearchBox):
    """Search for any part of what a trigram index holds; fewer than SEARCH_CHARACTERS find only beginnings."""


class Filters(forms.Form):
    """The filters of a list. No field is required. For each field NAME, `by_NAME(rows, value)` narrows the rows.

    The field `search` is in the row of the title, the others are behind "Filter".
    """

    search: ClassVar[str] = "q"

    @classmethod
    def views(cls) -> tuple[ReadyView, ...]:
        """Return ready-made views that follow from the filters themselves."""
        return ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required = False

    def narrow(self, rows: Rows) -> Rows:
        """Apply all valid filters to the rows; an invalid value is reported beside its field."""
        return self.narrowed(rows, self.given())

    def narrowed(self, rows: Rows, given: Mapping[str, Any]) -> Rows:
        """Apply these values, which need no validation."""
        for name, value in given.items():
            rows = getattr(self, f"by_{name}")(rows, value)
        return rows

    def given(self) -> dict[str, Any]:
        """Return the values of the filters that narrow the rows."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "", [])}

    def search_box(self) -> BoundField | None:
        return self[self.search] if self.search in self.fields else None

    def search_text(self) -> str:
        return str(self.given().get(self.search, ""))

    def others(self) -> list[BoundField]:
        """Return the fields behind "Filter"."""
        return [field for field in self if field.name != self.search]

    def short(self) -> bool:
        """Return whether a search is so short that it found only beginnings."""
        return any(
            isinstance(self.fields[name], Search) and max(map(len, value.split())) < SEARCH_CHARACTERS
            for name, value in self.given().items()
        )


class ResultFilters(Filters):
    """The filter of rows by their result, which is in their column `fate`; each result is also a view.

    A subclass names the results to choose, and which of them are `faults`.
    """

    results: ClassVar[Sequence[tuple[Any, Any]]]
    faults: ClassVar[frozenset[str]] = frozenset({"bad", "wrong"})

    @classmethod
    def views(cls) -> tuple[ReadyView, ...]:
        return tuple(
            ReadyView(capfirst(label), {"fate": fate}, "warn" if fate in cls.faults else "")
            for fate, label in cls.results
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", gettext_lazy("All rows")), *self.results]
        self.fields["fate"] = forms.ChoiceField(label=gettext_lazy("Result"), choices=choices, required=False)

    def by_fate(self, rows: Rows, fate: str) -> Rows:
        return rows.filter(fate=fate)


def orders(columns: tuple[Column, ...]) -> dict[str, Order]:
    """Return every order by its text in the query string; the first is the default."""
    sortable = [column for column in columns if column.order is not None]
    found = [Order(column, way) for column in sortable for way in (column.down, not column.down)]
    return {str(order): order for order in found}


def midnight(day: date) -> datetime:
    """Return the moment at which a day begins where the user is, for filters by days."""
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))
