"""Over random histories, a forecast equals what the sweeps then do, day by day. A plain model says the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailstore.directory import mailboxes, policies
from mailstore.directory.policies import Plan
from mailstore.models import Device, Mailbox, Message, RetentionPolicy
from mailstore.policy.retention import HORIZON_DAYS
from mailstore.retention import forecast
from mailstore.retention.coverage_step import COVERAGE
from mailstore.retention.expiry_step import EXPIRY
from mailstore.sql.sweep_step import SweepContext
from tests.site.empty_body_store import EmptyBodyStore
from tests.site.mail import assert_counters_are_sums
from tests.site.rows import ACTOR, a_mailbox, a_message

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Gadget:
    """A device: what it has deleted, confirmed and left out, by the messages' places."""

    mode: str
    silent: bool
    revoked: bool
    deleted: frozenset[int]
    confirmed: frozenset[int]
    skipped: frozenset[int]

    @property
    def counts(self) -> bool:
        return self.mode != "peek" and not self.silent and not self.revoked

    def has(self, place: int) -> bool:
        return place in self.confirmed or (place in self.deleted and place not in self.skipped)

    def waits(self, place: int) -> bool:
        return place not in self.deleted | self.confirmed | self.skipped


@dataclass(frozen=True)
class History:
    ages_days: list[float]
    gadgets: list[Gadget]
    held: bool
    old: dict[str, object]
    new: dict[str, object]
    at_once: bool


PLACES = st.frozensets(st.integers(0, 5))
GADGETS = st.builds(
    Gadget,
    st.sampled_from(["independent", "primary", "peek"]),
    st.booleans(),
    st.booleans(),
    PLACES,
    PLACES,
    st.one_of(st.just(frozenset()), PLACES),
)
DAYS = st.one_of(st.none(), st.integers(1, 20))
RULES = st.fixed_dictionaries(
    {
        "expire_days": DAYS,
        "expire_confirmed_days": DAYS,
        "expire_unfetched": st.booleans(),
        "remove_when_confirmed": st.booleans(),
        "hold_days": st.integers(0, 9),
    }
)
HISTORIES = st.builds(
    History,
    st.lists(st.floats(0, 40), min_size=1, max_size=6),
    st.lists(GADGETS, max_size=3),
    st.sampled_from([False, False, False, True]),
    RULES,
    RULES,
    st.booleans(),
)


def midnight_after(moment: datetime) -> datetime:
    return datetime.combine(moment.date() + timedelta(days=1), time(), UTC)


def leaves_on(history: History, place: int) -> date | None:
    """PRODUCT's words, for one message, after the new rules were saved at NOW; None: not within the horizon."""
    counting = [gadget for gadget in history.gadgets if gadget.counts]
    fetched = any(g.has(place) for g in history.gadgets if g.mode != "peek" and not g.revoked)
    everybody = not any(g.waits(place) for g in counting) and any(g.has(place) for g in counting)
    rule, old = history.new, history.old
    arrived = NOW - timedelta(days=history.ages_days[place])

    def since(moment: datetime, sharper: object) -> datetime:
        return max(moment, NOW) if sharper and not history.at_once else moment

    def sooner(name: str) -> bool:
        return rule[name] is not None and (old[name] is None or rule[name] < old[name])

    dues = []
    if rule["expire_days"] and (fetched or rule["expire_unfetched"]):
        sharper = sooner("expire_days") or (rule["expire_unfetched"] and not old["expire_unfetched"])
        dues.append(since(arrived, sharper) + timedelta(days=rule["expire_days"]))
    if rule["expire_confirmed_days"] and everybody:
        dues.append(midnight_after(NOW) + timedelta(days=rule["expire_confirmed_days"]))
    if rule["remove_when_confirmed"] and everybody:
        sharper = not old["remove_when_confirmed"] or rule["hold_days"] < old["hold_days"]
        dues.append(since(arrived, sharper) + timedelta(days=rule["hold_days"]))
    due = max(min(dues), NOW) if dues and not history.held else None
    return due.date() if due and due.date() <= (NOW + timedelta(days=HORIZON_DAYS)).date() else None


def as_ranges(numbers: set[int]) -> str:
    return "{" + ",".join(f"[{number},{number + 1})" for number in sorted(numbers)) + "}"


def build(history: History) -> Mailbox:
    box = a_mailbox()
    for age in history.ages_days:
        a_message(box, arrived_at=NOW - timedelta(days=age))
    Device.objects.filter(mailbox=box).update(mode="peek")  # the main one is nobody here
    for index, gadget in enumerate(history.gadgets):
        Device.objects.create(
            mailbox=box,
            name=f"d{index}",
            mode=gadget.mode,
            selector=f"s{index}",
            digest=b"x",
            silent_since=NOW if gadget.silent else None,
            revoked_at=NOW if gadget.revoked else None,
            hidden=as_ranges({place + 1 for place in gadget.deleted | gadget.skipped}),
            skipped=as_ranges({place + 1 for place in gadget.skipped}),
            confirmed=as_ranges({place + 1 for place in gadget.confirmed}),
        )
    count_hidden()
    policy = policies.ensure("rules", actor=ACTOR, **history.old).row
    mailboxes.ensure("ann@example.org", actor=ACTOR, policy=policy, policy_at_once=True, held=history.held)
    return box


def count_hidden() -> None:
    for device in Device.objects.exclude(hidden="{}"):
        hidden = Message.objects.filter(removed=None).extra(
            where=["%s::int8multirange @> added"], params=[device.hidden]
        )
        count = hidden.count()
        Device.objects.filter(pk=device.pk).update(hidden_messages=count, hidden_octets=100 * count)


def save(history: History) -> None:
    """Save the new rules, as if at NOW."""
    policy = policies.ensure("rules", actor=ACTOR, at_once=history.at_once, **history.new).row
    begin_now(policy)
    policy.save()


def planned(history: History) -> Plan:
    """The new rules as they would be saved, as if at NOW."""
    plan = policies.plan("rules", at_once=history.at_once, **history.new)
    begin_now(plan.policy)
    return plan


def begin_now(policy: RetentionPolicy) -> None:
    for clock in ("expire_since", "expire_confirmed_since", "remove_since"):
        if getattr(policy, clock):
            setattr(policy, clock, NOW)


def swept(now: datetime) -> int:
    context = SweepContext(EmptyBodyStore(), now)
    COVERAGE.act(context)
    return EXPIRY.act(context)[0]


def sweeps() -> Counter[date]:
    """What a sweep now and one at each day's end take, by the day."""
    ends = [midnight_after(NOW + timedelta(days=day)) - timedelta(microseconds=1) for day in range(HORIZON_DAYS + 1)]
    gone: Counter[date] = Counter()
    for now in (NOW, *ends):
        gone[now.date()] += swept(now)
    return +gone


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORIES)
def test_a_forecast_equals_the_words_and_the_sweeps(history: History) -> None:
    with transaction.atomic():
        build(history)
        outcome = forecast.of_policy(planned(history), now=NOW)
        words = Counter(filter(None, (leaves_on(history, place) for place in range(len(history.ages_days)))))
        assert {day.date: day.messages for day in outcome.days} == words
        assert sum(each.messages for each in outcome.domains) == outcome.total.messages == words.total()
        assert outcome.total.messages + outcome.unfetched <= len(history.ages_days)
        assert outcome.held_mailboxes == history.held
        save(history)
        assert sweeps() == words
        assert_counters_are_sums()
        transaction.set_rollback(True)
