"""Quota warnings: once for each crossing, by mail or by a lowered quota, in the owner's language; and a digest."""

from __future__ import annotations

from datetime import timedelta
from email.message import Message as Parsed
from email.policy import SMTP

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone

from mailstore.directory import mailboxes
from mailstore.messages import recovery
from mailstore.models import DomainGrant, Mailbox, User
from mailstore.retention import sweep
from mailstore.retention.quota_warning_step import NOTICE_OCTETS, QUOTA_WARNINGS
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


def body(mail: Parsed) -> str:
    return mail.get_payload(decode=True).decode()


def test_each_crossing_is_told_once(letters: Notices) -> None:
    box = holding(790_000, quota_octets=1_000_000)
    assert sweep.tend(letters.store) == 0
    for octets, warnings in ((15_000, 1), (10_000, 0), (150_000, 1), (60_000, 1), (1_000, 0)):
        a_message(box, octets=octets)
        assert (octets, sweep.tend(letters.store)) == (octets, warnings)
    assert letters.subjects(ANN) == [
        "Your mailbox is 80\u00a0% full",
        "Your mailbox is 96\u00a0% full",
    ], "a full mailbox has no room for a third"
    assert_counters_are_sums()


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "Your mailbox is 91\u00a0% full"),
        ("fr", "Votre boîte est pleine à\u00a091\u00a0%"),
    ],
)
def test_the_subject_says_how_full_it_is_not_which_limit_it_crossed(
    letters: Notices, language: str, subject: str
) -> None:
    holding(919_999, quota_octets=1_000_000)
    User.objects.update(language=language)
    sweep.tend(letters.store)
    assert letters.subjects(ANN) == [subject]


def test_the_fuller_of_two_quotas_counts_and_both_are_told(letters: Notices) -> None:
    box = holding(500 * 1024, quota_octets=1024 * 1024, quota_messages=100)
    for _ in range(85):
        a_message(box, octets=1)
    sweep.tend(letters.store)
    assert letters.subjects(ANN) == ["Your mailbox is 86\u00a0% full"]
    text = body(letters.to(ANN)[0])
    assert "ann@example.org holds 500\u00a0KB of 1\u00a0MB." in text
    assert "ann@example.org holds 86 of 100 messages." in text


@pytest.mark.parametrize("quotas", [{"quota_octets": 20_500}, {"quota_messages": 20}], ids=["octets", "messages"])
def test_a_warning_that_would_fill_the_mailbox_stays_out_of_it(letters: Notices, quotas: dict[str, int]) -> None:
    """The harm: the warning took the last place, and the next mail was refused because of it."""
    box = a_mailbox()
    for _ in range(19):
        a_message(box, octets=1_050)
    mailboxes.ensure(ANN, actor=ACTOR, **quotas)
    sweep.tend(letters.store)
    box.refresh_from_db()
    assert (letters.subjects(ANN), box.messages) == ([], 19)
    assert box.warned_percent == 95, "the digest names it"
    assert sweep.tend(letters.store) == 0, "and it is not tried again and again"


@pytest.mark.parametrize("quotas", [{"quota_octets": 100_000}, {"quota_messages": 1}], ids=["octets", "messages"])
def test_a_full_mailbox_gets_no_mail_that_says_so_and_the_recovery_address_does(
    letters: Notices, mailoutbox: list[EmailMessage], quotas: dict[str, int]
) -> None:
    """The harm: its owner deleted a message to make room, and it was full again by the warning."""
    box = holding(100_000, **quotas)
    User.objects.filter(address=ANN).update(recovery_address="ann@elsewhere.example", language="fr")
    assert [sweep.tend(letters.store) for _ in range(3)] == [1, 0, 0]
    box.refresh_from_db()
    assert (letters.subjects(ANN), box.messages) == ([], 1)
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["ann@elsewhere.example"], "Votre boîte est pleine")
    assert ANN in mail.body


def test_a_warning_that_found_no_room_comes_when_there_is_some_and_is_true_then(letters: Notices) -> None:
    box = holding(90_000, quota_octets=100_000)
    letter = a_message(box, octets=12_000)
    assert sweep.tend(letters.store) == 1
    assert letters.subjects(ANN) == []
    recovery.remove(ANN, [letter.pk], actor=ACTOR)
    assert [sweep.tend(letters.store) for _ in range(2)] == [0, 0], "it is no new crossing"
    assert letters.subjects(ANN) == ["Your mailbox is 90\u00a0% full"]
    box.refresh_from_db()
    assert (box.warned_percent, box.warning_waits) == (80, False)


def test_a_warning_that_found_no_room_is_dropped_where_it_is_no_longer_true(letters: Notices) -> None:
    holding(100_000, quota_octets=100_000)
    sweep.tend(letters.store)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=1_000_000)
    sweep.tend(letters.store)
    assert letters.subjects(ANN) == []
    assert not Mailbox.objects.get().warning_waits


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_warning_is_larger_than_the_room_that_is_kept_for_it(letters: Notices, language: str) -> None:
    longest = f"{'a' * 64}@{'.'.join(['b' * 44] * 4)}.example"
    a_message(a_mailbox(longest), octets=2**50 * 9 // 10)
    mailboxes.ensure(longest, actor=ACTOR, quota_octets=2**50, quota_messages=10**9)
    User.objects.update(language=language)
    sweep.tend(letters.store)
    (mail,) = letters.to(longest)
    assert len(mail.as_bytes(policy=SMTP)) < NOTICE_OCTETS


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
    assert letters.subjects(ANN) == ["Votre boîte est pleine à\u00a090\u00a0%"]
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
    assert "90\u00a0%  ann@example.org" in body(mails_to["host@example.org"][0])
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
