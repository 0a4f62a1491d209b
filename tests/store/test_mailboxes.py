"""Mailboxes: made within their domain's limit, changed by `ensure`, removed with everything that was theirs."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from mailstore.models import AuditEntry, Body, Device, ImportedSource, Mailbox, Message, User
from mailstore.store import admins, aliases, devices, domains, mailboxes
from mailstore.store.outcomes import Rejected
from tests.store.site import ACTOR, PASSWORD, a_body, a_domain, a_mailbox, a_message, at_once

pytestmark = pytest.mark.django_db

# Many messages, live and removed by turns, of one mailbox and with one body.
CROWD = """
INSERT INTO mailstore_message
       (mailbox_id, body_id, uidl, prefix, octets, arrived_at, added, removed, removed_at, removed_why)
SELECT %(mailbox)s, %(body)s, 'crowd-' || n, '', 100, now(), n,
       CASE WHEN n %% 2 = 0 THEN n + 1 END, CASE WHEN n %% 2 = 0 THEN now() END, ''
  FROM generate_series(1, 10000) AS n
"""


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
    box = mailboxes.get("ANN@example.org")
    assert (box.quota_octets, box.pop, box.user.is_active) == (None, False, False)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("ann", "no @"),
        ("@example.org", "part before"),
        ("a b@example.org", "part before"),
        ("ann@example", "domain name"),
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
    with pytest.raises(Rejected, match="all the mailboxes it may have"):
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


def test_a_mailbox_with_mail_is_not_removed_by_accident() -> None:
    box = a_mailbox()
    a_message(box, removed_at=timezone.now())
    with pytest.raises(Rejected, match="holds mail"):
        mailboxes.remove("ann@example.org", actor=ACTOR, with_mail=False)
    assert Message.objects.count() == 1


def test_a_held_mailbox_is_not_removed_at_all() -> None:
    a_mailbox()
    mailboxes.ensure("ann@example.org", actor=ACTOR, held=True)
    with pytest.raises(Rejected, match="on hold"):
        mailboxes.remove("ann@example.org", actor=ACTOR, with_mail=True)


def test_removal_with_mail_leaves_no_row_and_lets_go_of_bodies_nobody_else_has() -> None:
    ann, bob, shared = a_mailbox(), a_mailbox("bob@example.org"), a_body()
    own = a_message(ann).body
    a_message(ann, body=shared)
    a_message(bob, body=shared)
    devices.add("ann@example.org", "Phone", actor=ACTOR)
    ImportedSource.objects.create(mailbox=ann, source=bytes(16))
    assert mailboxes.remove("ann@example.org", actor=ACTOR, with_mail=True) == 2
    assert Mailbox.objects.get().user.address == "bob@example.org"
    assert not User.objects.filter(address="ann@example.org").exists()
    assert [Body.objects.get(pk=body.pk).unreferenced_at is None for body in (own, shared)] == [False, True]
    assert AuditEntry.objects.latest("pk").details == {"messages": 2, "octets": 200}


@pytest.mark.django_db(transaction=True)
def test_two_mailboxes_removed_at_once_leave_no_shared_body_behind() -> None:
    ann, bob = a_mailbox(), a_mailbox("bob@example.org")
    for _n in range(20):
        shared = a_body()
        a_message(ann, body=shared)
        a_message(bob, body=shared)
    done = at_once(
        lambda: mailboxes.remove("ann@example.org", actor=ACTOR, with_mail=True),
        lambda: mailboxes.remove("bob@example.org", actor=ACTOR, with_mail=True),
    )
    assert done == [20, 20]
    assert not Body.objects.filter(unreferenced_at=None).exists()


def scans_of_messages() -> int:
    """How often this transaction has read the whole table of messages."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit would check
        cursor.execute("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'mailstore_message'")
        return int(cursor.fetchone()[0])


def test_removal_of_one_mailbox_never_reads_the_mail_of_all_others() -> None:
    """Deliveries to it wait meanwhile, and so would everybody's with them once their lane is full."""
    ann, bob = a_mailbox(), a_mailbox("bob@example.org")
    a_message(ann)
    a_message(ann, removed_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(CROWD, {"mailbox": bob.pk, "body": a_body().pk})
        cursor.execute("ANALYZE mailstore_message")
    before = scans_of_messages()
    with pytest.raises(Rejected, match="holds mail"):
        mailboxes.remove("ann@example.org", actor=ACTOR, with_mail=False)
    assert mailboxes.remove("ann@example.org", actor=ACTOR, with_mail=True) == 2
    assert scans_of_messages() == before


def test_after_its_mailboxes_the_domain_can_go() -> None:
    a_mailbox()
    mailboxes.remove("ann@example.org", actor=ACTOR, with_mail=False)
    domains.remove("example.org", actor=ACTOR)
