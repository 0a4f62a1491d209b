"""Insert, update and look up many rows with one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, Model
from django.db.models.expressions import RawSQL


def insert(rows: Sequence[Model]) -> None:
    """Insert the rows, which are of one model, and set their primary keys.

    Takes a quarter of the time of `bulk_create`: a value that all rows share is sent once, not once a row.
    """
    if not rows:
        return
    meta = rows[0]._meta
    fields = [field for field in meta.concrete_fields if not field.primary_key]
    columns = [[_prepared(field, field.pre_save(row, add=True)) for row in rows] for field in fields]
    shared = [all(value == column[0] for value in column) for column in columns]
    names = [_quoted(field.attname) for field in fields]
    chosen = [f"%s::{_type(field)}" if one else name for field, name, one in zip(fields, names, shared, strict=True)]
    several = [(field, column) for field, column, one in zip(fields, columns, shared, strict=True) if not one]
    statement = (
        f"INSERT INTO {_quoted(meta.db_table)} ({', '.join(names)}) SELECT {', '.join(chosen)}"
        f" FROM {_unnested(['ordinal', *(field.attname for field, _column in several)], several)}"
        f" ORDER BY ordinal RETURNING {_quoted(meta.pk.attname)}"
    )
    constants = [column[0] for column, one in zip(columns, shared, strict=True) if one]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*constants, list(range(len(rows))), *(column for _field, column in several)])
        for row, (key,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk, row._state.adding, row._state.db = key, False, connection.alias


def update(rows: Sequence[Model], names: Sequence[str]) -> None:
    """Write these fields of the rows, which are of one model. Called with the rows locked.

    Takes a tenth of the time of `bulk_update`, which writes a CASE of all rows for every column.
    """
    if not rows or not names:
        return
    meta = rows[0]._meta
    fields = [field for field in meta.concrete_fields if field.primary_key or field.name in names]
    columns = [[_prepared(field, getattr(row, field.attname)) for row in rows] for field in fields]
    key = _quoted(meta.pk.attname)
    sets = ", ".join(f"{name} = new.{name}" for field in fields if (name := _quoted(field.attname)) != key)
    places = _unnested(["ordinal", *(field.attname for field in fields)], list(zip(fields, columns, strict=True)))
    statement = f"UPDATE {_quoted(meta.db_table)} AS old SET {sets} FROM {places} WHERE old.{key} = new.{key}"
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(range(len(rows))), *columns])


def user_ids(addresses: Sequence[str]) -> RawSQL:
    """Return the keys of the users that have these addresses, as a subquery, for `pk__in` or `user__in`.

    The address is compared by >= and <=, which the trigram index of the search cannot do. With =, the planner takes it
    when it knows little of the rows, just after many inserts: ten seconds for 500 addresses. The order makes it walk
    the unique index, whatever it believes about the number of rows.
    """
    return RawSQL(
        """SELECT found.id FROM unnest(%s::text[]) AS wanted (address) CROSS JOIN LATERAL (
               SELECT u.id FROM mailstore_user u WHERE u.address >= wanted.address AND u.address <= wanted.address
                ORDER BY u.address LIMIT 1) AS found""",
        [list(addresses)],
    )


def _unnested(names: Sequence[str], columns: Sequence[tuple[Field[Any, Any], list[Any]]]) -> str:
    """Return the arrays as a relation `new`; its first column numbers the rows."""
    arrays = ", ".join(["%s::int[]", *(f"%s::{_type(field)}[]" for field, _column in columns)])
    return f"unnest({arrays}) AS new ({', '.join(map(_quoted, names))})"


def _prepared(field: Field[Any, Any], value: Any) -> Any:
    return field.get_db_prep_save(value, connection)


def _type(field: Field[Any, Any]) -> str:
    return str(field.cast_db_type(connection))


def _quoted(name: str) -> str:
    return str(connection.ops.quote_name(name))
