"""The diary is kept as long as the mailbox's policy says, and no row that is younger or held is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.directory import domains, mailboxes, policies
from mailstore.messages import recovery
from mailstore.messages.recovery import ALL
from mailstore.models import DiarySession, EarlierStay, Mailbox, RefusedName, SweepPass, TraceEntry
from mailstore.retention import sweep
from tests.site.empty_body_store import EmptyBodyStore
from tests.site.refused_names import heard
from tests.site.rows import ACTOR, a_mailbox, a_message

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"


def a_session(mailbox: Mailbox, *, days_ago: float) -> DiarySession:
    at = timezone.now() - timedelta(days=days_ago)
    return DiarySession.objects.create(mailbox=mailbox, started_at=at, ended_at=at, ended="quit")


def an_earlier_stay(mailbox: Mailbox, *, days_ago: float) -> None:
    a_message(mailbox, removed_at=timezone.now())
    recovery.restore(ANN, ALL, actor=ACTOR)
    newest = EarlierStay.objects.filter(pk=EarlierStay.objects.latest("pk").pk)
    newest.update(restored_at=timezone.now() - timedelta(days=days_ago))


def swept() -> int:
    count = sweep.preview(EmptyBodyStore()).diary
    assert sweep.run(EmptyBodyStore()).diary == count
    return count


def test_rows_go_after_ninety_days_or_as_the_policy_says() -> None:
    box = a_mailbox()
    a_session(box, days_ago=91)
    young = a_session(box, days_ago=89)
    assert (swept(), list(DiarySession.objects.all())) == (1, [young])
    policy = policies.ensure("rules", actor=ACTOR, diary_days=10).row
    mailboxes.ensure(ANN, actor=ACTOR, policy=policy)
    assert swept() == 1


def test_with_it_go_the_stays_of_which_it_tells_nothing_more_but_none_of_today() -> None:
    box = a_mailbox()
    for days_ago in (0.5, 89, 91):
        an_earlier_stay(box, days_ago=days_ago)
    swept()
    assert EarlierStay.objects.count() == 2
    mailboxes.ensure(ANN, actor=ACTOR, policy=policies.ensure("rules", actor=ACTOR, diary_days=0).row)
    swept()
    assert EarlierStay.objects.count() == 1


def test_a_hold_keeps_it() -> None:
    box = a_mailbox()
    mailboxes.ensure(ANN, actor=ACTOR, held=True)
    a_session(box, days_ago=1000)
    an_earlier_stay(box, days_ago=1000)
    assert (swept(), EarlierStay.objects.count()) == (0, 1)


def test_what_rests_with_a_removed_mailbox_comes_back_with_it() -> None:
    box = a_mailbox()
    an_earlier_stay(box, days_ago=1000)
    a_session(box, days_ago=1000)
    Mailbox.objects.update(removed_at=timezone.now())
    assert (swept(), EarlierStay.objects.count()) == (0, 1)


def test_a_pass_is_remembered_for_the_overview() -> None:
    sweep.run(EmptyBodyStore())
    SweepPass.objects.update(started_at=timezone.now() - timedelta(days=100))
    sweep.run(EmptyBodyStore())
    assert SweepPass.objects.get().figures["expired"] == 0
    sweep.run(EmptyBodyStore(), stop=lambda: True)
    assert SweepPass.objects.count() == 1, "one that was stopped was none"


def test_a_refused_name_goes_ninety_days_after_its_last_try() -> None:
    for days_ago in (89, 91):
        first, last = (timezone.now() - timedelta(days=days) for days in (200, days_ago))
        RefusedName.objects.create(
            reason="unknown", name=f"n{days_ago}@example.org", network="192.0.2.0/24", protocol="pop3", tries=2,
            first_at=first, last_at=last,
        )  # fmt: skip
    sweep.run(EmptyBodyStore())
    assert [row.name for row in heard().all()] == ["n89@example.org"]


def an_answer(days_ago: float, **fields: object) -> TraceEntry:
    at = timezone.now() - timedelta(days=days_ago)
    return TraceEntry.objects.create(at=at, first_at=at, source="lmtp", answer="refused", **fields)


def swept_trace() -> int:
    count = sweep.preview(EmptyBodyStore()).trace
    assert sweep.run(EmptyBodyStore()).trace == count
    return count


def test_the_trace_is_kept_as_long_as_the_diary_of_its_mailbox_or_domain() -> None:
    box = a_mailbox()
    for days_ago in (89, 91):
        an_answer(days_ago, mailbox=box, domain=box.domain)
        an_answer(days_ago, domain=box.domain)
        an_answer(days_ago)
    assert (swept_trace(), TraceEntry.objects.count()) == (3, 3)
    policy = policies.ensure("rules", actor=ACTOR, diary_days=10).row
    mailboxes.ensure(ANN, actor=ACTOR, policy=policy)
    assert (swept_trace(), TraceEntry.objects.filter(mailbox=None).count()) == (1, 2)
    domains.ensure("example.org", actor=ACTOR, policy=policy)
    assert (swept_trace(), TraceEntry.objects.filter(domain=None).count()) == (1, 1)
    mailboxes.ensure(ANN, actor=ACTOR, held=True)
    an_answer(1000, mailbox=box, domain=box.domain)
    assert swept_trace() == 0
