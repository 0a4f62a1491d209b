"""A batch is as large as the machine can do in the time that a delivery may wait for it."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection
from psycopg.errors import LockNotAvailable

from mailstore.sql import prepared_statement
from mailstore.sql.locked_batch import HOLD_SECONDS, ROWS_AT_FIRST, ROWS_AT_LEAST, ROWS_AT_MOST, Pace, locked
from tests.site.rows import a_mailbox
from tests.site.worker import conninfo


@pytest.mark.parametrize(
    ("seconds_a_row", "rows"),
    [(1.0, ROWS_AT_LEAST), (HOLD_SECONDS / 200, 200), (0.0, ROWS_AT_MOST)],
    ids=["slow", "as it is", "quick"],
)
def test_the_next_batch_has_as_many_rows_as_fit_by_what_the_last_one_took(seconds_a_row: float, rows: int) -> None:
    pace = Pace()
    for _batch in range(20):
        pace.took(pace.rows, pace.rows * seconds_a_row)
    assert pace.rows == pytest.approx(rows, abs=1)


def test_a_small_batch_that_was_quick_by_chance_does_not_make_the_next_a_large_one() -> None:
    pace = Pace()
    pace.took(1, 0.0)
    assert pace.rows == 2 * ROWS_AT_FIRST


def test_batches_are_all_that_was_found_in_its_order() -> None:
    found = list(range(1234))
    batches = list(Pace().batches(found))
    assert [row for batch in batches for row in batch] == found
    assert len(batches[0]) == ROWS_AT_FIRST


@pytest.mark.django_db(transaction=True)
def test_behind_the_locks_nobody_changes_the_mailbox_and_nobody_waits_for_the_disk() -> None:
    box = a_mailbox()
    connection.cursor().execute("SET synchronous_commit TO on")
    ask = "SELECT FROM mailstore_mailbox WHERE id = %s FOR NO KEY UPDATE NOWAIT"
    with psycopg.connect(conninfo(), autocommit=True) as other:
        with locked([box.pk]):
            assert commits() == "off"
            with pytest.raises(LockNotAvailable):
                other.execute(ask, [box.pk])
        other.execute(ask, [box.pk])
    assert commits() == "on"


@pytest.mark.django_db(transaction=True)
def test_a_mailbox_that_somebody_works_on_is_left_to_the_next_pass_and_holds_up_no_other() -> None:
    busy, idle = a_mailbox("busy@example.org"), a_mailbox("idle@example.org")
    with psycopg.connect(conninfo()) as other:
        other.execute("SELECT FROM mailstore_mailbox WHERE id = %s FOR NO KEY UPDATE", [busy.pk])
        with locked([busy.pk, idle.pk]) as free:
            assert free == [idle.pk]
    with locked([busy.pk, idle.pk]) as free:
        assert free == [busy.pk, idle.pk]


@pytest.mark.django_db
def test_a_statement_is_planned_once_however_often_it_runs() -> None:
    for number in range(3):
        assert prepared_statement.fetch("SELECT %(number)s::bigint + 1", {"number": number}) == [(number + 1,)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans + custom_plans FROM pg_prepared_statements WHERE statement LIKE '%bigint + 1'"
        )
        assert cursor.fetchall() == [(3,)]


def commits() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        return cursor.fetchone()[0]
