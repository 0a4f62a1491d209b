"""Quota warnings: once for each crossing, by mail or by a lowered quota, in the owner's language; and a digest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone

from mailstore.directory import mailboxes
from mailstore.models import DomainGrant, Mailbox, User
from mailstore.retention import sweep
from mailstore.retention.quota_warning_step import QUOTA_WARNINGS
from mailstore.sql.sweep_step import SweepContext
from tests.site.mail import assert_counters_are_sums
from tests.site.notices import Notices
from tests.site.rows import ACTOR, a_mailbox, a_message

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.org"


def holding(octets: int, **fields: object) -> Mailbox:
    box = a_mailbox()
    a_message(box, octets=octets)
    return mailboxes.ensure(ANN, actor=ACTOR, **fields).row


def test_each_crossing_is_told_once(letters: Notices) -> None:
    box = holding(790_000, quota_octets=1_000_000)
    assert sweep.tend(letters.store) == 0
    for octets, warnings in ((15_000, 1), (10_000, 0), (150_000, 1), (60_000, 1), (1_000, 0)):
        a_message(box, octets=octets)
        assert (octets, sweep.tend(letters.store)) == (octets, warnings)
    assert letters.subjects(ANN) == ["Your mailbox is 80% full", "Your mailbox is 95% full", "Your mailbox is full"]
    assert_counters_are_sums()


def test_a_kill_before_the_note_tells_nobody_twice(letters: Notices) -> None:
    box = holding(900_000, quota_octets=1_000_000)
    assert sweep.tend(letters.store) == 1
    Mailbox.objects.update(warned_percent=0, warned_at=None)
    sweep.tend(letters.store)
    assert len(letters.subjects(ANN)) == 1
    box.refresh_from_db()
    assert box.warned_percent == 80, "noted by the pass that found it told"
    assert_counters_are_sums()


def test_a_crossing_on_a_later_day_is_told_though_a_kill_lost_the_note_of_the_one_before(letters: Notices) -> None:
    holding(900_000, quota_octets=1_000_000)
    noon = timezone.now().replace(hour=12)
    for later, warnings in ((timedelta(0), 1), (timedelta(hours=1), 1), (timedelta(days=2), 2)):
        QUOTA_WARNINGS.act(SweepContext(letters.store, noon + later))
        Mailbox.objects.update(warned_percent=0, warned_at=None)
        assert len(letters.subjects(ANN)) == warnings


def test_it_is_told_again_after_there_was_room(letters: Notices) -> None:
    box = holding(900_000, quota_octets=1_000_000)
    assert sweep.tend(letters.store) == 1
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=2_000_000)
    assert sweep.tend(letters.store) == 0
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=1_000_000)
    assert sweep.tend(letters.store) == 1, "lowering the quota crosses it as mail does"
    box.refresh_from_db()
    assert box.warned_percent == 80


def test_a_quota_of_messages_and_one_of_nothing_are_told_of(letters: Notices) -> None:
    holding(100, quota_messages=1)
    mailboxes.ensure("bob@example.org", actor=ACTOR, password="correct horse battery", quota_octets=0)
    assert sweep.tend(letters.store) == 2
    assert sweep.tend(letters.store) == 0


def test_the_mail_is_of_nobody_localised_and_answered_by_no_machine(letters: Notices) -> None:
    holding(900_000, quota_octets=1_000_000)
    User.objects.update(language="fr")
    sweep.tend(letters.store)
    (mail,) = letters.to(ANN)
    assert letters.subjects(ANN) == ["Votre boîte aux lettres est pleine à\u00a080\u00a0%"]
    assert (mail["Return-Path"], mail["Auto-Submitted"], mail["To"]) == ("<>", "auto-generated", ANN)


def test_a_mailbox_that_receives_nothing_is_told_and_past_its_quota(letters: Notices) -> None:
    holding(1_000_000, quota_octets=1_000_000, receives=False)
    assert sweep.tend(letters.store) == 1


def test_a_dry_run_counts_and_tells_nobody(letters: Notices) -> None:
    holding(900_000, quota_octets=1_000_000)
    assert sweep.preview(letters.store).warned == 1
    assert letters.subjects(ANN) == []


def test_admins_hear_once_a_day_of_what_they_administer(letters: Notices) -> None:
    holding(900_000, quota_octets=1_000_000)
    for name in ("host@example.org", "customer@example.org", "stranger@example.org"):
        a_mailbox(name)
    User.objects.filter(address="host@example.org").update(role=User.Role.ADMIN)
    customer = Mailbox.objects.get(user__address="customer@example.org")
    DomainGrant.objects.create(user=customer.user, domain=customer.domain)
    sweep.tend(letters.store)
    mails_to = {name: letters.to(name) for name in ("host@example.org", "customer@example.org", "stranger@example.org")}
    assert [len(mails) for mails in mails_to.values()] == [1, 1, 0]
    assert "80 %  ann@example.org" in mails_to["host@example.org"][0].get_payload()
    box = Mailbox.objects.get(user__address=ANN)
    a_message(box, octets=100_000)
    sweep.tend(letters.store)
    assert len(letters.to("host@example.org")) == 1, "the day is not over"
    User.objects.update(digest_sent_at=timezone.now() - timedelta(days=2))
    sweep.tend(letters.store)
    assert len(letters.to("host@example.org")) == 2


def test_an_admin_without_a_mailbox_hears_at_the_recovery_address(
    letters: Notices, mailoutbox: list[EmailMessage]
) -> None:
    holding(900_000, quota_octets=1_000_000)
    User.objects.create(address="host", role=User.Role.ADMIN, recovery_address="host@elsewhere.example")
    User.objects.create(address="other", role=User.Role.ADMIN)
    sweep.tend(letters.store)
    sweep.tend(letters.store)
    assert [(mail.to, mail.subject) for mail in mailoutbox] == [(["host@elsewhere.example"], "1 mailbox is filling up")]
