"""The model and the store side by side: each step changes both, and then they must agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from mailstore.delivery.delivery import Placement
from mailstore.directory import devices, mailboxes, policies
from mailstore.errors import BadCredentials, QuotaDeferred
from mailstore.integrity import fsck, row_checks
from mailstore.messages import recovery
from mailstore.messages.recovery import Choice
from mailstore.models import Device, Mailbox, Message
from mailstore.ports import BodyRef, BodyStore, Done, ForeignFile, Maildrop, OpenBody, Recipient
from mailstore.retention import sweep
from tests.mailbox_model.choice import ChoiceSource
from tests.mailbox_model.model import Model, ModelDevice, Stay
from tests.site.empty_body_store import EmptyBodyStore
from tests.site.empty_database import empty_database
from tests.site.mail import Mail
from tests.site.rows import ACTOR, PASSWORD, a_mailbox

ANN = "ann@example.org"
# A session may open within any stay. What owners are warned of: tests/retention/test_quota_warning_step.py.
ELSEWHERE = {"diary_days": 36_500}
NAMES = ("main", "phone", "tablet", "archive", "desk", "new")
# Of each device its name, and the live messages that it has.
DEVICE_MESSAGES = """
SELECT v.name, coalesce(array_agg(m.uidl ORDER BY m.added) FILTER (
           WHERE v.hidden - v.skipped + v.confirmed @> m.added), '{}')
  FROM mailstore_device v LEFT JOIN mailstore_message m ON m.mailbox_id = v.mailbox_id AND m.removed IS NULL
 WHERE v.revoked_at IS NULL
 GROUP BY v.id
