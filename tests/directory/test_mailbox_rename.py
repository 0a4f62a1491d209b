"""Renaming a mailbox: nothing of it changes but its address, and the old address leads on."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from django.db import connection
from django.utils import timezone

from mailstore.directory import (
    admins,
    aliases,
    devices,
    domain_rename,
    domains,
    grants,
    mailbox_moves,
    mailbox_removal,
    mailbox_rename,
    mailboxes,
    policies,
)
from mailstore.directory.look_alikes import LookAlike
from mailstore.directory.outcome import Rejected
from mailstore.models import Alias, AuditEntry, Domain, Mailbox, MailboxMove, User
from tests.site.mail import Mail
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox, a_message

pytestmark = pytest.mark.django_db
ANN, ANNA = "ann@example.org", "anna@example.org"


def targets(address: str) -> list[str]:
    return Alias.objects.get(address=address).targets


def rename(old: str = ANN, new: str = ANNA, **options: bool) -> Mailbox:
    return mailbox_rename.rename(old, new, actor=ACTOR, **options)


def test_all_of_a_mailbox_stays_but_its_address():
    ann = a_mailbox(ANN)
    message = a_message(ann)
    devices.add(ANN, "Phone", actor=ACTOR)
    grants.grant(ANN, a_domain("other.example"), actor=ACTOR)
    before = Mailbox.objects.filter(pk=ann.pk).values().get()
    assert rename().pk == ann.pk
    after = Mailbox.objects.filter(pk=ann.pk).values().get()
    assert after == before
    owner = User.objects.get(address=ANNA)
    assert owner.pk == ann.user_id
    assert owner.check_password(PASSWORD)
    assert owner.grants.count() == 1
    message.refresh_from_db()
    assert message.mailbox_id == ann.pk
    assert set(ann.device_set.values_list("name", flat=True)) == {"main", "Phone"}


def test_the_old_address_becomes_an_alias_of_the_new_one():
    a_mailbox(ANN)
    rename()
    assert targets(ANN) == [ANNA]


def test_without_an_alias_the_old_address_is_free():
    a_mailbox(ANN)
    rename(keep_alias=False)
    assert not Alias.objects.exists()
    assert mailboxes.ensure(ANN, actor=ACTOR).created


def test_aliases_and_forwards_that_lead_to_it_follow_each_once():
    a_mailbox(ANN)
    a_mailbox("bob@example.net")
    aliases.ensure("team@example.net", [ANN, "bob@example.net", "ann+team@example.org"], actor=ACTOR)
    aliases.ensure("bob@example.net", [ANN], actor=ACTOR, keep_copy=True)
    aliases.ensure("both@example.org", [ANN, "annb@example.org"], actor=ACTOR)
    rename()
    assert targets("team@example.net") == [ANNA, "bob@example.net", "anna+team@example.org"]
    assert targets("bob@example.net") == [ANNA]
    assert targets("both@example.org") == [ANNA, "annb@example.org"]


def test_an_address_with_a_detail_that_is_an_alias_of_its_own_is_left_alone():
    a_mailbox(ANN)
    a_mailbox("bob@example.org")
    aliases.ensure("ann+lists@example.org", ["bob@example.org"], actor=ACTOR)
    aliases.ensure("all@example.org", ["ann+lists@example.org"], actor=ACTOR)
    rename()
    assert targets("all@example.org") == ["ann+lists@example.org"]


def test_its_own_forward_goes_with_it():
    ann = a_mailbox(ANN)
    aliases.ensure(ANN, ["ann@elsewhere.example"], actor=ACTOR, keep_copy=True)
    rename()
    forward = Alias.objects.get(mailbox=ann)
    assert (forward.address, forward.targets, forward.keep_copy) == (ANNA, ["ann@elsewhere.example"], True)


def test_who_recovers_by_the_mailbox_recovers_by_its_new_address():
    a_mailbox(ANN)
    bob = a_mailbox("bob@example.org")
    User.objects.filter(pk=bob.user_id).update(recovery_address=ANN)
    rename()
    assert User.objects.get(pk=bob.user_id).recovery_address == ANNA


def test_a_name_that_is_taken_is_refused_by_name():
    a_mailbox(ANN)
    a_mailbox(ANNA)
    a_mailbox("bob@example.org")
    a_mailbox("gone@example.org")
    mailbox_removal.remove("gone@example.org", actor=ACTOR, with_mail=True)
    aliases.ensure("info@example.org", ["bob@example.org"], actor=ACTOR)
    aliases.ensure("both@example.org", [ANN, "bob@example.org"], actor=ACTOR)
    admins.ensure("root@example.org", actor=ACTOR, password=PASSWORD)
    for new, reason in {
        ANNA: "is already a mailbox",
        "info@example.org": "is an alias",
        "both@example.org": "is an alias",
        "gone@example.org": "removed",
        "root@example.org": "login of an administrator",
        "x@nowhere.example": "is not a domain of this site",
        "not an address": "not an address",
        ANN: "already the address",
    }.items():
        with pytest.raises(Rejected, match=reason):
            rename(new=new)
    assert User.objects.filter(address=ANN).exists()


def test_it_can_be_renamed_back_since_its_own_alias_gives_way():
    a_mailbox(ANN)
    rename()
    rename(ANNA, ANN)
    assert User.objects.filter(address=ANN).exists()
    assert targets(ANNA) == [ANN]
    assert not Alias.objects.filter(address=ANN).exists()


def test_a_name_that_looks_like_another_wants_a_confirmation():
    a_mailbox(ANN)
    a_mailbox("bob@example.org")
    with pytest.raises(LookAlike):
        rename(new="bоb@example.org")  # the o is Cyrillic
    rename(new="bоb@example.org", look_alike=True)


def test_it_moves_to_another_domain_within_its_limits():
    ann = a_mailbox(ANN)
    a_domain("full.example", mailbox_limit=0)
    a_domain("example.net")
    with pytest.raises(Rejected, match="mailbox limit"):
        rename(new="ann@full.example")
    rename(new="ann@example.net")
    ann.refresh_from_db()
    assert ann.domain.name == "example.net"
    assert targets(ANN) == ["ann@example.net"]


def test_neither_domain_reads_the_name_of_the_other():
    a_mailbox(ANN)
    a_domain("example.net")
    rename(new="ann@example.net")
    entries = {
        entry.domain.name: entry for entry in AuditEntry.objects.filter(verb__in=("mailbox.rename", "mailbox.leave"))
    }
    assert (entries["example.org"].subject, entries["example.org"].details) == (ANN, {})
    assert (entries["example.net"].subject, entries["example.net"].details) == ("ann@example.net", {})


def test_a_move_brings_no_mail_under_a_rule_that_did_not_hold_for_it():
    month = policies.make("a month", actor=ACTOR, expire_days=30)
    week = policies.make("a week", actor=ACTOR, expire_days=7)
    a_domain("example.org", policy=month)
    a_domain("example.net", policy=week)
    ann = a_mailbox(ANN)
    Domain.objects.filter(name="example.org").update(policy_since=timezone.now() - datetime.timedelta(days=3))
    rename(new="ann@example.net")
    ann = Mailbox.objects.get(pk=ann.pk)
    assert ann.policy == month
    assert ann.policy_since == Domain.objects.get(name="example.org").policy_since


def test_a_mailbox_without_rules_gets_those_of_its_new_domain_from_today_on():
    a_domain("example.net", policy=policies.make("a week", actor=ACTOR, expire_days=7))
    ann = a_mailbox(ANN)
    began = timezone.now()
    rename(new="ann@example.net")
    ann = Mailbox.objects.get(pk=ann.pk)
    assert ann.policy is None
    assert ann.policy_since is not None
    assert ann.policy_since >= began


def test_a_domain_without_room_for_the_alias_refuses_the_rename_whole():
    a_mailbox(ANN)
    domains.ensure("example.org", actor=ACTOR, alias_limit=0)
    with pytest.raises(Rejected, match="alias limit"):
        rename()
    assert User.objects.filter(address=ANN).exists()
    rename(keep_alias=False)


def test_a_check_changes_nothing():
    a_mailbox(ANN)
    mailbox_rename.check(ANN, ANNA, actor=ACTOR)
    assert User.objects.filter(address=ANN).exists()
    assert not Alias.objects.exists()
    assert not AuditEntry.objects.filter(verb="mailbox.rename").exists()


def test_its_history_tells_the_old_name():
    ann = a_mailbox(ANN)
    rename()
    entry = AuditEntry.objects.get(verb="mailbox.rename")
    assert (entry.mailbox_id, entry.subject, entry.details["old_address"]) == (ann.pk, ANNA, ANN)


def test_an_alias_that_named_the_new_address_before_cannot_close_a_loop():
    a_mailbox(ANN)
    aliases.ensure("ring@example.org", [ANNA], actor=ACTOR)
    aliases.ensure(ANN, ["ring@example.org"], actor=ACTOR, keep_copy=True)
    with pytest.raises(Rejected, match="lead back to itself"):
        rename()
    assert User.objects.filter(address=ANN).exists()


def test_the_old_server_is_asked_for_the_name_that_it_knows_whatever_the_mailbox_is_called_here():
    ann = a_mailbox(ANN)
    domains.ensure("example.org", actor=ACTOR, old_server="pop3s://mail.old.example")
    mailbox_moves.mark(ANN, actor=ACTOR)
    rename()
    domain_rename.rename("example.org", "new.example", actor=ACTOR)
    ann.refresh_from_db()
    move = mailbox_moves.pending(ann)
    assert move is not None
    assert (move.address, move.user) == ("anna@new.example", ANN)


def test_a_mailbox_is_not_renamed_while_it_is_being_moved_from_its_old_server():
    ann = a_mailbox(ANN)
    move = MailboxMove.objects.create(mailbox=ann, since=timezone.now(), state=MailboxMove.State.MOVING)
    with pytest.raises(Rejected, match="is being moved from its old server"):
        rename()
    with pytest.raises(Rejected, match="is being moved from its old server"):
        domain_rename.rename("example.org", "new.example", actor=ACTOR)
    MailboxMove.objects.filter(pk=move.pk).update(state=MailboxMove.State.MOVED)
    rename()


def test_the_old_server_of_another_domain_never_gets_a_password_of_this_one():
    a_mailbox(ANN)
    domains.ensure("example.org", actor=ACTOR, old_server="pop3s://mail.old.example")
    a_domain("other.example", old_server="pop3s://foreign.example")
    mailbox_moves.mark(ANN, actor=ACTOR)
    with pytest.raises(Rejected, match="still at the old server of its domain"):
        rename(ANN, "ann@other.example")
    MailboxMove.objects.update(state=MailboxMove.State.MOVED)
    rename(ANN, "ann@other.example")
    assert not MailboxMove.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_no_recipient_is_refused_while_a_mailbox_changes_its_name_and_back(mail: Mail) -> None:
    """An alias is followed by several statements; the names may change between any two of them."""
    mailbox = a_mailbox(ANN)
    aliases.ensure("team@example.org", [ANN], actor=ACTOR)
    with changing(lambda old, new: mailbox_rename.rename(old, new, actor=ACTOR, keep_alias=old == ANN), ANN, ANNA):
        answers = [mail.recipient(address) for _round in range(100) for address in ("team@example.org", ANN)]
    assert [answer for answer in answers if getattr(answer, "mailboxes", None) != (mailbox.pk,)] == []


@pytest.mark.django_db(transaction=True)
def test_no_recipient_is_refused_while_two_domains_swap_their_names(mail: Mail) -> None:
    mailbox = a_mailbox(ANN)
    domain_rename.rename("example.org", "new.example", actor=ACTOR)
    with changing(lambda old, new: domain_rename.rename(old, new, actor=ACTOR), "new.example", "example.org"):
        answers = [mail.recipient(f"ann@{name}") for _round in range(100) for name in ("new.example", "example.org")]
    assert [answer for answer in answers if getattr(answer, "mailboxes", None) != (mailbox.pk,)] == []


@contextmanager
def changing(rename: Callable[[str, str], object], *names: str) -> Iterator[None]:
    """Rename forth and back, again and again, in a thread of its own."""
    over = Event()

    def change() -> None:
        old, new = names
        while not over.is_set():
            rename(old, new)
            old, new = new, old
        connection.close()

    thread = Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
