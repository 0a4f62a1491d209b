"""Removed mailboxes: as if absent while they rest, back as they were by a restore, gone with everything by a purge."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from mailstore.directory import aliases, devices, domains, mailbox_lookup, mailbox_removal, mailboxes
from mailstore.directory.outcome import Rejected
from mailstore.directory.removal_state import Removed
from mailstore.errors import BadCredentials, UnknownRecipient
from mailstore.models import AuditEntry, Body, Device, ImportedSource, Mailbox, Message, User
from mailstore.ports import Delivered, Recipient
from mailstore.transfer import mail_export, mail_import
from tests.site.mail import Mail, assert_counters_are_sums
from tests.site.rows import ACTOR, PASSWORD, a_body, a_domain, a_mailbox, a_message, at_once

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"

# Many messages, live and removed by turns, of one mailbox and with one body.
CROWD = """
INSERT INTO mailstore_message
       (mailbox_id, body_id, uidl, prefix, octets, arrived_at, added, removed, removed_at, removed_why)
SELECT %(mailbox)s, %(body)s, 'crowd-' || n, '', 100, now(), n,
       CASE WHEN n %% 2 = 0 THEN n + 1 END, CASE WHEN n %% 2 = 0 THEN now() END, ''
  FROM generate_series(1, 10000) AS n
