"""Model and store, driven through the same random steps: after each, every view, counter and recovery list agrees.

POPADMIN_EXAMPLES=1000 makes as many histories as one has time for, POPADMIN_STEPS=1000 makes each as long as one likes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pytest_django import Settings

from mailstore.errors import BadCredentials
from mailstore.models import Device, Mailbox, Message
from mailstore.ports import BodyRef, BodyStore, Maildrop, OpenBody
from mailstore.store import counters, devices, fsck, mailboxes, policies, recovery, sweep
from mailstore.store.delivery import Placement, Refusing
from mailstore.store.recovery import Choice
from tests.store import counting
from tests.store.bodiless import Bodiless
from tests.store.mail import Mail
from tests.store.model.maildrops import Gadget, Model, Stay
from tests.store.site import ACTOR, PASSWORD, a_mailbox

EXAMPLES = int(os.environ.get("POPADMIN_EXAMPLES", "40"))
STEPS = int(os.environ.get("POPADMIN_STEPS", "30"))
ANN = "ann@example.org"
EMPTY = "TRUNCATE mailstore_user, mailstore_domain, mailstore_message, mailstore_body, mailstore_diarysession CASCADE"
DAYS = st.one_of(st.none(), st.integers(1, 9))
RULES = st.fixed_dictionaries(
    {
        "expire_days": DAYS,
        "expire_unfetched": st.booleans(),
        "remove_when_confirmed": st.booleans(),
        "hold_days": st.integers(0, 5),
        "recovery_days": st.integers(0, 9),
    }
)
# Other stories: tests/store/test_sweep_capped.py, test_silence.py.
ELSEWHERE = {"recovery_octets": 2**40, "silent_days": 36_500}
NAMES = st.sampled_from(["main", "phone", "tablet", "archive", "desk", "new"])
# Of each device its name, and the live messages that it has.
HAD = """
SELECT v.name, coalesce(array_agg(m.uidl ORDER BY m.added) FILTER (
           WHERE v.hidden - v.skipped + v.confirmed @> m.added), '{}')
  FROM mailstore_device v LEFT JOIN mailstore_message m ON m.mailbox_id = v.mailbox_id AND m.removed IS NULL
 WHERE v.revoked_at IS NULL
 GROUP BY v.id
