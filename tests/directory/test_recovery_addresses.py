"""Recovery addresses: asked for, confirmed by the mailed code, removed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.directory import recovery_addresses
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, Domain, MailedCode, User
from tests.site.rows import ACTOR, a_domain, a_mailbox, at_once

pytestmark = pytest.mark.django_db
HOME = "ann@home.example"


def ann() -> User:
    return a_mailbox().user


def stored() -> str:
    return User.objects.get(address="ann@example.org").recovery_address


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def test_an_address_counts_once_its_code_was_typed() -> None:
    user = ann()
    normal, code = recovery_addresses.ask(user, "Ann@HOME.example")
    assert (normal, stored()) == (HOME, "")
    assert recovery_addresses.confirm(user, f" {code[:3]} {code[3:]} ", actor=ACTOR) == HOME
    assert stored() == HOME
    assert not MailedCode.objects.exists()


def test_neither_the_code_nor_the_whole_address_is_kept_where_others_read() -> None:
    user = ann()
    _normal, code = recovery_addresses.ask(user, HOME)
    assert code.encode() not in bytes(MailedCode.objects.get().digest)
    recovery_addresses.confirm(user, code, actor=ACTOR)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.details) == ("account.recovery-address", {"address": "a•••@home.example"})


def test_five_wrong_codes_end_the_right_one() -> None:
    user = ann()
    _normal, code = recovery_addresses.ask(user, HOME)
    for _try in range(5):
        with pytest.raises(Rejected):
            recovery_addresses.confirm(user, wrong(code), actor=ACTOR)
    with pytest.raises(Rejected):
        recovery_addresses.confirm(user, code, actor=ACTOR)
    assert recovery_addresses.pending_code(user) is None


def test_the_fifth_try_may_be_the_right_one() -> None:
    user = ann()
    _normal, code = recovery_addresses.ask(user, HOME)
    for _try in range(4):
        with pytest.raises(Rejected):
            recovery_addresses.confirm(user, wrong(code), actor=ACTOR)
    assert recovery_addresses.confirm(user, code, actor=ACTOR) == HOME


@pytest.mark.django_db(transaction=True)
def test_of_many_tries_at_once_no_more_are_looked_at() -> None:
    user = ann()
    _normal, code = recovery_addresses.ask(user, HOME)
    at_once(*[lambda: recovery_addresses.confirm(user, wrong(code), actor=ACTOR)] * 12)
    assert MailedCode.objects.get().tries_left == 0


def test_an_old_code_is_none() -> None:
    user = ann()
    _normal, code = recovery_addresses.ask(user, HOME)
    MailedCode.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Rejected):
        recovery_addresses.confirm(user, code, actor=ACTOR)


def test_a_new_code_ends_the_one_before_and_its_wrong_tries() -> None:
    user = ann()
    _normal, first = recovery_addresses.ask(user, HOME)
    _normal, second = recovery_addresses.ask(user, HOME)
    if first != second:
        with pytest.raises(Rejected):
            recovery_addresses.confirm(user, first, actor=ACTOR)
    assert recovery_addresses.confirm(user, second, actor=ACTOR) == HOME


def test_a_code_of_one_person_confirms_nothing_of_another() -> None:
    bob = a_mailbox("bob@example.org").user
    _normal, code = recovery_addresses.ask(ann(), HOME)
    with pytest.raises(Rejected):
        recovery_addresses.confirm(bob, code, actor=ACTOR)


@pytest.mark.parametrize("address", ["ann@example.org", "ANN@Example.org", "nobody", "a b@example.org", ""])
def test_what_cannot_bring_a_lost_password_back_is_refused(address: str) -> None:
    with pytest.raises(Rejected):
        recovery_addresses.ask(ann(), address)
    assert not MailedCode.objects.exists()


@pytest.mark.parametrize("address", ["bob@example.org", "bob@EXAMPLE.org", "bob@alias.example", "bob@removed.example"])
def test_an_address_in_a_domain_of_this_site_is_refused_and_said_why(address: str) -> None:
    user = ann()
    a_domain("alias.example", stands_for=user.mailbox.domain)
    Domain.objects.create(name="removed.example", removed_at=timezone.now())
    with pytest.raises(Rejected, match="choose an address elsewhere"):
        recovery_addresses.ask(user, address)
    assert not MailedCode.objects.exists()


def test_an_address_whose_domain_came_here_later_is_told_from_others() -> None:
    user = ann()
    user.recovery_address = HOME
    user.save()
    assert not recovery_addresses.is_hosted(user)
    a_domain("home.example")
    assert recovery_addresses.is_hosted(user)


def test_it_is_removed_with_what_waited_for_a_code() -> None:
    user = ann()
    _normal, code = recovery_addresses.ask(user, HOME)
    recovery_addresses.confirm(user, code, actor=ACTOR)
    recovery_addresses.ask(user, "other@home.example")
    recovery_addresses.remove(user, actor=ACTOR)
    assert stored() == ""
    assert recovery_addresses.pending_code(user) is None


def test_a_masked_address_shows_its_first_letter_and_domain() -> None:
    assert recovery_addresses.masked(HOME) == "a•••@home.example"
    assert recovery_addresses.masked("") == ""
