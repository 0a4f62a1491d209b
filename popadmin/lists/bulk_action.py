"""The interface of a bulk action: a form, a preview, and steps that do or undo it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise

from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected

Back = dict[str, Any]  # JSON: what undoing needs


@dataclass(frozen=True, slots=True)
class Done:
    """The result for one row. `back` undoes it; it is None when nothing was done, or nothing can be undone."""

    text: str
    back: Back | None = None


class Act(Protocol):
    """An action on selected rows, done `step_rows` rows at a time, so that one step takes less than a second.

    `do` and `undo` run in a transaction and return an answer for each row; Rejected gives the reason of a refusal.
    """

    @property
    def label(self) -> Promise: ...

    @property
    def danger(self) -> bool: ...

    @property
    def step_rows(self) -> int: ...

    def form(self, request: HttpRequest, asked: Mapping[str, Any] | None) -> forms.Form:
        """The form of its fields, empty if it needs none; bound to `asked` unless that is None."""

    def pinned(self, fields: dict[str, Any]) -> dict[str, str]:
        """More data for `form` at each step, so that the form refuses a row that has changed since the preview."""

    def preview(self, rows: QuerySet[Any], fields: dict[str, Any]) -> Iterable[str]:
        """Sentences on what it would do; empty ones are skipped. The number of statements is fixed."""

    def do(self, rows: Sequence[Any], fields: dict[str, Any], actor: Actor) -> Sequence[Done | Rejected]:
        """Apply the action to these rows."""

    def undo(self, backs: Mapping[str, Back], actor: Actor) -> Sequence[str | Rejected]:
        """Undo it, by the names of the rows; return a text on the state of each row, or why it was not undone."""
