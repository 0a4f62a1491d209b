"""Which addresses lead to a mailbox, as a delivery would follow them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mailstore.directory import aliases, domains, mailbox_reach, mailbox_removal, mailboxes
from mailstore.models import Alias, Domain, Mailbox
from tests.site.rows import ACTOR, a_domain, a_mailbox

pytestmark = pytest.mark.django_db


def an_alias(address: str, *targets: str, **fields: Any) -> Alias:
    a_domain(address.rpartition("@")[2])
    return aliases.ensure(address, targets, actor=ACTOR, **fields).row


def found(mailbox: Mailbox, domains: list[int] | None = None) -> list[tuple[str, str]]:
    mailbox.refresh_from_db()
    return [(alias.address, alias.via) for alias in mailbox_reach.of(mailbox, domains=domains).aliases]


def test_aliases_lead_to_it_directly_and_through_others_nearest_first() -> None:
    ann = a_mailbox()
    an_alias("team@example.org", "ann@example.org", "bob@elsewhere.example")
    an_alias("all@example.org", "team@example.org")
    an_alias("joanne@example.org", "joann@elsewhere.example", "xann@example.org")
    assert found(ann) == [("team@example.org", ""), ("all@example.org", "team@example.org")]


def test_a_detail_an_alias_domain_and_a_catch_all_lead_there_too() -> None:
    ann = a_mailbox()
    domains.ensure("alt.example", actor=ACTOR, stands_for=Domain.objects.get(name="example.org"))
    an_alias("detail@example.org", "ann+lists@example.org")
    an_alias("other@elsewhere.example", "ann@alt.example")
    an_alias("@example.org", "ann@example.org")
    assert {address for address, _via in found(ann)} == {
        "@example.org", "detail@example.org", "other@elsewhere.example"
    }  # fmt: skip
    assert [domain.name for domain in mailbox_reach.of(ann, domains=None).domains] == ["alt.example"]


def test_what_is_off_expired_suspended_or_removed_leads_nowhere() -> None:
    ann, bob = a_mailbox(), a_mailbox("bob@example.org")
    an_alias("off@example.org", "ann@example.org", active=False)
    an_alias("old@example.org", "ann@example.org")
    Alias.objects.filter(address="old@example.org").update(expires_at=timezone.now() - timedelta(days=1))
    an_alias("closed@closed.example", "ann@example.org")
    domains.ensure("closed.example", actor=ACTOR, active=False)
    an_alias("bob@example.org", "ann@example.org", keep_copy=True)
    assert found(ann) == [("bob@example.org", "")]
    mailboxes.ensure("bob@example.org", actor=ACTOR, receives=False)
    assert found(ann) == []
    mailboxes.ensure("bob@example.org", actor=ACTOR, receives=True)
    mailbox_removal.remove(bob.user.address, actor=ACTOR, with_mail=True)
    assert found(ann) == []


def test_its_own_forward_leads_on_and_not_to_it() -> None:
    ann = a_mailbox()
    assert mailbox_reach.of(ann, domains=None).forward is None
    an_alias("ann@example.org", "away@elsewhere.example", keep_copy=True)
    reach = mailbox_reach.of(ann, domains=None)
    assert reach.aliases == ()
    assert reach.forward is not None
    assert (reach.forward.targets, reach.forward.keep_copy) == (("away@elsewhere.example",), True)


def test_a_name_with_a_wildcard_finds_only_itself() -> None:
    ann = a_mailbox("a_n%n@example.org")
    an_alias("right@example.org", "a_n%n@example.org")
    an_alias("wrong@example.org", "axnyn@example.org")
    assert found(ann) == [("right@example.org", "")]


def test_an_alias_of_another_domain_is_not_told_to_the_admin_of_this_one() -> None:
    ann = a_mailbox()
    an_alias("theirs@other.example", "ann@example.org")
    an_alias("mine@example.org", "ann@example.org")
    assert found(ann, [ann.domain_id]) == [("mine@example.org", "")]


def test_aliases_that_lead_nowhere_else_are_told_apart() -> None:
    ann = a_mailbox()
    an_alias("info@example.org", "ann@example.org")
    an_alias("help@example.org", "info@example.org")
    an_alias("team@example.org", "ann@example.org", "bob@elsewhere.example")
    an_alias("all@example.org", "team@example.org")
    orphans = mailbox_reach.of(ann, domains=None).only_leading_here
    assert [alias.address for alias in orphans] == ["info@example.org", "help@example.org"]


def test_it_is_one_statement_and_says_when_there_are_more(django_assert_num_queries: Any) -> None:
    ann = a_mailbox()
    Alias.objects.bulk_create(
        Alias(address=f"a{n}@example.org", domain_id=ann.domain_id, targets=["ann@example.org"])
        for n in range(mailbox_reach.FOLLOWED_MOST + 1)
    )
    with django_assert_num_queries(1):
        reach = mailbox_reach.of(ann, domains=None)
    assert reach.cut


def test_of_many_names_only_some_are_followed_and_that_is_told() -> None:
    ann = a_mailbox()
    many = mailbox_reach.FOLLOWED_MOST + 5
    Alias.objects.bulk_create(
        Alias(address=f"{kind}{n:02}@example.org", domain_id=ann.domain_id, targets=[target])
        for n in range(many)
        for kind, target in (("a", "ann@example.org"), ("b", f"a{n:02}@example.org"))
    )
    reach = mailbox_reach.of(ann, domains=None)
    assert len(reach.aliases) == many + mailbox_reach.FOLLOWED_MOST
    assert reach.cut


def test_letters_with_accents_lead_there_as_others_do() -> None:
    zoe = a_mailbox("zoë@example.org")
    an_alias("info@example.org", "zoë@example.org", comment="Accueil")
    an_alias("wrong@example.org", "zoe@example.org")
    assert found(zoe) == [("info@example.org", "")]


def test_what_leads_there_is_found_by_the_index_of_the_search() -> None:
    ann = a_mailbox()
    Alias.objects.bulk_create(
        Alias(address=f"a{n}@example.org", domain_id=ann.domain_id, targets=[f"b{n}@example.org"]) for n in range(2000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE mailstore_alias")
    with CaptureQueriesContext(connection) as made:
        mailbox_reach.of(ann, domains=None)
    (statement,) = [query["sql"] for query in made]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "alias_search" in plan, plan
