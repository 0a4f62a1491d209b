"""The search of the whole panel finds what the admin may see, and nothing else."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailstore.directory import aliases, grants, policies
from tests.site.page_users import an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_domain

pytestmark = pytest.mark.django_db


def found(login: str, query: str) -> str:
    page = signed_in(login).get("/search/", {"q": query, "part": "1"})
    return page.content.decode().replace("<mark>", "").replace("</mark>", "")


def test_a_host_finds_domains_mailboxes_aliases_people_policies_and_pages() -> None:
    an_admin()
    a_domain("clinic.example")
    an_owner("clive@example.org", name="Clive Martin")
    aliases.ensure("club@example.org", ["clive@example.org"], actor=ACTOR)
    policies.ensure("Clinical records", actor=ACTOR)
    grants.ensure("clare", ["clinic.example"], actor=ACTOR, password=PASSWORD)
    page = found("root", "cl")
    for text in ("clinic.example", "clive@example.org", "club@example.org", "Clinical records", "clare"):
        assert text in page
    assert "New mailbox in clinic.example" in page
    assert "/audit/" in found("root", "audit")


def test_a_domain_admin_finds_only_what_is_theirs() -> None:
    an_admin()
    a_domain("own.example")
    an_owner("hidden@example.org")
    grants.ensure("carla", ["own.example"], actor=ACTOR, password=PASSWORD)
    page = found("carla", "e")
    assert "hidden@" not in found("carla", "hidden")
    assert "root" not in page


@pytest.mark.parametrize(
    ("query", "label", "is_for_hosts"),
    [
        ("import", "Import mailboxes", False),
        ("new mailbox", "New mailbox", False),
        ("new alias", "New alias", False),
        ("new domain", "New domain", True),
    ],
)
def test_an_action_is_found_by_its_words(query: str, label: str, is_for_hosts: bool) -> None:
    an_admin()
    a_domain("own.example")
    grants.ensure("carla", ["own.example"], actor=ACTOR, password=PASSWORD)
    assert label in found("root", query)
    assert (label in found("carla", query)) is not is_for_hosts


def test_an_owner_has_no_such_search() -> None:
    owner = an_owner()
    assert signed_in(owner.user.address).get("/search/").status_code == 404


def test_the_number_of_statements_does_not_grow_with_the_hits() -> None:
    an_admin()
    client = signed_in("root")
    for number in range(7):
        an_owner(f"clive{number}@example.org")
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/search/", {"q": "clive0"})
    with CaptureQueriesContext(connection) as many:
        answer = client.get("/search/", {"q": "clive"})
    assert "all 7" in answer.content.decode()
    assert len(many) == len(few) + 1  # the count of what is not shown


def test_a_full_mailbox_says_so_in_the_search() -> None:
    an_admin()
    full = an_owner("full@example.org", quota_octets=10_000_000)
    type(full).objects.filter(pk=full.pk).update(octets=10_000_001)
    assert "Refusing: full" in found("root", "full")


def test_an_address_that_nobody_has_leads_to_the_trace_of_its_mail() -> None:
    an_admin()
    page = signed_in("root").get("/search/", {"q": "nobody@example.org"}).content.decode()
    assert "Trace mail of" in page
    assert 'href="/trace/?q=nobody%40example.org"' in page
