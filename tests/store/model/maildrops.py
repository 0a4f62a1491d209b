"""PRODUCT.md's mailbox in plain Python: messages, devices, a policy, a clock. What the real store must agree with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailstore.policy.quota import GRACE_OCTETS, GRACE_SHARE


@dataclass
class Stay:
    """One stay of a message in the live maildrop; `left` is when and why it ended."""

    uidl: str
    octets: int
    aged_from: datetime
    left: tuple[datetime, str] | None = None


@dataclass
class Gadget:
    """A device, and what it did to which stay, by their places."""

    mode: str
    main: bool = False
    revoked: bool = False
    seen: bool = False
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
    rule: dict[str, int | None]
    gadgets: dict[str, Gadget]
    stays: dict[int, Stay] = field(default_factory=dict)
    places: int = 0
    main_pop: bool = True
    held: bool = False
    quota_octets: int | None = None

    # --- what there is --------------------------------------------------------------------------------------------

    def live(self) -> list[int]:
        return [place for place, stay in self.stays.items() if stay.left is None]

    def resting(self) -> list[int]:
        return [place for place, stay in self.stays.items() if stay.left is not None]

    def octets(self) -> int:
        return sum(self.stays[place].octets for place in self.live())

    def view(self, name: str) -> list[int]:
        return [place for place in self.live() if self.gadgets[name].shows(place)]

    def may(self, name: str) -> bool:
        gadget = self.gadgets[name]
        return not gadget.revoked and (self.main_pop or not gadget.main)

    def counting(self) -> list[Gadget]:
        return [
            gadget
            for gadget in self.gadgets.values()
            if not gadget.revoked
            and gadget.mode != "peek"
            and not (gadget.main and not (gadget.seen and self.main_pop))
        ]

    # --- what happens ---------------------------------------------------------------------------------------------

    def fits(self, octets: int) -> bool:
        quota, used = self.quota_octets, self.octets()
        return quota is None or (used < quota and used + octets <= quota + min(GRACE_OCTETS, quota // GRACE_SHARE))

    def arrive(self, stay: Stay) -> int:
        self.places += 1
        self.stays[self.places] = stay
        return self.places

    def quit(self, name: str, marked: Iterable[int]) -> None:
        gadget, there = (
            self.gadgets[name],
            [place for place in marked if (stay := self.stays.get(place)) and stay.left is None],
        )
        if gadget.mode == "primary":
            self.leave(there, "dele")
            return
        gadget.deleted |= set(there)
        if gadget.mode == "independent":
            self.leave([p for p in there if not any(one.shows(p) for one in self.counting())], "every")

    def settle(self) -> None:
        """A device counts no more: what all others have deleted or left out leaves, if one of them has deleted it."""
        counting = self.counting()
        unseen = [p for p in self.live() if not any(one.shows(p) for one in counting)]
        self.leave([p for p in unseen if any(p in one.deleted - one.skipped for one in counting)], "every")

    def sweep(self) -> None:
        for place in [] if self.held else self.live():
            due, why = self._due(place)
            if due is not None and due <= self.now:
                self.leave([place], why)
        rest = timedelta(days=max(1, self.rule["recovery_days"]))
        for place in [] if self.held else self.resting():
            if self.stays[place].left[0] < self.now - rest:
                del self.stays[place]

    def restore(self, place: int, uidl: str, names: Iterable[str] | None) -> int:
        """A new stay, which the devices that are not named do not see."""
        old = self.stays.pop(place)
        back = self.arrive(Stay(uidl, old.octets, self.now))
        for name, gadget in self.gadgets.items():
            if names is not None and name not in names and not gadget.revoked:
                gadget.skipped.add(back)
        return back

    def leave(self, places: Iterable[int], why: str) -> None:
        for place in places:
            self.stays[place].left = (self.now, why)

    def _due(self, place: int) -> tuple[datetime | None, str]:
        counting, aged_from = self.counting(), self.stays[place].aged_from
        one = any(g.has(place) for g in self.gadgets.values() if g.mode != "peek" and not g.revoked)
        every = any(g.has(place) for g in counting) and all(g.has(place) or place in g.skipped for g in counting)
        arrival = self._behind(aged_from, "expire_days" if one or self.rule["expire_unfetched"] else None)
        removal = self._behind(aged_from, "hold_days" if every and self.rule["remove_when_confirmed"] else None)
        if removal is not None and (arrival is None or removal < arrival):
            return removal, "every"
        return arrival, "expired"

    def _behind(self, moment: datetime, rule: str | None) -> datetime | None:
        days = self.rule[rule] if rule else None
        return None if days is None else moment + timedelta(days=days)
