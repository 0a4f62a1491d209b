"""What steps would do to some mailboxes: they work on copies of the rows, which exist only meanwhile.

For previews of the few mailboxes where one step decides on what the next finds. Nothing waits for a dry run, and it
waits for nothing: the rows themselves are only read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

from django.db import connection, transaction

from mailstore.models import Body, Device, EarlierStay, Mailbox, Message
from mailstore.sql.sweep_step import Step, SweepContext
from mailstore.sql.tables import Tables

MAILBOXES = 100  # copied at a time, with all that is in them

_OWNED = "mailbox_id = ANY(%(boxes)s)"
# Which rows of each table are copied. Live and removed messages have indexes of their own, so they are read apart.
# Bodies and earlier stays are only ever destroyed, so their copies are empty.
_ROWS: dict[type[Mailbox | Device | Message | EarlierStay | Body], tuple[str, ...]] = {
    Mailbox: ("id = ANY(%(boxes)s)",),
    Device: (_OWNED,),
    Message: (f"{_OWNED} AND removed IS NULL", f"{_OWNED} AND removed IS NOT NULL"),
    EarlierStay: (),
    Body: (),
}
_COPIES = Tables(
    mailbox="dry_run_mailbox",
    device="dry_run_device",
    message="dry_run_message",
    earlier_stay="dry_run_earlierstay",
    body="dry_run_body",
)


def rehearsed(
    steps: Iterable[Step], mailboxes: Iterable[int], round: SweepContext
) -> list[tuple[Step, tuple[int, ...]]]:
    """Return the steps that can be made on copies, with their figures for each turn of mailboxes."""
    order = [(step, step.copied) for step in steps if step.copied is not None]
    done = []
    keys = iter(mailboxes)
    while turn := list(islice(keys, MAILBOXES)):
        with _copies(turn) as copies:
            done += [(step, act(replace(round, tables=copies))) for step, act in order]
    return done


@contextmanager
def _copies(mailboxes: list[int]) -> Iterator[Tables]:
    """Give temporary tables with the rows of these mailboxes; they go with the end of the inner transaction."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            for model, rows in _ROWS.items():
                table = model._meta.db_table
                copy = table.replace("mailstore_", "dry_run_")
                cursor.execute(f"CREATE TEMPORARY TABLE {copy} (LIKE {table} INCLUDING ALL)")
                for which in rows:
                    cursor.execute(
                        f"INSERT INTO {copy} SELECT {_columns(model)} FROM {table} WHERE {which}", {"boxes": mailboxes}
                    )
                cursor.execute(f"ANALYZE {copy}")
        yield _COPIES
        transaction.set_rollback(True)


def _columns(model: type[Mailbox | Device | Message | EarlierStay | Body]) -> str:
    """In the order of the table, which is that of its migrations; without the headers, the bulk of a message's row."""
    with connection.cursor() as cursor:
        names = [column.name for column in connection.introspection.get_table_description(cursor, model._meta.db_table)]
    return ", ".join("''::bytea" if name == "prefix" else name for name in names)
