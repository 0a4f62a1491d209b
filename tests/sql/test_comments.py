"""Each statement of the mail path says what it is for, who calls it, what it takes, locks and costs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailstore.management.commands import sql
from mailstore.pg.statement import Statement
from mailstore.sql import connection_pool
from mailstore.sql.django_statement import DjangoStatement, django_statement

MAILSTORE = Path(__file__).parents[2] / "mailstore"
STATEMENTS = {one.name.decode(): one for one in (*connection_pool.READS, *connection_pool.WRITES)}
ON_DJANGO = {one.name: one for one in sql.ON_DJANGO}


@pytest.fixture(params=sorted(STATEMENTS))
def one(request: pytest.FixtureRequest) -> Statement:
    return STATEMENTS[request.param]


def test_no_part_of_its_comment_is_empty(one: Statement) -> None:
    comment = one.comment
    assert all((comment.purpose, comment.caller, comment.locks, comment.round_trips))
    assert all(comment.parameters.values())


def test_each_number_in_its_sql_is_a_parameter_with_a_name(one: Statement) -> None:
    assert {int(number) for number in re.findall(r"\$(\d+)", one.sql)} == set(range(1, len(one.names) + 1))
    assert list(one.comment.parameters) == list(one.names)


def test_its_callers_are_files_that_use_it(one: Statement) -> None:
    callers = re.findall(r"[\w/]+\.py", one.comment.caller)
    constant = re.compile(rf"\b{one.name.decode().upper()}\b")
    assert callers
    assert [caller for caller in callers if not constant.search((MAILSTORE / caller).read_text())] == []


def test_its_text_is_the_whole_statement_below_the_whole_comment(one: Statement) -> None:
    lines = one.text().splitlines()
    comment = [line.removeprefix("-- ") for line in lines if line.startswith("-- ")]
    assert comment[0] == f"{one.name.decode()}: {one.comment.purpose}"
    assert comment[1] == f"Caller: {one.comment.caller}"
    assert comment[-2:] == [f"Locks: {one.comment.locks}", f"Round trips: {one.comment.round_trips}"]
    sql = "\n".join(line for line in lines if not line.startswith("-- "))
    assert re.sub(r"\s+", " ", sql).strip(" ;") == re.sub(r"\s+", " ", one.sql).strip()


@pytest.fixture(params=sorted(ON_DJANGO))
def on_django(request: pytest.FixtureRequest) -> DjangoStatement:
    return ON_DJANGO[request.param]


def test_no_part_of_the_comment_is_empty_on_djangos_connection_either(on_django: DjangoStatement) -> None:
    comment = on_django.comment
    assert all((comment.purpose, comment.caller, comment.locks, comment.round_trips, comment.parameters))
    assert all(comment.parameters.values())


def test_each_name_in_the_sql_of_djangos_connection_has_a_meaning(on_django: DjangoStatement) -> None:
    assert set(re.findall(r"%\((\w+)\)s", on_django.sql)) == set(on_django.comment.parameters)


def test_a_statement_that_names_a_parameter_without_a_meaning_is_refused() -> None:
    with pytest.raises(ValueError, match="names \\['mailbox'\\]"):
        django_statement(
            "x", lambda _tables: "SELECT %(mailbox)s", purpose="", caller="", parameters={}, locks="", round_trips=""
        )


def test_its_callers_on_djangos_connection_are_files_that_use_it(on_django: DjangoStatement) -> None:
    (caller,) = re.findall(r"[\w/]+\.py", on_django.comment.caller)
    assert re.search(rf"\b{on_django.name.upper()}\b", (MAILSTORE / caller).read_text())


def test_its_text_has_the_sql_on_the_real_tables_below_the_whole_comment(on_django: DjangoStatement) -> None:
    lines = on_django.text().splitlines()
    comment = [line.removeprefix("-- ") for line in lines if line.startswith("-- ")]
    assert comment[0] == f"{on_django.name}: {on_django.comment.purpose}"
    named = [f"  %({name})s: {meaning}" for name, meaning in on_django.comment.parameters.items()]
    assert comment[3:-2] == named
    sql = "\n".join(line for line in lines if not line.startswith("-- "))
    assert re.sub(r"\s+", " ", sql).strip(" ;") == re.sub(r"\s+", " ", on_django.sql).strip()
