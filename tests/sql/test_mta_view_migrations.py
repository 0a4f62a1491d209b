"""A migration may change a table below the views that MTAs read: they come back as they were, with their readers."""

from __future__ import annotations

import re

import pytest
from django.db import NotSupportedError, connection, migrations, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from mailstore.migrations import mta_views
from mailstore.migrations.mta_views import FOLDER, BelowMtaViews

pytestmark = pytest.mark.django_db
TYPE = migrations.AlterField("alias", "address", models.CharField(max_length=400, unique=True))


def run(operation: Operation) -> None:
    """Forwards and backwards, as a migration after all others would."""
    before = MigrationLoader(connection).project_state()
    after = before.clone()
    operation.state_forwards("mailstore", after)
    with connection.schema_editor() as editor:
        operation.database_forwards("mailstore", editor, before, after)
    with connection.schema_editor() as editor:
        operation.database_backwards("mailstore", editor, after, before)


def views() -> dict[str, tuple[str, str]]:
    """The query of each view, and its rights."""
    with connection.cursor() as cursor:
        cursor.execute(
            r"SELECT relname, pg_get_viewdef(oid), relacl::text FROM pg_class WHERE relkind = 'v' AND relname ~ '^mta_'"
        )
        return {name: (query, rights) for name, query, rights in cursor.fetchall()}


def test_postgres_refuses_another_type_below_a_view() -> None:
    with pytest.raises(NotSupportedError, match="used by a view"), transaction.atomic():
        run(TYPE)


def test_the_views_come_back_with_their_text_and_their_readers() -> None:
    with connection.cursor() as cursor:
        cursor.execute('CREATE ROLE "reader of maps"')
        cursor.execute('GRANT SELECT ON mta_aliases, mta_domains TO "reader of maps"')
    before = views()
    assert "reader of maps" in before["mta_aliases"][1]
    run(BelowMtaViews([TYPE]))
    assert views() == before


def test_the_database_has_the_newest_text_of_each_view() -> None:
    """So a file that no migration applies is found."""
    before = views()
    names = {file.name.partition(".")[0] for file in FOLDER.glob("*.sql")}
    assert names == before.keys()
    for name in sorted(names, key=lambda name: re.search(rf'"{name}"', _order()).start()):
        newest = max(FOLDER.glob(f"{name}.*.sql")).read_text()
        with connection.cursor() as cursor:
            cursor.execute(newest.replace("%", "%%"), [])
    assert views() == before


def test_a_view_is_defined_in_the_way_back_as_it_was_before() -> None:
    first = mta_views.define("mta_domains", "0108")
    assert first.reverse_sql == "DROP VIEW mta_domains"


def _order() -> str:
    return (FOLDER.parent / "0108_mta_views.py").read_text()
