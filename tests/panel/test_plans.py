"""The queries of the panel use indexes, and never walk through all messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench import pages
from mailstore.models import Domain, DomainGrant, User
from tests.site.page_users import an_admin

SIZE = ("--domains", "600", "--mailboxes", "3000", "--messages", "15000")
MAIL = {"mailstore_message", "mailstore_body"}
SEARCHES = {
    "/mailboxes/?q=bernard@clinic-0120": "user_search",
    "/mailboxes/?q=Ès Bern": "user_search",
    "/mailboxes/?domain=c-0120": "domain_search",
    "/domains/?q=c-0120": "domain_search",
    "/aliases/?q=ias7@clinic-0120": "alias_search",
    "/aliases/?q=else7@": "alias_search",
    "/aliases/?q=NR 191": "alias_search",
    "/aliases/?state=off": "alias_off",
    "/audit/?q=Bernard@clinic-0120": "audit_search",
    "/audit/?q=chief": "audit_search",
    "/audit/?kind=domain": "audit_by_verb",
    "/audit/?via=shell": "audit_by_way",
}
ORDERS = {
    "/aliases/?sort=-made": "alias_by_age",
    "/aliases/?sort=comment": "alias_by_comment",
    "/domains/?sort=-delivered": "tally_of_a_domain",
    "/sign-ins/": "refused_name_by_age",
}

# The messages of the seed share a few bodies: with those alone it is right to read the whole table.
BODIES = """
INSERT INTO mailstore_body (key, wire_octets, octets, digest, created_at, unreferenced_at)
SELECT 'body ' || n, 1, 1, '\\x00', now(), now() FROM generate_series(1, 5000) AS n
"""


@pytest.fixture
def site(db: None) -> tuple[int, str]:
    """Key and address of a mailbox with mail."""
    call_command("seed", *SIZE, "--json")
    with connection.cursor() as cursor:
        for statement in (*pages.SAMPLE_ROWS, BODIES, "ANALYZE"):
            cursor.execute(statement)
        cursor.execute(pages.LARGEST_MAILBOX)
        box, address = cursor.fetchone()
    return int(box), str(address)


def test_what_is_searched_is_found_by_an_index(site: tuple[int, str]) -> None:
    """On so small a site a planner would rather walk, through the table or an index of something else: it may not."""
    assert missed(SEARCHES, but=("seqscan", "indexscan")) == {}


def test_an_order_is_that_of_an_index(site: tuple[int, str]) -> None:
    assert missed(ORDERS, but=("seqscan",)) == {}


def test_a_domain_admins_audit_is_found_by_his_domains(site: tuple[int, str]) -> None:
    carla = User.objects.create(address="carla")
    DomainGrant.objects.bulk_create(DomainGrant(user=carla, domain=domain) for domain in Domain.objects.all()[:3])
    assert "audit_of_a_domain" in {node.get("Index Name", "") for node in visited(browser(carla), "/audit/")}


def test_no_page_walks_through_the_mail(site: tuple[int, str]) -> None:
    box, address = site
    admin, owner = browser(an_admin()), browser(User.objects.get(address=address))
    asked = [(admin, page.path) for page in pages.of_admins(connection.connection, box)]
    asked += [(owner, page.path) for page in pages.of_owners()]
    assert {path: found for client, path in asked if (found := walked(client, path) & MAIL)} == {}


def test_a_page_plans_for_rows_in_memory_on_any_server(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting, source FROM pg_settings WHERE name IN ('jit', 'random_page_cost')")
        assert sorted(cursor.fetchall()) == [("jit", "off", "client"), ("random_page_cost", "1.1", "client")]


def missed(wanted: dict[str, str], *, but: tuple[str, ...]) -> dict[str, set[str]]:
    """The pages whose plans, made without these ways, use other indexes than is wanted, and which."""
    client = browser(an_admin())
    with connection.cursor() as cursor:
        for way in but:
            cursor.execute(f"SET LOCAL enable_{way} = off")
    used = {path: {node.get("Index Name", "") for node in visited(client, path)} for path in wanted}
    return {path: used[path] for path, index in wanted.items() if index not in used[path]}


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def walked(client: Client, path: str) -> set[str]:
    """The tables that any plan of the page walks through."""
    return {node["Relation Name"] for node in visited(client, path) if node["Node Type"] == "Seq Scan"}


def visited(client: Client, path: str) -> list[dict[str, Any]]:
    """The nodes of all plans of the page."""
    with CaptureQueriesContext(connection) as made:
        assert client.get(path).status_code == 200, path
    with connection.cursor() as cursor:
        plans = [planned(cursor, query["sql"]) for query in made if query["sql"].startswith(("SELECT", "(SELECT"))]
    return [node for plan in plans for node in nodes(plan)]


def planned(cursor: Any, statement: str) -> dict[str, Any]:
    cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
    ((plan,),) = cursor.fetchall()
    found: dict[str, Any] = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)
