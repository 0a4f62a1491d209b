"""How the mail path finds its rows: by keys, also on a small site, whose tables a planner would rather walk through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from mailstore.models import Body
from mailstore.pg.open_connection import SESSION_OPTIONS
from mailstore.pg.statement import Statement
from mailstore.sql import connection_pool
from mailstore.sql.statements import ANY_BODY, STORE_TIE

MESSAGES = 1600
COPIES = """
    WITH made AS (
        INSERT INTO mailstore_body (key, wire_octets, octets, digest, created_at)
        SELECT md5(n::text), 100, 100, decode(md5(n::text), 'hex'), now() FROM generate_series(1, %(count)s) AS n
     RETURNING id)
    INSERT INTO mailstore_message (mailbox_id, body_id, uidl, prefix, octets, arrived_at, added, removed_why)
    SELECT id %% 50, id, 'uidl-' || id, '', 100, now(), row_number() OVER (), '' FROM made
"""
LARGE = {"mailstore_message", "mailstore_body"}
ANY = {ANY_BODY, STORE_TIE}  # which ask whether there is any body
STATEMENTS = [one for one in (*connection_pool.READS, *connection_pool.WRITES) if one not in ANY]


@pytest.fixture
def small_site(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL random_page_cost = 4")  # Postgres' own, on a server that is not ours
        for name, value in re.findall(r"-c (\w+)=(\S+)", SESSION_OPTIONS):
            cursor.execute(f"SET LOCAL {name} = '{value}'")
        cursor.execute(COPIES, {"count": MESSAGES})
        assert Body.objects.count() == MESSAGES


@pytest.mark.parametrize("known", [False, True], ids=["before statistics", "with statistics"])
def test_mail_and_bodies_are_found_by_their_keys(small_site: None, known: bool) -> None:
    with connection.cursor() as cursor:
        if known:
            cursor.execute("ANALYZE")
    assert [one.name for one in STATEMENTS if walked(one) & LARGE] == []


def walked(statement: Statement) -> set[str]:
    """The tables that the statement's plan walks through."""
    nothing = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", statement.sql))))
    with connection.cursor() as cursor:
        cursor.execute(f"PREPARE planned AS {statement.sql}".replace("%", "%%"), [])
        cursor.execute(f"EXPLAIN (FORMAT JSON) EXECUTE planned{f'({nothing})' if nothing else ''}")
        plan = cursor.fetchone()[0][0]["Plan"]
        cursor.execute("DEALLOCATE planned")
    return {node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)
