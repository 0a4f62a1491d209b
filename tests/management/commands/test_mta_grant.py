"""`mta grant`: a role that reads the views of the MTA and nothing else, made once, completed, or printed as SQL."""

from __future__ import annotations

import json
import os
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from mailstore.directory.mta_role import VIEWS
from tests.management.command_runner import said

pytestmark = pytest.mark.django_db
# Roles are common to all databases of the run's Postgres.
ROLE, PLAIN = f"reader_{os.getpid()}", f"plain_{os.getpid()}"
READABLE = """
    SELECT relname FROM pg_class
     WHERE relkind IN ('r', 'v') AND relnamespace = 'public'::regnamespace AND has_table_privilege(%s, oid, 'SELECT')
"""


def asked(text: str, *values: object) -> object:
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        row = cursor.fetchone()
    return row and row[0]


def test_a_new_role_gets_a_password_that_is_shown_once_and_reads_the_four_views_alone() -> None:
    done = json.loads(said("mta", "grant", "--role", ROLE, "--json"))
    assert (done["role"], done["created"]) == (ROLE, True)
    assert len(done["password"]) >= 24
    with connection.cursor() as cursor:
        cursor.execute(READABLE, [ROLE])
        assert {name for (name,) in cursor.fetchall()} == set(VIEWS)
    assert said("mta", "grant", "--role", ROLE) == f"{ROLE}: unchanged\n"


def test_what_a_role_lacks_is_completed_and_named() -> None:
    said("mta", "grant", "--role", ROLE)
    with connection.cursor() as cursor:
        cursor.execute(f"REVOKE SELECT ON mta_senders FROM {ROLE}")
        cursor.execute(f"ALTER ROLE {ROLE} CONNECTION LIMIT 7")
        cursor.execute(f"ALTER ROLE {ROLE} RESET statement_timeout")
    assert said("mta", "grant", "--role", ROLE).splitlines() == [
        f"{ROLE}: changed", "  at most 50 connections", "  statement_timeout = 2s", "  reads mta_senders"
    ]  # fmt: skip


def test_printed_sql_does_the_same_and_changes_nothing_before() -> None:
    printed = said("mta", "grant", "--role", ROLE, "--print")
    assert asked("SELECT 1 FROM pg_roles WHERE rolname = %s", ROLE) is None
    assert "SCRAM-SHA-256$" in printed
    with connection.cursor() as cursor:
        cursor.execute(printed)
    assert said("mta", "grant", "--role", ROLE) == f"{ROLE}: unchanged\n"


def test_a_role_that_can_do_more_is_somebody_elses() -> None:
    with pytest.raises(CommandError, match="can do more than read views"):
        said("mta", "grant", "--role", str(connection.settings_dict["USER"]))
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE}")
        cursor.execute(f"GRANT SELECT ON mailstore_user TO {ROLE}")
    with pytest.raises(CommandError, match="has rights on mailstore_user too"):
        said("mta", "grant", "--role", ROLE)


def test_without_the_right_to_make_roles_the_sql_is_printed_and_nothing_done() -> None:
    out = StringIO()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {PLAIN}")
        cursor.execute(f"GRANT {PLAIN} TO CURRENT_USER")
        cursor.execute(f"SET LOCAL ROLE {PLAIN}")
        with pytest.raises(CommandError, match="as a superuser of Postgres"):
            call_command("mta", "grant", "--role", ROLE, stdout=out)
        cursor.execute("RESET ROLE")
    assert f'CREATE ROLE "{ROLE}" LOGIN;\n' in out.getvalue()
    assert asked("SELECT 1 FROM pg_roles WHERE rolname = %s", ROLE) is None


def test_a_role_of_postgres_own_is_no_name() -> None:
    with pytest.raises(CommandError, match="begins with pg_"):
        said("mta", "grant", "--role", "pg_monitor")
