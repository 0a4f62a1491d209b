"""What steps would do to some mailboxes: they are made on a copy of their rows, which is gone behind them.

For previews, of the few mailboxes where one step decides on what the next finds. Nobody waits for it: the rows
themselves are only read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

from django.db import connection, transaction

from mailstore.models import Body, Device, EarlierStay, Mailbox, Message
from mailstore.sql.sweep_step import Step, SweepContext

MAILBOXES = 100  # copied at a time, with all that is in them

# A temporary table comes before any other of its name: behind these, each statement means the copies. Bodies and
# earlier stays are only ever destroyed: empty tables keep those hands off the real ones.
_OWNED = "mailbox_id = ANY(%(boxes)s)"
_COPIED = (
    (Mailbox, ("id = ANY(%(boxes)s)",)),
    (Device, (_OWNED,)),
    (Message, (f"{_OWNED} AND removed IS NULL", f"{_OWNED} AND removed IS NOT NULL")),  # each has indexes of its own
    (EarlierStay, ()),
    (Body, ()),
)


def rehearsed(
    steps: Iterable[Step], mailboxes: Iterable[int], round: SweepContext
) -> list[tuple[Step, tuple[int, ...]]]:
    """Return the steps that can be made on a copy, with their figures for each turn of mailboxes."""
    order = [(step, step.copied) for step in steps if step.copied is not None]
    done = []
    keys = iter(mailboxes)
    while turn := list(islice(keys, MAILBOXES)):
        with _copies(turn):
            done += [(step, act(round)) for step, act in order]
    return done


@contextmanager
def _copies(mailboxes: list[int]) -> Iterator[None]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            for model, rows in _COPIED:
                table = model._meta.db_table
                cursor.execute(f"CREATE TEMPORARY TABLE copy_of_{table} (LIKE {table} INCLUDING ALL)")
                for which in rows:
                    cursor.execute(
                        f"INSERT INTO copy_of_{table} SELECT {_columns(model)} FROM {table} WHERE {which}",
                        {"boxes": mailboxes},
                    )
            for model, _rows in _COPIED:
                table = model._meta.db_table
                cursor.execute(f"ANALYZE copy_of_{table}")
                cursor.execute(f"ALTER TABLE copy_of_{table} RENAME TO {table}")
        yield
        transaction.set_rollback(True)


def _columns(model: type[Mailbox | Device | Message | EarlierStay | Body]) -> str:
    """In the order of the table, which is that of its migrations; without the headers, the bulk of a message's row."""
    with connection.cursor() as cursor:
        names: Collection[str] = [
            column.name for column in connection.introspection.get_table_description(cursor, model._meta.db_table)
        ]
    return ", ".join("''::bytea" if name == "prefix" else name for name in names)
