"""Dry runs: make steps on copies of the rows of some mailboxes, and drop the copies.

For previews, in the few mailboxes where the result of one step changes that of the next. A dry run only reads the rows
themselves, so it waits for no lock, and nothing waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from types import MappingProxyType
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from mailstore.models import Body, Device, Domain, EarlierStay, Mailbox, Message, RetentionPolicy
from mailstore.sql.sweep_step import Step, SweepContext
from mailstore.sql.tables import Tables

MAILBOXES = 100  # copied at a time, with all their messages

_OWNED = "mailbox_id = ANY(%(boxes)s)"
# Which rows of each table are copied. Live and removed messages have indexes of their own, so they are read apart.
# Bodies and earlier stays are only ever destroyed, so their copies are empty.
_ROWS: dict[type[Model], tuple[str, ...]] = {
    Mailbox: ("id = ANY(%(boxes)s)",),
    Device: (_OWNED,),
    Message: (f"{_OWNED} AND removed IS NULL", f"{_OWNED} AND removed IS NOT NULL"),
    EarlierStay: (),
    Body: (),
    Domain: ("id IN (SELECT domain_id FROM dry_run_mailbox)",),
    RetentionPolicy: ("true",),
}
_NAMES: dict[type[Model], str] = {
    Mailbox: "mailbox",
    Device: "device",
    Message: "message",
    EarlierStay: "earlier_stay",
    Body: "body",
    Domain: "domain",
    RetentionPolicy: "policy",
}
_COPIES = Tables(**{name: model._meta.db_table.replace("mailstore_", "dry_run_") for model, name in _NAMES.items()})


def run_on_copies(
    steps: Iterable[Step],
    mailboxes: Iterable[int],
    context: SweepContext,
    parameters: Mapping[str, Any] = MappingProxyType({}),
) -> list[tuple[Step, tuple[int, ...]]]:
    """Make the steps that have `on_copies`; return them with their counts, once for each batch of mailboxes.

    The copies are made from the tables of `context`, which may be subqueries that take `parameters`.
    """
    order = [(step, step.on_copies) for step in steps if step.on_copies is not None]
    done = []
    keys = iter(mailboxes)
    while batch := list(islice(keys, MAILBOXES)):
        with _copies({**parameters, "boxes": batch}, context.tables) as copies:
            done += [(step, act(replace(context, tables=copies))) for step, act in order]
    return done


@contextmanager
def _copies(parameters: Mapping[str, Any], tables: Tables) -> Iterator[Tables]:
    """Return a context with temporary tables that have the rows of some mailboxes. Its end rolls them back."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            for model, rows in _ROWS.items():
                copy = getattr(_COPIES, _NAMES[model])
                cursor.execute(f"CREATE TEMPORARY TABLE {copy} (LIKE {model._meta.db_table} INCLUDING ALL)")
                # Without the headers, the bulk of a message's row.
                chosen = columns(model, **({"prefix": "''::bytea"} if model is Message else {}))
                for which in rows:
                    rows_of = f"SELECT {chosen} FROM {getattr(tables, _NAMES[model])} AS source WHERE {which}"
                    cursor.execute(f"INSERT INTO {copy} ({columns(model)}) {rows_of}", parameters)
                cursor.execute(f"ANALYZE {copy}")
        yield _COPIES
        transaction.set_rollback(True)


def columns(model: type[Model], **instead: str) -> str:
    """Return the columns of a table as a SELECT lists them; for some there is other SQL in `instead`."""
    names = [str(field.column) for field in model._meta.concrete_fields]
    return ", ".join(f"{instead[name]} AS {name}" if name in instead else name for name in names)
