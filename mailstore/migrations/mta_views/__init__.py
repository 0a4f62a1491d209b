"""The views that MTAs read, for migrations: the files of their SQL, and how to change a table below them.

A file VIEW.NUMBER.sql has the text of a view since the migration of that number. The one with the highest number holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

FOLDER = Path(__file__).parent

# In the order in which they were made, so that a view comes behind those that it reads.
_SAVED = r"""
SELECT quote_ident(c.relname), pg_get_viewdef(c.oid),
       ARRAY(SELECT quote_ident(reader.rolname)
               FROM aclexplode(c.relacl) AS right_of JOIN pg_roles reader ON reader.oid = right_of.grantee
              WHERE right_of.privilege_type = 'SELECT' AND right_of.grantee <> c.relowner)
  FROM pg_class c
 WHERE c.relkind = 'v' AND c.relnamespace = current_schema()::regnamespace AND c.relname LIKE 'mta\_%'
 ORDER BY c.oid
"""


@dataclass(frozen=True, slots=True)
class _Saved:
    """A view as the database has it: its name, its query, and the roles that may read it; all quoted as needed."""

    name: str
    query: str
    readers: Sequence[str]


def define(view: str, number: str) -> migrations.RunSQL:
    """Return the operation that gives a view the text of this number, with the same columns as before.

    Those who may read the view still may. The way back is the text before, or no view.
    """
    older = sorted(file for file in FOLDER.glob(f"{view}.*.sql") if file.suffixes[0] < f".{number}")
    back = older[-1].read_text() if older else f"DROP VIEW {view}"
    return migrations.RunSQL((FOLDER / f"{view}.{number}.sql").read_text(), back)


class BelowMtaViews(migrations.SeparateDatabaseAndState):
    """Run operations that Postgres refuses for a column that a view reads: another type, or none any more.

    The views are dropped before and made again behind, with the same text and the same readers, in one transaction.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        super().__init__(database_operations=operations, state_operations=operations)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        with _set_aside(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        with _set_aside(schema_editor):
            super().database_backwards(app_label, schema_editor, from_state, to_state)


@contextmanager
def _set_aside(schema_editor: BaseDatabaseSchemaEditor) -> Iterator[None]:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_SAVED)
        views = [_Saved(*row) for row in cursor.fetchall()]
    if views:
        schema_editor.execute(f"DROP VIEW {', '.join(view.name for view in views)}")
    yield
    for view in views:
        _make_again(schema_editor, view)


def _make_again(schema_editor: Any, view: _Saved) -> None:
    schema_editor.execute(f"CREATE VIEW {view.name} AS {view.query}", params=None)
    if view.readers:
        schema_editor.execute(f"GRANT SELECT ON {view.name} TO {', '.join(view.readers)}")
