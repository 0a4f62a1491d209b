"""What a list is made of: its columns with their order, its filters. Declared, not worked out here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import F, QuerySet
from django.db.models.expressions import Combinable
from django.forms.renderers import BaseRenderer
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

SEARCH_CHARACTERS = 3  # an index of trigrams knows nothing shorter
Rows = QuerySet[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A heading. `order` is what it sorts by: an expression that is never NULL; None where there is no sorting.

    `down` is true where the first click brings the largest first, as with sizes and times.
    """

    name: str
    label: Promise
    order: Combinable | None = None
    down: bool = False
    css: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A column, one way or the other; in the query string its name, with a minus for the largest first."""

    column: Column
    down: bool

    def __str__(self) -> str:
        return f"-{self.column.name}" if self.down else self.column.name

    @property
    def expression(self) -> Combinable:
        return self.column.order or F("pk")


@dataclass(frozen=True, slots=True)
class Exported:
    """A column of the CSV file: its heading, and its cell of a row."""

    heading: Promise
    cell: Callable[[Any], object]


class Suggested(forms.NumberInput):
    """Any number, with some that are offered."""

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


class Search(forms.CharField):
    """Any part of what an index of trigrams holds; of fewer than SEARCH_CHARACTERS, what it begins with."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)


class Filters(forms.Form):
    """No field is required. For each field NAME there is a method `by_NAME(rows, value)` that narrows the rows."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required = False

    def narrow(self, rows: Rows) -> Rows:
        """The rows that all the given values leave; a value that is none of the allowed is told beside its field."""
        self.is_valid()
        for name, value in self.given().items():
            rows = getattr(self, f"by_{name}")(rows, value)
        return rows

    def given(self) -> dict[str, Any]:
        """The values that narrow anything."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "", [])}

    def short(self) -> bool:
        """Whether a search is for so few characters that only beginnings were looked at."""
        return any(
            isinstance(self.fields[name], Search) and len(value) < SEARCH_CHARACTERS
            for name, value in self.given().items()
        )


def orders(columns: tuple[Column, ...]) -> dict[str, Order]:
    """Every order by its text in the query string; the first is the one of a list that nobody sorted."""
    sortable = [column for column in columns if column.order is not None]
    found = [Order(column, way) for column in sortable for way in (column.down, not column.down)]
    return {str(order): order for order in found}
