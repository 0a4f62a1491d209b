"""Targets of aliases that lead to nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from mailstore.directory import alias_reach, alias_targets, aliases, domains, mailbox_removal
from mailstore.models import Alias, Domain
from tests.site.rows import ACTOR, a_domain, a_mailbox

pytestmark = pytest.mark.django_db


def unknown(*targets: str, **among: Any) -> set[str]:
    return alias_targets.unknown(targets, within=Domain.objects.filter(removed_at=None, **among))


def test_what_nothing_answers_for_is_named() -> None:
    a_mailbox("ann@example.org")
    aliases.ensure("info@example.org", ["ann@example.org"], actor=ACTOR)
    assert unknown("ann@example.org", "ann+list@example.org", "info@example.org") == set()
    assert unknown("bob@example.org", "away@elsewhere.example") == {"bob@example.org"}


def test_a_catch_all_answers_for_every_name_of_its_domain() -> None:
    a_domain()
    aliases.ensure("@example.org", ["away@elsewhere.example"], actor=ACTOR)
    assert unknown("bob@example.org") == set()


def test_what_is_removed_expired_or_off_answers_for_nothing() -> None:
    a_mailbox("ann@example.org")
    mailbox_removal.remove("ann@example.org", actor=ACTOR, with_mail=True)
    for name in ("off", "old"):
        aliases.ensure(f"{name}@example.org", ["away@elsewhere.example"], actor=ACTOR, active=name != "off")
    Alias.objects.filter(address="old@example.org").update(expires_at=timezone.now() - timedelta(days=1))
    wanted = {"ann@example.org", "off@example.org", "old@example.org"}
    assert unknown(*wanted) == wanted


def test_a_domain_that_is_an_alias_is_followed() -> None:
    a_mailbox("ann@example.org")
    a_domain("alias.example", stands_for=domains.get("example.org"))
    assert unknown("ann@alias.example", "bob@alias.example") == {"bob@alias.example"}


def test_the_list_finds_the_same_targets_as_each_row_names() -> None:
    a_mailbox("ann@example.org")
    for name, other in (("alias.example", "example.org"), ("left.example", "gone.example")):
        a_domain(other)
        a_domain(name, stands_for=domains.get(other))
    aliases.ensure("info@gone.example", ["ann@example.org"], actor=ACTOR)
    Domain.objects.filter(name="gone.example").update(removed_at=timezone.now())
    lost = {"bob@example.org", "bob@alias.example", "info@left.example", "+@example.org"}
    found = {"ann@example.org", "ann+x@alias.example", "away@elsewhere.example", "info@gone.example"}
    for number, target in enumerate(sorted(lost | found)):
        Alias.objects.create(address=f"to{number}@example.org", domain=domains.get("example.org"), targets=[target])
    listed = Alias.objects.filter(alias_reach.leads_to_nobody(), address__startswith="to")
    assert {row.targets[0] for row in listed} == unknown(*lost, *found) == lost


def test_a_domain_that_stands_for_one_the_reader_may_not_see_is_not_told_of() -> None:
    a_domain("theirs.example")
    a_domain("mine.example", stands_for=domains.get("theirs.example"))
    a_domain()
    aliases.ensure("info@example.org", ["bob@mine.example"], actor=ACTOR)
    assert unknown("bob@mine.example", name="mine.example") == set()
    assert not Alias.objects.filter(alias_reach.leads_to_nobody([domains.get("mine.example").pk])).exists()


def test_what_the_reader_may_not_see_is_not_told() -> None:
    a_domain("theirs.example")
    assert unknown("bob@theirs.example") == {"bob@theirs.example"}
    assert unknown("bob@theirs.example", name="mine.example") == set()


def test_it_costs_the_same_statements_for_many(django_assert_max_num_queries: Any) -> None:
    a_domain()
    with django_assert_max_num_queries(2):
        unknown(*(f"box{number}@example.org" for number in range(60)))


def test_many_aliases_are_looked_through_at_once_and_not_each_for_itself() -> None:
    domain = domains.get(a_domain())
    Alias.objects.bulk_create(
        Alias(address=f"a{n}@example.org", domain=domain, targets=[f"b{n}@example.org"]) for n in range(2000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE mailstore_alias")
    plan = Alias.objects.filter(alias_reach.leads_to_nobody()).explain()
    assert "SubPlan" not in plan, plan
