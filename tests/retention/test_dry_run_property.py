"""Over random histories, a dry run of the whole pass equals the pass, and mail that a forecast names for now leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from mailstore.delivery.message_writer import fresh_id
from mailstore.directory import policies
from mailstore.models import Body, Device, DiarySession, Mailbox, Message
from mailstore.retention import forecast, sweep
from mailstore.sql.expiry_rule import leaves_at
from tests.retention.test_forecast_property import GADGETS, RULES, Gadget, as_ranges
from tests.site import counting_hasher
from tests.site.empty_database import empty_database
from tests.site.mail import assert_counters_are_sums
from tests.site.notices import Notices
from tests.site.rows import ACTOR, a_body, a_mailbox, a_message

pytestmark = pytest.mark.django_db(transaction=True)
OCTETS = 1000
LONG_AGO = timedelta(days=400)


@dataclass(frozen=True)
class Box:
    """A mailbox: ages in days of what is live and of what rests, its devices and when they were heard of last."""

    live: list[float]
    resting: list[float]
    gadgets: list[tuple[Gadget, float, bool]]  # how many days ago it was heard of; whether its owner was told long ago
    quota: int | None  # messages that fit
    warned_percent: int
    held: bool
    removed: bool
    diary: list[float]


AGES = st.lists(st.floats(0, 40), max_size=6)
BOXES = st.builds(
    Box,
    AGES,
    AGES,
    st.lists(st.tuples(GADGETS, st.floats(0, 60), st.booleans()), max_size=3),
    st.one_of(st.none(), st.integers(0, 8)),
    st.sampled_from([0, 80, 95, 100]),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([False, False, False, True]),
    st.lists(st.floats(0, 20), max_size=3),
)
POLICIES = st.tuples(
    RULES,
    st.fixed_dictionaries(
        {
            "relief": st.sampled_from(["never", "every", "one"]),
            "recovery_days": st.integers(0, 20),
            "recovery_octets": st.one_of(st.none(), st.integers(0, 8).map(OCTETS.__mul__)),
            "silent_days": st.integers(2, 50),
            "diary_days": st.integers(1, 10),
        }
    ),
).map(lambda parts: parts[0] | parts[1])


def build(number: int, made: Box, now: datetime) -> None:
    box = a_mailbox(f"user{number}@example.org")
    for age in made.live:
        a_message(box, octets=OCTETS, arrived_at=now - timedelta(days=age))
    Device.objects.filter(mailbox=box).update(mode="peek")  # the main one is nobody here
    places = dict(enumerate(Message.objects.filter(mailbox=box).order_by("added").values_list("added", flat=True)))
    for age in sorted(made.resting, reverse=True):
        a_message(box, octets=OCTETS, removed_at=now - timedelta(days=age))
    for index, (gadget, heard_days, notified) in enumerate(made.gadgets):
        hidden = {places[place] for place in gadget.deleted | gadget.skipped if place in places}
        Device.objects.create(
            mailbox=box,
            name=f"d{index}",
            mode=gadget.mode,
            selector=f"s{number}-{index}",
            digest=b"x",
            silent_since=now if gadget.silent else None,
            # Each was told: what our own letters of a pass take is not foreseen.
            silence_notified_at=now - (LONG_AGO if notified else timedelta(hours=1)),
            last_sign_in_at=now - timedelta(days=heard_days),
            revoked_at=now if gadget.revoked else None,
            hidden=as_ranges(hidden),
            skipped=as_ranges({places[place] for place in gadget.skipped if place in places}),
            confirmed=as_ranges({places[place] for place in gadget.confirmed if place in places}),
            hidden_messages=len(hidden),
            hidden_octets=OCTETS * len(hidden),
        )
    for age in made.diary:
        began = now - timedelta(days=age)
        DiarySession.objects.create(mailbox=box, started_at=began, ended_at=began, ended="quit")
    Mailbox.objects.filter(pk=box.pk).update(
        quota_octets=None if made.quota is None else made.quota * OCTETS,
        warned_percent=made.warned_percent,
        held=made.held,
        removed_at=now - LONG_AGO if made.removed else None,
    )


def due_now(now: datetime) -> set[int]:
    """The messages, by their keys, that the rules let go now."""
    due = set()
    for box in Mailbox.objects.all():
        rows = dict(Message.objects.filter(mailbox=box, removed=None).values_list("added", "pk"))
        due |= {rows[added] for added, at in leaves_at(box.pk, [*rows], now=now).items() if at <= now}
    return due


# Without shrinking: an example takes half a second, and a smaller one is soon found by hand.
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.reuse, Phase.generate])
@given(boxes=st.lists(BOXES, min_size=1, max_size=3), rules=POLICIES, litter=st.booleans())
def test_a_dry_run_and_a_forecast_equal_the_pass(
    letters: Notices, settings: Settings, boxes: list[Box], rules: dict[str, object], litter: bool
) -> None:
    settings.PASSWORD_HASHERS = [counting_hasher.PATH]
    empty_database()
    now = timezone.now()
    for number, box in enumerate(boxes):
        build(number, box, now)
    if litter:
        Body.objects.filter(pk=a_body().pk).update(key=fresh_id(), unreferenced_at=now - timedelta(days=2))
    outcome = forecast.of_policy(policies.plan("rules", site=True, at_once=True, **rules), now=now)
    policies.ensure("rules", actor=ACTOR, site=True, at_once=True, **rules)
    due = due_now(now)
    assert sum(day.messages for day in outcome.days if day.date == now.date()) >= len(due)
    dry = sweep.preview(letters.store, now=now)
    assert dry == sweep.run(letters.store, now=now)
    assert dry.expired <= len(due)
    assert not Message.objects.filter(pk__in=due, removed=None).exists()
    by_rule = Message.objects.filter(removed_at__gte=now, removed_why__in=["expired", "had", "every"])
    assert set(by_rule.values_list("pk", flat=True)) <= due
    assert_counters_are_sums()
