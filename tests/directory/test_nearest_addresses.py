"""What was probably meant by a mistyped address: among mailboxes and aliases of the domain, the nearest first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.directory import aliases, nearest_addresses
from mailstore.directory.nearest_addresses import NEAREST_MOST, SPELLINGS_MOST
from mailstore.models import Alias, Mailbox
from mailstore.policy.likeness import edits, one_edit_away
from tests.site.rows import ACTOR, a_mailbox

pytestmark = pytest.mark.django_db


def meant(*names: str) -> dict[str, list[str]]:
    found = nearest_addresses.of(names, Mailbox.objects.filter(removed_at=None), Alias.objects.all())
    return {name: [near.address for near in nearest] for name, nearest in found.items()}


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("calire", "claire"),
        ("jhon.smith", "john.smith"),
        ("inof", "info"),
        ("jon", "john"),
        ("acceuil", "accueil"),
        ("accuiel+news", "accueil"),
        ("john.smtihh", "john.smith"),
        ("nna", "anna"),
    ],
)
def test_a_mistyped_name_is_found_by_what_is_right_in_it(typed: str, address: str) -> None:
    a_mailbox(f"{address}@example.org")
    a_mailbox("somebody.else@example.org")
    assert meant(f"{typed}@example.org") == {f"{typed}@example.org": [f"{address}@example.org"]}


@pytest.mark.parametrize("typed", ["an", "bob", "annabelle", "a", "x" * 64])
def test_another_name_is_not_taken_for_a_mistake(typed: str) -> None:
    a_mailbox("ann@example.org")
    a_mailbox("anna@other.example")
    assert meant(f"{typed}@example.org", "no address", "@example.org", typed) == {}


def test_a_mistyped_domain_leads_to_the_same_name_in_a_similar_one() -> None:
    a_mailbox("ann@example.org")
    a_mailbox("bob@elsewhere.example")
    assert meant("ann@exmaple.org", "bob@example.org") == {"ann@exmaple.org": ["ann@example.org"]}


def test_aliases_are_offered_too_while_they_are_in_effect_and_three_at_most() -> None:
    target = a_mailbox("ann@example.org").user.address
    for name in ("sales", "sale", "saless", "salses"):
        aliases.ensure(f"{name}@example.org", [target], actor=ACTOR)
    aliases.ensure("salez@example.org", [target], actor=ACTOR)
    aliases.ensure("salex@example.org", [target], actor=ACTOR)
    aliases.ensure("@example.org", [target], actor=ACTOR)
    Alias.objects.filter(address="salez@example.org").update(active=False)
    Alias.objects.filter(address="salex@example.org").update(expires_at=timezone.now() - timedelta(days=1))
    [found] = meant("salse@example.org").values()
    assert len(found) == NEAREST_MOST
    assert found[0] == "sale@example.org"
    assert not {"salez@example.org", "salex@example.org"} & set(found)


def test_a_great_many_names_cost_one_statement_of_a_bounded_size(django_assert_num_queries) -> None:
    names = [f"{'long-name' * 6}{number}@example.org" for number in range(200)]
    with django_assert_num_queries(1) as queries:
        meant(*names)
    assert queries.captured_queries[0]["sql"].count("@example.org") < 3 * SPELLINGS_MOST


def test_edits_count_neighbours_that_changed_places_once() -> None:
    assert [edits("calire", "claire", 2), edits("inof", "info", 2), edits("abc", "cab", 2)] == [1, 1, 2]
    assert edits("ann", "barbara", 2) == 3
    assert all(edits("info", name, 2) <= 1 for name in one_edit_away("info"))
