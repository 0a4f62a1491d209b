"""Mailboxes: made within their domain's limit, changed by `ensure`, given a password."""

from __future__ import annotations

import pytest

from mailstore.directory import admins, aliases, mailbox_lookup, mailboxes
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, Device, Mailbox, User
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox, at_once

pytestmark = pytest.mark.django_db


def test_a_new_mailbox_has_a_user_and_a_primary_main_device() -> None:
    a_domain()
    done = mailboxes.ensure("Ann@Example.org", actor=ACTOR, name="Ann", quota_octets=2**30)
    assert (done.created, done.row.user.address, done.row.user.name) == (True, "ann@example.org", "Ann")
    main = Device.objects.get(mailbox=done.row)
    assert (main.name, main.main, main.mode, main.digest) == ("main", True, "primary", None)


def test_a_generated_password_opens_the_account_and_is_told_once() -> None:
    a_domain()
    done = mailboxes.ensure("ann@example.org", actor=ACTOR)
    assert User.objects.get(address="ann@example.org").check_password(done.secret)
    assert mailboxes.ensure("ann@example.org", actor=ACTOR).secret is None
    assert done.secret not in str(list(AuditEntry.objects.values_list("details", flat=True)))


def test_a_second_ensure_with_the_same_password_changes_nothing() -> None:
    before = a_mailbox().user.password
    done = mailboxes.ensure("ann@example.org", actor=ACTOR, password=PASSWORD)
    assert (done.created, done.changes) == (False, {})
    assert User.objects.get(address="ann@example.org").password == before


def test_another_password_at_ensure_is_told_by_its_moment_only() -> None:
    a_mailbox()
    done = mailboxes.ensure("ann@example.org", actor=ACTOR, password="quite another phrase")
    assert set(done.changes) == {"password_changed_at"}
    assert User.objects.get(address="ann@example.org").check_password("quite another phrase")


def test_ensure_sets_only_what_is_given() -> None:
    a_mailbox()
    mailboxes.ensure("ann@example.org", actor=ACTOR, quota_octets=500, pop=False, suspended=True)
    done = mailboxes.ensure("ann@example.org", actor=ACTOR, quota_octets=None)
    assert done.changes == {"quota_octets": (500, None)}
    box = mailbox_lookup.get("ANN@example.org")
    assert (box.quota_octets, box.pop, box.user.is_active) == (None, False, False)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("ann", "no @"),
        ("@example.org", "part before"),
        ("a b@example.org", "part before"),
        ("ann@example", "lacks its ending"),
        ("ann@elsewhere.org", "not a domain of this site"),
        ("x" * 65 + "@example.org", "part before"),
        ("ann\0@example.org", "part before"),
    ],
)
def test_an_address_that_cannot_be_is_refused_with_its_reason(address: str, why: str) -> None:
    a_domain()
    with pytest.raises(Rejected, match=why):
        mailboxes.ensure(address, actor=ACTOR)
    assert not User.objects.exists()


@pytest.mark.parametrize("fields", [{"quota_octets": -1}, {"quota_messages": -1}, {"quota_messages": 10**30}])
def test_a_quota_that_cannot_be_is_refused(fields: dict[str, int]) -> None:
    a_domain()
    with pytest.raises(Rejected):
        mailboxes.ensure("ann@example.org", actor=ACTOR, **fields)
    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["short", "1234567890123", "password1234", "ann@example.org", "with\0a NUL in it"])
def test_a_password_against_the_rules_is_refused(password: str) -> None:
    a_domain()
    with pytest.raises(Rejected):
        mailboxes.ensure("ann@example.org", actor=ACTOR, password=password)
    assert not User.objects.exists()


def test_an_alias_keeps_its_address() -> None:
    a_domain()
    aliases.ensure("info@example.org", ["ann@example.com"], actor=ACTOR)
    with pytest.raises(Rejected, match="is an alias"):
        mailboxes.ensure("info@example.org", actor=ACTOR)


def test_an_administrator_keeps_his_login() -> None:
    a_domain()
    admins.ensure("root@example.org", actor=ACTOR)
    with pytest.raises(Rejected, match="administrator"):
        mailboxes.ensure("root@example.org", actor=ACTOR)


def test_the_limit_of_the_domain_holds() -> None:
    a_domain(mailbox_limit=1)
    mailboxes.ensure("ann@example.org", actor=ACTOR)
    with pytest.raises(Rejected, match="reached its mailbox limit"):
        mailboxes.ensure("bob@example.org", actor=ACTOR)
    assert not mailboxes.ensure("ann@example.org", actor=ACTOR, pop=False).created


@pytest.mark.django_db(transaction=True)
def test_four_at_once_never_pass_the_limit_of_the_domain() -> None:
    a_domain(mailbox_limit=2)
    done = at_once(*[lambda n=n: mailboxes.ensure(f"box{n}@example.org", actor=ACTOR) for n in range(4)])
    assert sum(isinstance(result, Rejected) for result in done) == 2
    assert Mailbox.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_same_mailbox_made_twice_at_once_is_made_once() -> None:
    a_domain()
    done = at_once(*[lambda: mailboxes.ensure("ann@example.org", actor=ACTOR).created] * 3)
    assert sorted(done) == [False, False, True]


@pytest.mark.django_db(transaction=True)
def test_a_mailbox_and_an_alias_made_at_once_never_share_an_address() -> None:
    a_domain()
    done = at_once(
        lambda: mailboxes.ensure("info@example.org", actor=ACTOR),
        lambda: aliases.ensure("info@example.org", ["ann@example.com"], actor=ACTOR),
    )
    assert sum(isinstance(result, Rejected) for result in done) == 1


def test_a_new_password_is_stored_with_its_moment() -> None:
    old = a_mailbox().user.password_changed_at
    assert mailboxes.set_password("ann@example.org", "quite another phrase", actor=ACTOR) is None
    user = User.objects.get(address="ann@example.org")
    assert user.check_password("quite another phrase")
    assert user.password_changed_at > old