"""


def removed(address: str = ANN) -> Removed:
    return mailbox_removal.remove(address, actor=ACTOR, with_mail=True)


# --- remove -------------------------------------------------------------------------------------------------------


def test_a_mailbox_with_mail_is_not_removed_by_accident() -> None:
    a_message(a_mailbox(), removed_at=timezone.now())
    with pytest.raises(Rejected, match="contains mail"):
        mailbox_removal.remove(ANN, actor=ACTOR, with_mail=False)
    assert mailbox_lookup.get(ANN).removed_at is None


def test_a_held_mailbox_is_not_removed_at_all() -> None:
    a_mailbox()
    mailboxes.ensure(ANN, actor=ACTOR, held=True)
    with pytest.raises(Rejected, match="on hold"):
        removed()


def test_a_removal_destroys_nothing_and_tells_who_and_how_much() -> None:
    box = a_mailbox()
    a_message(box, octets=70)
    a_message(box, octets=30)
    assert removed() == Removed(mailboxes=1, aliases=0, messages=2, octets=100)
    assert Message.objects.filter(removed=None).count() == 2
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.mailbox, entry.details) == ("mailbox.remove", box, {"messages": 2, "octets": 100})
    assert Mailbox.objects.get().removed_by == ACTOR.name


def test_what_is_removed_is_not_removed_again() -> None:
    a_mailbox()
    removed()
    with pytest.raises(Rejected, match=r"^ann@example.org was removed on .*: restore it, or delete it for good"):
        removed()


@pytest.mark.parametrize(
    "use",
    [
        lambda: mailboxes.ensure(ANN, actor=ACTOR, quota_octets=1),
        lambda: mailboxes.set_password(ANN, None, actor=ACTOR),
        lambda: mailbox_lookup.get(ANN),
        lambda: devices.add(ANN, "Phone", actor=ACTOR),
        lambda: aliases.ensure(ANN, ["bob@example.org"], actor=ACTOR),
        lambda: mail_export.run(ANN, Path("/nonexistent"), actor=ACTOR),
        lambda: mail_import.run(ANN, Path("/nonexistent"), actor=ACTOR),
    ],
    ids=["ensure", "set-password", "show", "device add", "alias ensure", "export-mail", "import-mail"],
)
def test_the_address_stays_taken_and_whoever_uses_it_is_told_what_to_do(use: object) -> None:
    a_mailbox()
    removed()
    audited = AuditEntry.objects.count()
    with pytest.raises(Rejected, match=r"was removed on .*: restore it, or delete it for good to use its name again"):
        use()
    assert AuditEntry.objects.count() == audited


@pytest.mark.django_db(transaction=True)
def test_a_removed_mailbox_takes_no_mail_and_its_catch_all_does(mail: Mail) -> None:
    a_mailbox()
    bob = a_mailbox("bob@example.org")
    found = mail.recipient(ANN)
    assert isinstance(found, Recipient)
    removed()
    assert type(mail.recipient(ANN)) is UnknownRecipient
    assert type(mail.commit([found], b"Subject: x\r\n\r\nx\r\n")[0]) is UnknownRecipient
    aliases.ensure("@example.org", ["bob@example.org"], actor=ACTOR)
    answer = mail.recipient(ANN)
    assert isinstance(answer, Recipient)
    assert answer.mailboxes == (bob.pk,)


@pytest.mark.django_db(transaction=True)
def test_the_forward_of_a_removed_mailbox_leads_nowhere_until_the_mailbox_is_restored(mail: Mail) -> None:
    a_mailbox()
    a_mailbox("bob@example.org")
    aliases.ensure(ANN, ["bob@example.org"], actor=ACTOR, keep_copy=False)
    removed()
    assert type(mail.recipient(ANN)) is UnknownRecipient
    assert not aliases.listing().exists()
    mailbox_removal.restore(ANN, actor=ACTOR)
    assert isinstance(mail.recipient(ANN), Recipient)


@pytest.mark.django_db(transaction=True)
def test_a_session_that_is_open_changes_nothing_more(mail: Mail) -> None:
    a_mailbox()
    mail.deliver(ANN)
    drop = mail.open(ANN)
    removed()
    assert type(mail.remove(drop, 1)) is BadCredentials
    assert Message.objects.get().removed is None


# --- restore ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_restore_brings_back_everything_as_it_was(mail: Mail) -> None:
    a_mailbox()
    mail.deliver(ANN)
    devices.add(ANN, "Phone", actor=ACTOR)
    drop = mail.open(ANN)
    before = mail.uidls(drop)
    removed()
    mailbox_removal.restore("Ann@Example.org", actor=ACTOR)
    assert mail.uidls(mail.open(ANN)) == before
    assert isinstance(mail.deliver(ANN), Delivered)
    assert Device.objects.count() == 2
    assert_counters_are_sums()
    assert AuditEntry.objects.latest("pk").verb == "mailbox.restore"


@pytest.mark.parametrize("act", [mailbox_removal.restore, mailbox_removal.purge_now])
def test_what_is_there_is_neither_restored_nor_purged(act: object) -> None:
    a_mailbox()
    with pytest.raises(Rejected, match="is not removed"):
        act(ANN, actor=ACTOR)
    with pytest.raises(Rejected, match="not a mailbox"):
        act("nobody@example.org", actor=ACTOR)


def test_a_removed_mailbox_leaves_room_in_its_domain_and_needs_it_to_come_back() -> None:
    a_domain(mailbox_limit=1)
    a_mailbox()
    removed()
    a_mailbox("bob@example.org")
    with pytest.raises(Rejected, match=r"reached its mailbox limit \(1\)"):
        mailbox_removal.restore(ANN, actor=ACTOR)
    domains.ensure("example.org", actor=ACTOR, mailbox_limit=2)
    assert mailbox_removal.restore(ANN, actor=ACTOR).removed_at is None


# --- purge --------------------------------------------------------------------------------------------------------


def test_a_purge_leaves_no_row_and_lets_go_of_bodies_nobody_else_has() -> None:
    ann, bob, shared = a_mailbox(), a_mailbox("bob@example.org"), a_body()
    own = a_message(ann).body
    a_message(ann, body=shared)
    a_message(ann, body=shared, removed_at=timezone.now())
    a_message(bob, body=shared)
    devices.add(ANN, "Phone", actor=ACTOR)
    ImportedSource.objects.create(mailbox=ann, source=bytes(16))
    removed()
    assert mailbox_removal.purge_now(ANN, actor=ACTOR) == Removed(1, 0, messages=3, octets=200)
    assert Mailbox.objects.get().user.address == "bob@example.org"
    assert not User.objects.filter(address=ANN).exists()
    assert [Body.objects.get(pk=body.pk).unreferenced_at is None for body in (own, shared)] == [False, True]
    assert AuditEntry.objects.latest("pk").details == {"messages": 3, "octets": 200}


def test_after_a_purge_the_address_is_free() -> None:
    a_mailbox()
    removed()
    mailbox_removal.purge_now(ANN, actor=ACTOR)
    assert mailboxes.ensure(ANN, actor=ACTOR, password=PASSWORD).created


@pytest.mark.django_db(transaction=True)
def test_two_mailboxes_purged_at_once_leave_no_shared_body_behind() -> None:
    ann, bob = a_mailbox(), a_mailbox("bob@example.org")
    for _n in range(20):
        shared = a_body()
        a_message(ann, body=shared)
        a_message(bob, body=shared)
    removed()
    removed("bob@example.org")
    done = at_once(
        lambda: mailbox_removal.purge_now(ANN, actor=ACTOR).messages,
        lambda: mailbox_removal.purge_now("bob@example.org", actor=ACTOR).messages,
    )
    assert done == [20, 20]
    assert not Body.objects.filter(unreferenced_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_a_restore_and_a_purge_at_once_do_one_of_both() -> None:
    a_message(a_mailbox())
    removed()
    restored, purged = at_once(
        lambda: mailbox_removal.restore(ANN, actor=ACTOR), lambda: mailbox_removal.purge_now(ANN, actor=ACTOR)
    )
    assert [isinstance(one, Rejected) for one in (restored, purged)].count(True) == 1
    assert Message.objects.count() == Mailbox.objects.count() == isinstance(restored, Mailbox)


def scans_of_messages() -> int:
    """How often this transaction has read the whole table of messages."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit would check
        cursor.execute("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'mailstore_message'")
        return int(cursor.fetchone()[0])


def test_removal_and_purge_of_one_mailbox_never_read_the_mail_of_all_others() -> None:
    """Deliveries to it wait meanwhile, and so would everybody's with them once their lane is full."""
    ann, bob = a_mailbox(), a_mailbox("bob@example.org")
    a_message(ann)
    a_message(ann, removed_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(CROWD, {"mailbox": bob.pk, "body": a_body().pk})
        cursor.execute("ANALYZE mailstore_message")
    before = scans_of_messages()
    with pytest.raises(Rejected, match="contains mail"):
        mailbox_removal.remove(ANN, actor=ACTOR, with_mail=False)
    removed()
    assert mailbox_removal.purge_now(ANN, actor=ACTOR).messages == 2
    assert scans_of_messages() == before
