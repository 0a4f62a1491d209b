"""The interface of a bulk action: a form, a preview, and steps that do or undo it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise

from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from popadmin.web import formats

Result = TypeVar("Result")
UndoData = dict[str, Any]  # JSON: what undoing needs


@dataclass(frozen=True, slots=True)
class Done:
    """The result for one row. `undo_data` undoes it; it is None when nothing was done, or nothing can be undone."""

    text: str
    undo_data: UndoData | None = None


def counted(text: Promise, number: int) -> str:
    """Return the lazy plural text of an action for so many rows."""
    return str(text % {"number": number, "count": formats.count(number)})


def counted_rows(rows: QuerySet[Any], text: Promise) -> str:
    """Return the plural text for the number of these rows; empty if there are none."""
    number = rows.count()
    return counted(text, number) if number else ""


def refusal_or(operation: Callable[..., Result], *arguments: Any) -> Result | Rejected:
    """Return the result of the operation on one row, or its refusal."""
    try:
        return operation(*arguments)
    except Rejected as refusal:
        return refusal


class BulkAction(Protocol):
    """An action on selected rows, done `step_rows` rows at a time, so that one step takes less than a second.

    `do` and `undo` run in a transaction and return an answer for each row; Rejected gives the reason of a refusal.
    """

    @property
    def label(self) -> Promise: ...

    @property
    def button(self) -> Promise:
        """Return the plural text of the button that starts it: "Suspend 4 mailboxes"."""

    @property
    def outcome(self) -> Promise:
        """Return the plural text of what was done: "4 mailboxes suspended"."""

    @property
    def danger(self) -> bool: ...

    @property
    def step_rows(self) -> int: ...

    def form(self, request: HttpRequest, data: Mapping[str, Any] | None) -> forms.Form:
        """Return the form of its fields, empty if it needs none; bound to `data` unless that is None."""

    def extra_data(self, fields: dict[str, Any]) -> dict[str, str]:
        """Return more data for `form` at each step, so that it refuses what has changed since the preview."""

    def preview(self, rows: QuerySet[Any], fields: dict[str, Any]) -> Iterable[str]:
        """Return sentences on its effects; empty ones are skipped. The number of SQL statements is fixed."""

    def do(self, rows: Sequence[Any], fields: dict[str, Any], actor: Actor) -> Sequence[Done | Rejected]:
        """Apply the action to these rows."""

    def undo(self, undo_data: Mapping[int, UndoData], actor: Actor) -> Sequence[str | Rejected]:
        """Undo it, by the keys of the rows; return a text on the state of each row, or why it was not undone."""
