"""Aliases: within the domain's limit, never in a mailbox's place, never a circle."""

from __future__ import annotations

import pytest

from mailstore.directory import aliases
from mailstore.directory.outcome import Rejected
from mailstore.models import Alias, AuditEntry
from mailstore.policy.addresses import ALIAS_LEVELS_LIMIT
from tests.site.rows import ACTOR, a_domain, a_mailbox, at_once

pytestmark = pytest.mark.django_db


def test_an_alias_stands_for_its_targets_each_once_in_normal_form() -> None:
    a_domain()
    done = aliases.ensure("Info@Example.org", ["Ann@Example.com", "ann@example.com", "bob@x.org"], actor=ACTOR)
    assert (done.created, done.row.address, done.row.targets) == (
        True,
        "info@example.org",
        ["ann@example.com", "bob@x.org"],
    )


def test_a_second_ensure_says_what_it_changed() -> None:
    a_domain()
    aliases.ensure("info@example.org", ["ann@example.com"], actor=ACTOR)
    assert aliases.ensure("info@example.org", ["ann@example.com"], actor=ACTOR).changes == {}
    done = aliases.ensure("info@example.org", ["bob@example.com"], actor=ACTOR)
    assert done.changes == {"targets": (["ann@example.com"], ["bob@example.com"])}
    assert AuditEntry.objects.filter(subject="info@example.org").count() == 2


def test_a_catch_all_may_lead_to_a_mailbox_of_its_domain() -> None:
    a_mailbox("ann@example.org")
    assert aliases.ensure("@example.org", ["ann@example.org"], actor=ACTOR).created


@pytest.mark.parametrize("targets", [["info@example.org"], ["INFO+x@example.org"], ["a@x.org", "info@example.org"]])
def test_an_alias_to_itself_is_refused(targets: list[str]) -> None:
    a_domain()
    with pytest.raises(Rejected, match="back to itself"):
        aliases.ensure("info@example.org", targets, actor=ACTOR)
    assert not Alias.objects.exists()


def test_a_circle_through_others_is_refused() -> None:
    a_domain()
    aliases.ensure("b@example.org", ["c@example.org"], actor=ACTOR)
    aliases.ensure("c@example.org", ["a+detail@example.org", "out@example.com"], actor=ACTOR)
    with pytest.raises(Rejected, match="back to itself"):
        aliases.ensure("a@example.org", ["b@example.org"], actor=ACTOR)


def test_a_catch_all_to_an_unknown_name_of_its_domain_is_a_circle() -> None:
    a_domain()
    with pytest.raises(Rejected, match="back to itself"):
        aliases.ensure("@example.org", ["nobody@example.org"], actor=ACTOR)


def test_a_diamond_is_no_circle() -> None:
    a_domain()
    for address, targets in (("d", ["x@y.org"]), ("b", ["d"]), ("c", ["d"]), ("a", ["b", "c"])):
        full = [name if "@" in name else f"{name}@example.org" for name in targets]
        aliases.ensure(f"{address}@example.org", full, actor=ACTOR)
    assert Alias.objects.count() == 4


@pytest.mark.parametrize(
    ("address", "targets"),
    [
        ("info", ["a@x.org"]),
        ("@example", ["a@x.org"]),
        ("info@elsewhere.org", ["a@x.org"]),
        ("info@example.org", []),
        ("info@example.org", ["not an address"]),
        ("info@example.org", [f"a{n}@x.org" for n in range(1001)]),
    ],
)
def test_an_alias_that_cannot_be_is_refused(address: str, targets: list[str]) -> None:
    a_domain()
    with pytest.raises(Rejected):
        aliases.ensure(address, targets, actor=ACTOR)
    assert not Alias.objects.exists()


def test_a_mailbox_keeps_its_address() -> None:
    a_mailbox("ann@example.org")
    with pytest.raises(Rejected, match="is a mailbox"):
        aliases.ensure("ann@example.org", ["bob@x.org"], actor=ACTOR)


def test_the_limit_of_the_domain_holds() -> None:
    a_domain(alias_limit=1)
    aliases.ensure("a@example.org", ["x@y.org"], actor=ACTOR)
    with pytest.raises(Rejected, match="reached its alias limit"):
        aliases.ensure("b@example.org", ["x@y.org"], actor=ACTOR)


@pytest.mark.django_db(transaction=True)
def test_two_aliases_made_at_once_never_close_a_circle() -> None:
    a_domain("one.org")
    a_domain("two.org")
    done = at_once(
        lambda: aliases.ensure("a@one.org", ["b@two.org"], actor=ACTOR),
        lambda: aliases.ensure("b@two.org", ["a@one.org"], actor=ACTOR),
    )
    assert sum(isinstance(result, Rejected) for result in done) == 1


def test_a_removed_alias_is_gone_and_an_unknown_one_is_named() -> None:
    a_domain()
    aliases.ensure("info@example.org", ["x@y.org"], actor=ACTOR)
    aliases.remove("INFO@example.org", actor=ACTOR)
    with pytest.raises(Rejected, match=r"info@example\.org is not an alias"):
        aliases.remove("info@example.org", actor=ACTOR)


def test_the_list_of_a_domain_has_its_own_only() -> None:
    a_domain("one.org")
    a_domain("two.org")
    aliases.ensure("b@one.org", ["x@y.org"], actor=ACTOR)
    aliases.ensure("a@one.org", ["x@y.org"], actor=ACTOR)
    aliases.ensure("a@two.org", ["x@y.org"], actor=ACTOR)
    assert [alias.address for alias in aliases.listing("one.org")] == ["a@one.org", "b@one.org"]
    assert aliases.listing().count() == 3


def test_an_alias_reaches_no_further_than_a_delivery_would_follow_it() -> None:
    a_domain()
    for level in range(ALIAS_LEVELS_LIMIT):
        aliases.ensure(f"level{level}@example.org", [f"level{level - 1}@example.org"], actor=ACTOR)
    with pytest.raises(Rejected, match=f"{ALIAS_LEVELS_LIMIT} levels"):
        aliases.ensure("top@example.org", [f"level{ALIAS_LEVELS_LIMIT - 1}@example.org"], actor=ACTOR)
    assert not Alias.objects.filter(address="top@example.org").exists()
