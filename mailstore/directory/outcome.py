"""The outcomes of an action on rows: done, with what changed, or rejected with one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

import psycopg
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext as _

Row = TypeVar("Row", bound=Model)
Changes = dict[str, tuple[Any, Any]]


class Only(Enum):
    """Restricts an `ensure` to new rows, or to rows that are there."""

    NEW = "new"
    THERE = "there"


class Rejected(ValueError):
    """The action was refused and nothing changed. The text is one translated sentence for people.

    `field` names the argument that caused it; None if no single one did.
    """

    def __init__(self, text: str, *, field: str | None = None) -> None:
        super().__init__(text)
        self.field = field


class LostRace(Rejected):
    """Another transaction changed the same rows a moment ago. The caller can try again, and sees the new rows."""


@dataclass(frozen=True, slots=True)
class Ensured(Generic[Row]):
    """The row as it is now. `changes` maps each field that changed to (old, new); of a new row, old is the default.

    `secret` is the generated password, if there is one. It is kept nowhere else, so show it once.
    """

    row: Row
    created: bool
    changes: Changes
    secret: str | None = None


def assign(row: Model, fields: Mapping[str, Any]) -> Changes:
    """Set the fields that differ, check them, and save them unless the row is new.

    Returns what changed. Rejected when a value is not allowed.
    """
    changes = set_values(row, fields)
    if changes and not row._state.adding:
        row.save(update_fields=[*changes])
    return changes


def set_values(row: Model, fields: Mapping[str, Any]) -> Changes:
    """Set and check the fields that differ, as `assign` does, without saving."""
    changes = {name: (getattr(row, name), value) for name, value in fields.items() if getattr(row, name) != value}
    for name, (_old, new) in changes.items():
        setattr(row, name, new)
    if changes:
        _check(row, changes)
    return changes


def _check(row: Model, changes: Changes) -> None:
    """Check each changed value by its field of the model. A foreign key is checked by the database."""
    others = {field.name for field in row._meta.fields if field.is_relation or field.name not in changes}
    try:
        row.clean_fields(exclude=others)
    except ValidationError as error:
        name, texts = next(iter(error.message_dict.items()))
        label = row._meta.get_field(name).verbose_name  # type: ignore[union-attr]  # only fields of our own models
        raise Rejected(f"{label}: {texts[0]}", field=name) from error


def details(changes: Changes) -> dict[str, list[str | int | None]]:
    """Return the changes as the audit keeps them, in JSON values."""
    return {name: [_json(old), _json(new)] for name, (old, new) in changes.items()}


def _json(value: Any) -> str | int | None:
    return value if value is None or isinstance(value, int) else str(value)


def not_negative(fields: Mapping[str, Any], *names: str) -> None:
    """Refuse a negative number in any of the named fields."""
    for name in names:
        value = fields.get(name)
        if value is not None and value < 0:
            raise Rejected(_("%(name)s cannot be negative: %(value)s") % {"name": name, "value": value}, field=name)


@contextmanager
def refuse_violations(texts: Mapping[str, Promise], refusal: type[Rejected] = Rejected) -> Iterator[None]:
    """Turn the violation of a constraint named in `texts` into a `refusal` with its text.

    So the constraint decides between two actions at the same time.
    """
    try:
        yield
    except IntegrityError as error:
        cause = error.__cause__
        name = cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None
        if name is None or name not in texts:
            raise
        raise refusal(str(texts[name])) from error