"""


class Whole(Bodiless):
    """Every body that a row names is there and whole."""

    def open(self, _ref: BodyRef) -> OpenBody:
        class Opened:
            def close(self) -> None: ...

        return Opened()

    def keys(self) -> Iterator[str]:
        return iter(())


@dataclass
class Open:
    """A session: its device, and the places of what it sees to its end."""

    name: str
    drop: Maildrop
    places: list[int]
    uidls: list[str]


class Histories(RuleBasedStateMachine):
    """The steps; each does the same to both."""

    mail: Mail
    store: BodyStore = Whole()

    @initialize(rules=RULES)
    def make(self, rules: dict[str, int | None]) -> None:
        connection.cursor().execute(EMPTY)
        policies.ensure("rules", actor=ACTOR, at_once=True, site=True, **ELSEWHERE, **rules)
        self.box = a_mailbox(ANN)
        self.secrets = {"main": PASSWORD}
        for name, mode in (("phone", None), ("tablet", None), ("archive", "peek"), ("desk", "primary")):
            self.secrets[name] = devices.add(ANN, name, actor=ACTOR, mode=mode)[1]
        modes = dict(Device.objects.values_list("name", "mode"))
        self.model = Model(
            now=timezone.now() + timedelta(hours=12),  # so that no rule of whole days falls due within a step
            rule=rules,
            gadgets={name: Gadget(modes[name], main=name == "main") for name in self.secrets},
        )
        self.sessions: list[Open] = []
        self.moved: dict[int, int] = {}
        self.bodies = 0
        self.waited_days = 0

    def teardown(self) -> None:
        if hasattr(self, "box"):
            assert list(fsck.Check(self.store).run()) == []

    def uidls(self, places: list[int]) -> list[str]:
        return [self.model.stays[place].uidl for place in places]

    # --- mail in, sessions --------------------------------------------------------------------------------------------

    @rule(octets=st.integers(0, 5000))
    def deliver(self, octets: int) -> None:
        self.bodies += 1
        ref = BodyRef(f"body-{self.box.pk}-{self.bodies}", octets, octets, bytes(16))
        arrived_at = self.model.now if self.waited_days else None
        placement = Placement((self.box.pk,), ref, arrived_at=arrived_at)
        answer = self.mail.worker.ask(lambda done: self.mail.delivery.place(placement, done))
        assert (answer is None) == self.model.fits(octets), answer
        assert answer is None or isinstance(answer, Refusing)
        if answer is None:
            row = Message.objects.latest("added")
            self.model.arrive(Stay(row.uidl, octets, row.aged_from or row.arrived_at))

    @rule(name=NAMES, lists=st.booleans())
    def open(self, name: str, lists: bool) -> None:
        """Whether it asks for its list now or at its end, it is the same."""
        if name in self.model.gadgets and self.model.may(name):
            drop = self.mail.open(ANN, self.secrets[name])
            self.mail.worker.ask(self.mail.accounts._sightings.flush)
            self.model.gadgets[name].seen = True
            places = self.model.view(name)
            session = Open(name, drop, places, self.uidls(places))
            if lists:
                assert self.mail.uidls(drop) == session.uidls
            self.sessions.append(session)

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), quits=st.booleans())
    def leave(self, data: st.DataObject, quits: bool) -> None:
        """Fetch some, mark some; then QUIT, or a dropped line."""
        session = self.sessions.pop(data.draw(st.integers(0, len(self.sessions) - 1)))
        assert self.mail.uidls(session.drop) == session.uidls
        numbers = st.integers(1, max(1, len(session.places)))
        fetched = data.draw(st.lists(numbers, max_size=6)) if session.places else []
        confirmed = len(fetched) if quits else data.draw(st.integers(0, len(fetched)))
        marked = sorted(data.draw(st.sets(numbers, max_size=6))) if session.places and quits else []
        if marked and not self.quit(session, marked):
            marked = []
        self.mail.end(
            session.drop, fetched=fetched, confirmed=confirmed, removed=marked, reason="quit" if quits else "lost"
        )
        there = self.now(session.places)
        self.model.gadgets[session.name].fetched |= {there[number - 1] for number in fetched[:confirmed]}

    def now(self, places: list[int]) -> list[int]:
        """Where messages are now that had these places once: a restore gives another."""
        while any(place in self.moved for place in places):
            places = [self.moved.get(place, place) for place in places]
        return places

    def quit(self, session: Open, marked: list[int]) -> bool:
        answer = self.mail.remove(session.drop, *marked)
        if not self.model.may(session.name):
            assert isinstance(answer, BadCredentials)
            return False
        assert answer == len(marked)
        self.model.quit(session.name, [session.places[number - 1] for number in marked])
        return True

    # --- what people do -----------------------------------------------------------------------------------------------

    @precondition(lambda self: "new" not in self.model.gadgets)
    @rule(start=st.sampled_from(["all", "now"]))
    def connect(self, start: str) -> None:
        self.secrets["new"] = devices.add(ANN, "new", actor=ACTOR, start=start)[1]
        skipped = set(self.model.live()) if start == "now" else set()
        self.model.gadgets["new"] = Gadget("independent", skipped=skipped)

    @rule(name=NAMES.filter(lambda name: name not in ("main", "phone")))
    def revoke(self, name: str) -> None:
        if name in self.model.gadgets and not self.model.gadgets[name].revoked:
            devices.revoke(ANN, name, actor=ACTOR)
            self.model.gadgets[name].revoked = True
            self.model.settle()

    @rule(name=NAMES, mode=st.sampled_from(["independent", "primary", "peek", "none"]))
    def set_mode(self, name: str, mode: str) -> None:
        if name not in self.model.gadgets or self.model.gadgets[name].revoked or (mode == "none" and name != "main"):
            return
        devices.set_mode(ANN, name, mode, actor=ACTOR)
        gadget = self.model.gadgets[name]
        same = mode == (gadget.mode if self.model.main_pop or not gadget.main else "none")
        if gadget.main:
            self.model.main_pop = mode != "none"
        if mode != "none":
            gadget.mode = mode
        if not same:
            self.model.settle()

    @rule(quota=st.one_of(st.none(), st.integers(0, 20_000)))
    def change_quota(self, quota: int | None) -> None:
        mailboxes.ensure(ANN, actor=ACTOR, quota_octets=quota)
        self.model.quota_octets = quota

    @rule(held=st.booleans())
    def hold(self, held: bool) -> None:
        mailboxes.ensure(ANN, actor=ACTOR, held=held)
        self.model.held = held

    @precondition(lambda self: self.model.live())
    @rule(data=st.data())
    def take_out(self, data: st.DataObject) -> None:
        places = data.draw(st.sets(st.sampled_from(self.model.live()), min_size=1))
        keys = Message.objects.filter(uidl__in=self.uidls(sorted(places)), removed=None).values_list("pk", flat=True)
        assert recovery.remove(ANN, list(keys), actor=ACTOR) == len(places)
        self.model.leave(places, "person")

    # --- time and recovery --------------------------------------------------------------------------------------------

    @rule(days=st.integers(0, 6))
    def wait_and_sweep(self, days: int) -> None:
        while self.sessions:
            self.mail.end(self.sessions.pop().drop, reason="idle")
        self.waited_days += days
        self.model.now += timedelta(days=days)
        # The store dates what people and programs take out by its own clock, which has waited for nothing.
        dates = dict(Message.objects.exclude(removed=None).values_list("uidl", "removed_at"))
        for stay in map(self.model.stays.get, self.model.resting()):
            stay.left = (dates[stay.uidl], stay.left[1])
        sweep.run(self.store, now=self.model.now)
        self.model.sweep()

    @precondition(lambda self: self.model.resting())
    @rule(data=st.data(), again=st.booleans())
    def restore(self, data: st.DataObject, again: bool) -> None:
        places = data.draw(st.sets(st.sampled_from(self.model.resting()), min_size=1))
        there = [name for name, gadget in self.model.gadgets.items() if not gadget.revoked]
        names = data.draw(st.one_of(st.none(), st.sets(st.sampled_from(there), min_size=1)))
        rows = {self.model.stays[place].uidl: place for place in sorted(places)}
        keys = {row.pk: rows[row.uidl] for row in Message.objects.filter(uidl__in=rows).exclude(removed=None)}
        recovery.restore(ANN, Choice(keys=list(keys)), actor=ACTOR, devices=names, again=again)
        for row in Message.objects.filter(pk__in=keys).order_by("added"):
            place = keys[row.pk]
            assert (row.uidl == self.model.stays[place].uidl) == (not again)
            self.moved[place] = self.model.restore(place, row.uidl, names)
            self.model.stays[self.moved[place]].aged_from = row.aged_from

    @precondition(lambda self: self.model.resting() and not self.model.held)
    @rule(data=st.data())
    def purge(self, data: st.DataObject) -> None:
        place = data.draw(st.sampled_from(self.model.resting()))
        key = Message.objects.exclude(removed=None).get(uidl=self.model.stays[place].uidl).pk
        recovery.purge_now(ANN, Choice(keys=[key]), actor=ACTOR)
        del self.model.stays[place]
        # Who has not listed yet what was destroyed for good is told to try again: another story.
        self.sessions = [one for one in self.sessions if place not in self.now(one.places)]

    # --- after each -----------------------------------------------------------------------------------------------

    @invariant()
    def views_agree(self) -> None:
        for name, gadget in self.model.gadgets.items():
            if self.model.may(name) and (gadget.seen or not gadget.main):  # its first sign-in makes the main one count
                found = self.mail.uidls(self.mail.open(ANN, self.secrets[name]))
                assert found == self.uidls(self.model.view(name)), name

    @invariant()
    def counters_agree(self) -> None:
        assert list(counters.wrong()) == []
        box = Mailbox.objects.get()
        assert (box.messages, box.octets) == (len(self.model.live()), self.model.octets())

    @invariant()
    def recovery_agrees(self) -> None:
        found = set(Message.objects.exclude(removed=None).values_list("uidl", "removed_why"))
        resting = [self.model.stays[place] for place in self.model.resting()]
        assert found == {(stay.uidl, stay.left[1]) for stay in resting}

    @invariant()
    def devices_have_what_they_fetched_or_deleted(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(HAD)
            found = dict(cursor.fetchall())
        for name, gadget in self.model.gadgets.items():
            if not gadget.revoked:
                assert found[name] == self.uidls([p for p in self.model.live() if gadget.has(p)]), name


def test_model_and_store_agree_after_every_step_of_any_history(
    mail: Mail, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.PASSWORD_HASHERS = [counting.PATH]
    caplog.set_level("ERROR")
    run_state_machine_as_test(
        type("OnThisStore", (Histories,), {"mail": mail}),
        settings=hypothesis_settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