"""


def _rules(choose: ChoiceSource) -> dict[str, int | str | None]:
    return {
        "expire_days": choose.one((None, None, 2, 9)),
        "expire_unfetched": choose.one((False, True)),
        "remove_when_confirmed": choose.one((False, True)),
        "hold_days": choose.number(0, 5),
        "recovery_days": choose.number(0, 9),
        "recovery_octets": choose.one((None, None, 0, 5_000, 15_000)),
        "relief": choose.one(("never", "every", "one")),
        "silent_days": choose.one((5, 12, 45)),
    }


class WholeBodies(EmptyBodyStore):
    """Every body that a row names is there and whole."""

    def open(self, _ref: BodyRef, done: Done[OpenBody]) -> None:
        class Opened:
            def close(self) -> None: ...

        done(Opened())

    def foreign(self) -> Iterator[tuple[int, list[ForeignFile]]]:
        return iter(())

    def keys(self) -> Iterator[str]:
        return iter(())


@dataclass
class Open:
    """A session: its device, the places of what it sees to its end, and whether it has asked for its list."""

    name: str
    drop: Maildrop
    places: list[int]
    uidls: list[str]
    listed: bool


class History:
    """One mailbox, its policy and its devices, from their making on."""

    store: BodyStore = WholeBodies()

    def __init__(self, mail: Mail, choose: ChoiceSource) -> None:
        empty_database()
        self.mail = mail
        rules = _rules(choose) | {"expire_confirmed_days": choose.one((None, 1, 2, 5))}
        policies.ensure("rules", actor=ACTOR, at_once=True, site=True, **ELSEWHERE, **rules)
        self.box = a_mailbox(ANN)
        self.secrets = {"main": PASSWORD}
        for name, mode in (("phone", None), ("tablet", None), ("archive", "peek"), ("desk", "primary")):
            self.secrets[name] = devices.add(ANN, name, actor=ACTOR, mode=mode)[1]
        now = timezone.now() + timedelta(hours=12)  # so that no rule of whole days falls due within a step
        modes = dict(Device.objects.values_list("name", "mode"))
        model_devices = {name: ModelDevice(modes[name], now, main=name == "main") for name in self.secrets}
        self.model = Model(now, rules, model_devices)
        for name in self.secrets:
            if name != "main":  # its first sign-in makes the main one count
                self.sign_in(name)
        self.sessions: list[Open] = []
        self.moved: dict[int, int] = {}
        self.bodies = 0
        self.done: Counter[str] = Counter()  # by all sweeps

    def step(self, step: Step, choose: ChoiceSource) -> None:
        """What the store dates by its own clock, which waits for nothing, happened by the model's."""
        before = Mailbox.objects.get().change
        step(self, choose)
        Message.objects.filter(added__gt=before).update(aged_from=self.model.now)
        Message.objects.filter(removed__gt=before).update(removed_at=self.model.now)

    def uidls(self, places: list[int]) -> list[str]:
        return [self.model.stays[place].uidl for place in places]

    # --- mail in, sessions --------------------------------------------------------------------------------------------

    def deliver(self, choose: ChoiceSource) -> None:
        octets = choose.number(1, 5000)
        takes = self.model.takes(octets)
        answer = self.mail.recipient(ANN, octets)
        assert isinstance(answer, Recipient if takes else QuotaDeferred), answer
        if not takes:
            return
        self.model.relieve(octets)
        self.bodies += 1
        ref = BodyRef(f"body-{self.box.pk}-{self.bodies}", octets, octets, bytes(16))
        placement = Placement((self.box.pk,), ref)
        assert self.mail.worker.ask(lambda done: self.mail.delivery.place(placement, done)) is None
        self.model.arrive(Stay(Message.objects.latest("added").uidl, octets, self.model.now))

    def sign_in(self, name: str) -> Maildrop:
        """Whoever only looks, to compare views, is not seen. The first time of all would be written beside us."""
        self.mail.accounts._context.last_sign_ins._seen.clear()
        Device.objects.filter(name=name).update(last_sign_in_at=self.model.now)
        drop = self.mail.open(ANN, self.secrets[name])
        self.mail.worker.ask(self.mail.accounts._context.last_sign_ins.flush)
        Device.objects.filter(name=name).update(last_sign_in_at=self.model.now)
        self.model.sign_in(name)
        return drop

    def open(self, choose: ChoiceSource) -> None:
        """Whether it asks for its list now or at its end, it is the same."""
        name = choose.one([name for name in self.model.devices if self.model.may(name)])
        drop = self.sign_in(name)
        places = self.model.view(name)
        session = Open(name, drop, places, self.uidls(places), choose.one((False, True)))
        if session.listed:
            assert self.mail.uidls(drop) == session.uidls
        self.sessions.append(session)

    def leave(self, choose: ChoiceSource) -> None:
        """Fetch some, mark some; then QUIT, or a dropped line."""
        if not self.sessions:
            return
        session = self.sessions.pop(choose.number(0, len(self.sessions) - 1))
        quits = choose.one((False, True))
        assert self.mail.uidls(session.drop) == session.uidls
        numbers = range(1, len(session.places) + 1)
        fetched = choose.some(numbers)
        confirmed = len(fetched) if quits else choose.number(0, len(fetched))
        marked = choose.some(numbers) if quits else []
        if marked and not self.quit(session, marked):
            marked = []
        self.mail.end(
            session.drop, fetched=fetched, confirmed=confirmed, removed=marked, reason="quit" if quits else "lost"
        )
        there = self.now(session.places)
        self.model.devices[session.name].fetched |= {there[number - 1] for number in fetched[:confirmed]}

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

    def connect(self, choose: ChoiceSource) -> None:
        if "new" in self.model.devices:
            return
        start = choose.one(("all", "now"))
        self.secrets["new"] = devices.add(ANN, "new", actor=ACTOR, start=start)[1]
        skipped = set(self.model.live()) if start == "now" else set()
        self.model.devices["new"] = ModelDevice("independent", self.model.now, skipped=skipped)
        self.sign_in("new")

    def revoke(self, choose: ChoiceSource) -> None:
        """All but two in the end: without any, there were nobody's views to compare."""
        name = choose.one(NAMES)
        if name in self.model.devices and name not in ("main", "phone") and not self.model.devices[name].revoked:
            devices.revoke(ANN, name, actor=ACTOR)
            self.model.devices[name].revoked = True
            self.model.settle()

    def set_mode(self, choose: ChoiceSource) -> None:
        name, mode = choose.one(NAMES), choose.one(("independent", "primary", "peek", "none"))
        device = self.model.devices.get(name)
        if device is None or device.revoked or (mode == "none" and not device.main):
            return
        devices.set_mode(ANN, name, mode, actor=ACTOR)
        same = mode == (device.mode if self.model.main_pop or not device.main else "none")
        if device.main:
            self.model.main_pop = mode != "none"
        if mode != "none":
            device.mode = mode
        if not same:
            self.model.settle()

    def change_quota(self, choose: ChoiceSource) -> None:
        self.model.have_quota(choose.one((None, choose.number(0, 20_000))))
        mailboxes.ensure(ANN, actor=ACTOR, quota_octets=self.model.quota_octets)
        Mailbox.objects.filter(quota_lowered_at__isnull=False).update(quota_lowered_at=self.model.quota_lowered_at)

    def hold(self, choose: ChoiceSource) -> None:
        self.model.held = choose.number(0, 3) == 0
        mailboxes.ensure(ANN, actor=ACTOR, held=self.model.held)

    def change_rules(self, choose: ChoiceSource) -> None:
        """At once; the clocks of new rules have their own test. What all had for long enough is due whatever comes."""
        rules = _rules(choose)
        policies.ensure("rules", actor=ACTOR, at_once=True, **rules)
        self.model.rule |= rules

    def take_out(self, choose: ChoiceSource) -> None:
        places = choose.some(self.model.live(), most=3)
        if places:
            rows = Message.objects.filter(uidl__in=self.uidls(places), removed=None)
            assert recovery.remove(ANN, list(rows.values_list("pk", flat=True)), actor=ACTOR) == len(places)
            self.model.leave(places, "person")

    # --- time and recovery --------------------------------------------------------------------------------------------

    def wait_and_sweep(self, choose: ChoiceSource) -> None:
        self.model.now += timedelta(days=choose.number(0, 6))
        Mailbox.objects.update(warned_percent=100)
        letters = self.model.tell()
        before = Mailbox.objects.get().change
        foreseen = sweep.preview(self.store, now=self.model.now)
        done = sweep.run(self.store, now=self.model.now)
        if not letters:  # what they take is not foreseen
            # A body waits a day by the store's own clock, and is not read where the same pass destroys it.
            unforeseen = {"bodies": foreseen.bodies, "body_octets": foreseen.body_octets, "checked": foreseen.checked}
            assert foreseen == replace(done, **unforeseen)
        self.done.update(asdict(done))
        new = Message.objects.filter(added__gt=before).order_by("added")
        assert len(new) == letters, f"{len(new)} letters, not {letters}"
        places = [self.model.arrive(Stay(row.uidl, row.octets, row.arrived_at)) for row in new]
        self.model.sweep()
        for place in places:
            self.model.stays[place].aged_from = self.model.now
        # Who has not listed yet what was destroyed for good is told to try again: another story.
        self.sessions = [one for one in self.sessions if one.listed or self._there(one)]

    def _there(self, session: Open) -> bool:
        return all(place in self.model.stays for place in self.now(session.places))

    def restore(self, choose: ChoiceSource) -> None:
        places = choose.some(self.model.resting(), most=10)
        if not places:
            return
        there = [name for name, device in self.model.devices.items() if not device.revoked]
        names = choose.some(there) or None
        again = choose.one((False, True))
        rows = {self.model.stays[place].uidl: place for place in places}
        keys = {row.pk: rows[row.uidl] for row in Message.objects.filter(uidl__in=rows).exclude(removed=None)}
        recovery.restore(ANN, Choice(keys=list(keys)), actor=ACTOR, devices=names, new_uidls=again)
        for row in Message.objects.filter(pk__in=keys).order_by("added"):
            place = keys[row.pk]
            assert (row.uidl == self.model.stays[place].uidl) == (not again)
            self.moved[place] = self.model.restore(place, row.uidl, names)

    def purge(self, choose: ChoiceSource) -> None:
        if self.model.held or not self.model.resting():
            return
        place = choose.one(self.model.resting())
        key = Message.objects.exclude(removed=None).get(uidl=self.model.stays[place].uidl).pk
        recovery.purge_now(ANN, Choice(keys=[key]), actor=ACTOR)
        del self.model.stays[place]
        self.sessions = [one for one in self.sessions if one.listed or self._there(one)]

    # --- after each -----------------------------------------------------------------------------------------------

    def agree(self) -> None:
        self._views_agree()
        self._counters_agree()
        self._recovery_agrees()
        self._devices_have_what_they_fetched_or_deleted()
        assert list(fsck.Check(self.store).run()) == []

    def _views_agree(self) -> None:
        for name, device in self.model.devices.items():
            if self.model.may(name) and device.seen:
                found = self.mail.uidls(self.mail.open(ANN, self.secrets[name]))
                assert found == self.uidls(self.model.view(name)), name

    def _counters_agree(self) -> None:
        assert list(row_checks.wrong_counters()) == []
        box = Mailbox.objects.get()
        assert (box.messages, box.octets) == (len(self.model.live()), self.model.octets())

    def _recovery_agrees(self) -> None:
        found = set(Message.objects.exclude(removed=None).values_list("uidl", "removed_why"))
        resting = [self.model.stays[place] for place in self.model.resting()]
        expected = {(stay.uidl, stay.left[1]) for stay in resting}
        assert found == expected, f"the store has {found - expected}, the model {expected - found}"

    def _devices_have_what_they_fetched_or_deleted(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(DEVICE_MESSAGES)
            found = dict(cursor.fetchall())
        for name, device in self.model.devices.items():
            if not device.revoked:
                assert found[name] == self.uidls([p for p in self.model.live() if device.has(p)]), name


Step = Callable[[History, ChoiceSource], None]
STEPS: tuple[Step, ...] = (
    History.deliver,
    History.open,
    History.leave,
    History.connect,
    History.revoke,
    History.set_mode,
    History.change_quota,
    History.hold,
    History.change_rules,
    History.take_out,
    History.wait_and_sweep,
    History.restore,
    History.purge,
)
