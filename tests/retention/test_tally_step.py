"""Tallies: each delivery and each hour of sign-ins is counted once, however often the sweep runs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Sum
from django.utils import timezone

from mailstore.models import Body, DiarySession, Domain, Mailbox, Tally, TraceEntry
from mailstore.retention.tally_step import TALLY, count_now
from mailstore.sql.sweep_step import SweepContext
from tests.site.empty_body_store import EmptyBodyStore
from tests.site.rows import a_mailbox, a_message

pytestmark = pytest.mark.django_db


def sweep() -> None:
    TALLY.act(SweepContext(EmptyBodyStore(), timezone.now()))


def settled() -> None:
    """As if all bodies had come a while ago: younger ones may have neighbours that are not committed."""
    Body.objects.update(created_at=timezone.now() - timedelta(minutes=2))


def ended_session(mailbox: Mailbox, ended: str, *, hours_ago: float, sessions: int = 1) -> None:
    at = timezone.now() - timedelta(hours=hours_ago)
    DiarySession.objects.create(mailbox=mailbox, started_at=at, ended_at=at, ended=ended, sessions=sessions)


def an_answer(
    domain: str, answer: str, reason: str = "", *, hours_ago: float, tries: int = 1, copy: bool = False
) -> None:
    at = timezone.now() - timedelta(hours=hours_ago)
    key = Domain.objects.get(name=domain).pk
    TraceEntry.objects.create(
        at=at, first_at=at, source="lmtp", answer=answer, reason=reason, tries=tries, domain_id=key, copy=copy
    )


def sums() -> dict[str, tuple[int, int, int, int]]:
    found: dict[str, tuple[int, int, int, int]] = {}
    for row in Tally.objects.select_related("domain").exclude(deliveries=0, sign_ins=0, refused=0):
        before = found.get(row.domain.name, (0, 0, 0, 0))
        added = (row.deliveries, row.octets, row.sign_ins, row.refused)
        found[row.domain.name] = tuple(map(sum, zip(before, added, strict=True)))
    return found


def test_deliveries_are_counted_once_by_domain_those_that_left_too() -> None:
    ann, bob = a_mailbox(), a_mailbox("bob@other.example")
    a_message(ann, octets=10)
    a_message(ann, octets=20, removed_at=timezone.now())
    a_message(bob, octets=5)
    settled()
    sweep()
    sweep()
    assert sums() == {"example.org": (2, 30, 0, 0), "other.example": (1, 5, 0, 0)}
    a_message(ann, octets=1)
    settled()
    sweep()
    assert sums()["example.org"] == (3, 31, 0, 0)


def test_what_has_just_come_is_counted_by_the_next_pass() -> None:
    ann = a_mailbox()
    a_message(ann)
    sweep()
    assert sums() == {}
    settled()
    sweep()
    assert sums()["example.org"][0] == 1


def test_a_day_is_that_of_the_arrival() -> None:
    ann, now = a_mailbox(), timezone.now()
    a_message(ann, arrived_at=now - timedelta(days=3))
    a_message(ann, arrived_at=now - timedelta(days=300))
    settled()
    sweep()
    assert [row.day for row in Tally.objects.filter(deliveries__gt=0)] == [(now - timedelta(days=3)).date()]


def test_what_a_domain_stores_is_noted_each_day_and_by_its_last_pass() -> None:
    ann = a_mailbox()
    a_message(ann, octets=10)
    sweep()
    a_message(ann, octets=5)
    sweep()
    assert [(row.day, row.stored_octets) for row in Tally.objects.all()] == [(timezone.now().date(), 15)]


def test_sign_ins_and_refusals_are_counted_when_their_hour_is_over() -> None:
    ann = a_mailbox()
    ended_session(ann, "quit", hours_ago=3, sessions=4)
    ended_session(ann, "lost", hours_ago=2)
    ended_session(ann, "wrong", hours_ago=2, sessions=2)
    ended_session(ann, "quit", hours_ago=0)
    sweep()
    sweep()
    assert sums() == {"example.org": (0, 0, 5, 2)}


def test_what_was_refused_or_deferred_is_counted_when_its_hour_is_over() -> None:
    a_mailbox()
    an_answer("example.org", "deferred", "full", hours_ago=2)
    an_answer("example.org", "refused", "unknown", hours_ago=2, tries=7)
    an_answer("example.org", "deferred", "full", hours_ago=2, copy=True)
    an_answer("example.org", "delivered", hours_ago=2)
    an_answer("example.org", "refused", "closed", hours_ago=0)
    sweep()
    sweep()
    counted = Tally.objects.aggregate(all=Sum("undelivered"), full=Sum("undelivered_full"))
    assert counted == {"all": 8, "full": 1}


def test_a_sample_site_is_counted_at_once_and_the_next_pass_counts_nothing_of_it_twice() -> None:
    ann = a_mailbox()
    a_message(ann, octets=10)
    ended_session(ann, "quit", hours_ago=0, sessions=3)
    count_now()
    assert sums() == {"example.org": (1, 10, 3, 0)}
    settled()
    sweep()
    assert sums() == {"example.org": (1, 10, 3, 0)}
