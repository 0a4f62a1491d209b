"""New addresses that could be taken for others of their domain: refused, unless that is meant."""

from __future__ import annotations

import pytest
from django.db import connection

from mailstore.directory import aliases, mailbox_batch, mailboxes
from mailstore.directory.mailbox_judge import Wanted
from mailstore.directory.outcome import Rejected
from mailstore.models import Alias, User
from mailstore.models.columns import NOT_ASCII
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox

pytestmark = pytest.mark.django_db
MIXED = "\u0430nn@example.org"  # a Cyrillic letter, then Latin ones
CYRILLIC_POPE = "\u0440\u043e\u0440\u0435@example.org"
WIDE = "\uff41\uff4e\uff4e@example.org"
TO = ["there@elsewhere.example"]


@pytest.mark.parametrize("kind", ["m", "a"])
def test_mixed_letters_are_refused_unless_they_are_meant(kind: str) -> None:
    a_domain()
    with pytest.raises(Rejected, match=r"mixes letters that look alike \(Cyrillic, Latin\)") as refused:
        make(kind, MIXED)
    assert refused.value.field == "address"


@pytest.mark.parametrize("first", [CYRILLIC_POPE, "pope@example.org"])
@pytest.mark.parametrize("kinds", ["mm", "ma", "am", "aa"])
def test_what_looks_like_a_mailbox_or_an_alias_is_refused(first: str, kinds: str) -> None:
    a_domain()
    second = "pope@example.org" if first == CYRILLIC_POPE else CYRILLIC_POPE
    make(kinds[0], first)
    with pytest.raises(Rejected, match="which exists here"):
        make(kinds[1], second)
    make(kinds[1], second, look_alike=True)
    assert User.objects.filter(address=second).exists() is (kinds[1] == "m")


def make(kind: str, address: str, **how: bool) -> None:
    if kind == "m":
        mailboxes.ensure(address, actor=ACTOR, password=PASSWORD, **how)
    else:
        aliases.ensure(address, TO, actor=ACTOR, **how)


def test_wide_letters_look_like_narrow_ones() -> None:
    a_mailbox()
    with pytest.raises(Rejected, match=r"looks like ann@example\.org"):
        mailboxes.ensure(WIDE, actor=ACTOR)


@pytest.mark.parametrize("address", ["иван@example.org", "дом.shop@example.org", "zoë@example.org", "太郎@example.org"])
def test_an_honest_name_is_made(address: str) -> None:
    a_mailbox()
    assert mailboxes.ensure(address, actor=ACTOR).created


def test_another_domain_has_its_own_names_and_a_forward_is_no_new_name() -> None:
    a_mailbox("pope@other.example")
    a_domain()
    assert mailboxes.ensure(CYRILLIC_POPE, actor=ACTOR).created
    mailboxes.ensure("pope@example.org", actor=ACTOR, look_alike=True)
    assert aliases.ensure(CYRILLIC_POPE, TO, actor=ACTOR, keep_copy=True).created
    assert not mailboxes.ensure(CYRILLIC_POPE, actor=ACTOR, name="Pope").created


def test_of_two_in_one_batch_the_second_is_refused() -> None:
    a_domain()
    wanted = [Wanted("pope@example.org", {}), Wanted(CYRILLIC_POPE, {})]
    first, second = mailbox_batch.ensure(wanted, actor=ACTOR)
    assert not isinstance(first, Rejected)
    assert isinstance(second, Rejected)


@pytest.mark.parametrize(("model", "index"), [(User, "user_not_ascii"), (Alias, "alias_not_ascii")])
def test_what_is_in_other_letters_is_found_by_its_index(model: type[User] | type[Alias], index: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert index in model._default_manager.filter(NOT_ASCII).order_by().explain()
