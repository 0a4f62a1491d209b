"""The mailbox of PRODUCT.md in plain Python: messages, devices, a policy, a clock. The store must agree with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from mailstore.policy.quota import GRACE_OCTETS, GRACE_SHARE
from mailstore.policy.retention import CAP_GRACE_DAYS, RELIEVED_PERCENT, notice_days

ONE_DAY = timedelta(days=1)


@dataclass
class Stay:
    """One stay of a message in the live maildrop; `left` is when and why it ended, `order` which left before it."""

    uidl: str
    octets: int
    aged_from: datetime
    born: int = 0  # the same in all stays of a message
    left: tuple[datetime, str] | None = None
    order: int = 0
    had_since: datetime | None = None  # noted by a sweep: every device has had it


@dataclass
class ModelDevice:
    """A device, and what it did to which stay, by their places."""

    mode: str
    heard: datetime
    main: bool = False
    revoked: bool = False
    seen: bool = False
    notified_at: datetime | None = None  # that its silence has consequences
    silent: bool = False
    deleted: set[int] = field(default_factory=set)
    fetched: set[int] = field(default_factory=set)
    skipped: set[int] = field(default_factory=set)

    def shows(self, place: int) -> bool:
        return place not in self.deleted | self.skipped

    def has(self, place: int) -> bool:
        return place in self.fetched | (self.deleted - self.skipped)


@dataclass
class Model:
    now: datetime
    rule: dict[str, int | str | None]
    devices: dict[str, ModelDevice]
    stays: dict[int, Stay] = field(default_factory=dict)
    places: int = 0
    leavings: int = 0
    whys: set[str] = field(default_factory=set)
    main_pop: bool = True
    held: bool = False
    quota_octets: int | None = None
    quota_lowered_at: datetime | None = None

    # --- what there is --------------------------------------------------------------------------------------------

    def live(self) -> list[int]:
        return [place for place, stay in self.stays.items() if stay.left is None]

    def resting(self) -> list[int]:
        return [place for place, stay in self.stays.items() if stay.left is not None]

    def octets(self, places: Iterable[int] | None = None) -> int:
        return sum(self.stays[place].octets for place in (self.live() if places is None else places))

    def view(self, name: str) -> list[int]:
        return [place for place in self.live() if self.devices[name].shows(place)]

    def may(self, name: str) -> bool:
        device = self.devices[name]
        return not device.revoked and (self.main_pop or not device.main)

    def counting(self) -> list[ModelDevice]:
        return [
            device
            for device in self.devices.values()
            if not device.revoked
            and not device.silent
            and device.mode != "peek"
            and not (device.main and not (device.seen and self.main_pop))
        ]

    def one_has(self, place: int) -> bool:
        """Also one that is silent: it is believed to keep what it fetched."""
        return any(one.has(place) for one in self.devices.values() if one.mode != "peek" and not one.revoked)

    def every_has(self, place: int) -> bool:
        counting = self.counting()
        return any(one.has(place) for one in counting) and all(
            one.has(place) or place in one.skipped for one in counting
        )

    # --- what happens ---------------------------------------------------------------------------------------------

    def sign_in(self, name: str) -> None:
        device = self.devices[name]
        device.seen, device.heard, device.notified_at, device.silent = True, self.now, None, False

    def fits(self, octets: int, used: int | None = None) -> bool:
        quota, used = self.quota_octets, self.octets() if used is None else used
        return quota is None or (used < quota and used + octets <= quota + min(GRACE_OCTETS, quota // GRACE_SHARE))

    def arrive(self, stay: Stay) -> int:
        self.places += 1
        stay.born = stay.born or self.places
        self.stays[self.places] = stay
        return self.places

    def quit(self, name: str, marked: Iterable[int]) -> None:
        device = self.devices[name]
        there = [place for place in marked if (stay := self.stays.get(place)) and stay.left is None]
        if device.mode == "primary":
            self.leave(there, "dele")
            return
        device.deleted |= set(there)
        if device.mode == "independent":
            self.leave([p for p in there if not any(one.shows(p) for one in self.counting())], "every")

    def settle(self) -> None:
        """A device counts no more: what all others have deleted or left out leaves, if one of them has deleted it."""
        counting = self.counting()
        unseen = [p for p in self.live() if not any(one.shows(p) for one in counting)]
        self.leave([p for p in unseen if any(p in one.deleted - one.skipped for one in counting)], "settled")

    def relieve(self, octets: int) -> None:
        """Make room for so many octets: first what every device has, then what one has, where the policy says so."""
        quota = self.quota_octets
        if quota is None or self.held or self.rule["relief"] == "never" or octets > quota:
            return
        while not self.fits(octets):
            above = self.octets() + octets - quota + quota // 100 * (100 - RELIEVED_PERCENT)
            picked = list(self._first(self._may_go(), above))
            self.leave(picked, "relief")
            if not picked:
                return

    def takes(self, octets: int) -> bool:
        """A delivery fits, or does once there is as much room as there may be."""
        if self.fits(octets) or self.held or self.rule["relief"] == "never" or octets > self.quota_octets:
            return self.fits(octets)
        return self.fits(octets, self.octets() - self.octets(self._may_go()))

    def restore(self, place: int, uidl: str, names: Iterable[str] | None) -> int:
        """A new stay, which the devices that are not named do not see."""
        old = self.stays.pop(place)
        back = self.arrive(Stay(uidl, old.octets, self.now, old.born))
        for name, device in self.devices.items():
            if names is not None and name not in names and not device.revoked:
                device.skipped.add(back)
        return back

    def leave(self, places: Iterable[int], why: str) -> None:
        self.leavings += 1
        for place in places:
            self.whys.add(why)
            self.stays[place].left, self.stays[place].order = (self.now, why), self.leavings

    # --- the sweep, step by step ----------------------------------------------------------------------------------

    def tell(self) -> int:
        """Write to the owner of devices that are silent; how many letters that takes."""
        due = [] if self.held else [one for one in self._silent(early=True) if one.notified_at is None]
        for device in due:
            device.notified_at = self.now
        return len(due)

    def sweep(self) -> None:
        """All that follows the letters, which are mail like any other."""
        ended = [] if self.held else list(self._silent(early=False))
        for device in ended:
            device.silent = device.notified_at is not None and device.notified_at <= self.now - self._notice()
        self.settle()
        self._note()
        if not self.held:
            due = {place: self._due(place) for place in self.live()}
            gone = {place: why for place, (at, why) in due.items() if at is not None and at <= self.now}
            for why in set(gone.values()):
                self.leave([place for place in gone if gone[place] == why], why)
            for place in gone:
                self.stays[place].order = self.leavings  # they left together
            self.relieve(1)
            self._destroy()

    def _silent(self, *, early: bool) -> Iterator[ModelDevice]:
        days = timedelta(days=self.rule["silent_days"]) - (self._notice() if early else timedelta())
        return (device for device in self.counting() if device.heard <= self.now - days)

    def _notice(self) -> timedelta:
        return timedelta(days=notice_days(self.rule["silent_days"]))

    def _note(self) -> None:
        """From the end of this day on every device has had it."""
        if self.rule["expire_confirmed_days"] is None:
            return
        tomorrow = datetime.combine(self.now.astimezone(UTC).date() + ONE_DAY, time(), UTC)
        for place in self.live():
            stay = self.stays[place]
            stay.had_since = (stay.had_since or tomorrow) if self.every_has(place) else None

    def _due(self, place: int) -> tuple[datetime | None, str]:
        """The first of what the rules say, and by which; the earlier word of two that say the same."""
        stay, every = self.stays[place], self.every_has(place)
        may_expire = self.one_has(place) or self.rule["expire_unfetched"]
        rules = [
            (self._behind(stay.aged_from, "expire_days" if may_expire else None), "expired"),
            (self._behind(stay.had_since, "expire_confirmed_days" if every and stay.had_since else None), "had"),
            (
                self._behind(stay.aged_from, "hold_days" if every and self.rule["remove_when_confirmed"] else None),
                "every",
            ),
        ]
        return min(((at, why) for at, why in rules if at is not None), key=lambda due: due[0], default=(None, ""))

    def _behind(self, moment: datetime | None, rule: str | None) -> datetime | None:
        days = self.rule[rule] if rule else None
        return None if days is None or moment is None else moment + timedelta(days=days)

    def _may_go(self) -> list[int]:
        every = [place for place in self.live() if self.every_has(place)]
        if self.rule["relief"] != "one":
            return every
        return every + [place for place in self.live() if self.one_has(place) and place not in every]

    def _first(self, places: Iterable[int], octets: int) -> Iterator[int]:
        """As many as it takes to make so many octets."""
        for place in places:
            if octets > 0:
                yield place
            octets -= self.stays[place].octets

    def have_quota(self, octets: int | None) -> None:
        if octets is not None and (self.quota_octets is None or octets < self.quota_octets):
            self.quota_lowered_at = self.now
        self.quota_octets = octets

    def _destroy(self) -> None:
        """What rested long enough; then what is above the cap, what left first, but nothing that left within
        a day, and nothing within a week of a lower quota."""
        rest = timedelta(days=max(1, self.rule["recovery_days"]))
        for place in self.resting():
            if self.stays[place].left[0] < self.now - rest:
                del self.stays[place]
        cap = self.quota_octets if self.rule["recovery_octets"] is None else self.rule["recovery_octets"]
        above = 0 if cap is None else self.octets(self.resting()) - cap
        if self.quota_lowered_at is not None and self.quota_lowered_at >= self.now - timedelta(days=CAP_GRACE_DAYS):
            return
        oldest = sorted(self.resting(), key=lambda place: (self.stays[place].order, self.stays[place].born))
        for place in list(self._first(oldest, above)):
            if self.stays[place].left[0] < self.now - ONE_DAY:
                del self.stays[place]
