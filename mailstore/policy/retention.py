"""Retention rules: which clocks a change restarts, what a forecast holds, and when owners get warnings. Pure."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

CAP_GRACE_DAYS = 7  # before a lowered cap of recovery takes effect, so that a typing error destroys nothing
HORIZON_DAYS = 30  # a forecast counts what leaves today and within these days
RELIEVED_PERCENT = 90  # of the quota: relief makes room down to this, so that the next message needs no relief again
SILENCE_NOTICE_DAYS = 7  # the owner gets a notice so long before a device stops counting
WARN_PERCENTS = (80, 95, 100)
_RELIEFS = ("never", "every", "one")  # what makes room in a full mailbox, the least first


@dataclass(frozen=True, slots=True)
class Rule:
    """The fields of a policy that remove mail or records. Days are None where a field removes none."""

    expire_days: int | None
    expire_confirmed_days: int | None
    expire_unfetched: bool
    remove_when_confirmed: bool
    hold_days: int
    recovery_days: int
    recovery_octets: int | None
    relief: str
    silent_days: int
    diary_days: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """Mail that leaves. `date` is the day in UTC on which it leaves; None: within the whole horizon, or at once."""

    messages: int
    octets: int
    mailboxes: int
    date: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class DomainLeaving:
    """Mail that leaves the mailboxes of one domain within the whole horizon."""

    name: str
    messages: int
    octets: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What leaves the maildrops into recovery within HORIZON_DAYS: by `days`, in order, and in `total`.

    `before` is the total under the rules as they are. `destroyed` is what the next pass takes out of recovery for good.
    `relieved` is what it also moves out of full mailboxes to make room; its `mailboxes` are the full ones (None: not
    counted). `domains` has the parts of the total, largest first. `held_mailboxes` follow the policy, but a hold spares
    them. `unfetched` messages are old enough to leave, but stay because no device has them.
    """

    days: tuple[Leaving, ...]
    total: Leaving
    before: Leaving
    destroyed: Leaving
    relieved: Leaving | None
    domains: tuple[DomainLeaving, ...] = ()
    held_mailboxes: int = 0
    unfetched: int = 0


def sharpened(old: Rule, new: Rule) -> set[str]:
    """Return the clocks that restart, since the new rule removes mail earlier than the old one."""
    unfetched = new.expire_unfetched and not old.expire_unfetched
    earlier = {
        "expire_since": _sooner(old.expire_days, new.expire_days) or (unfetched and new.expire_days is not None),
        "expire_confirmed_since": _sooner(old.expire_confirmed_days, new.expire_confirmed_days),
        "remove_since": _sooner(_removal_days(old), _removal_days(new)),
        "recovery_since": new.recovery_days < old.recovery_days,
        "cap_since": _tighter(old.recovery_octets, new.recovery_octets),
    }
    return {clock for clock, restarts in earlier.items() if restarts}


def days_until_effect(old: Rule, new: Rule) -> int | None:
    """Return after how many days the change from old to new can first remove something that the old rule leaves.

    0: with the next sweep, or the next delivery. None: it removes nothing earlier. Mail that arrives after the change
    counts too, so the answer needs no look at the mail.
    """
    if _acts_at_once(old, new):
        return 0
    days = {
        "expire_since": new.expire_days,
        "expire_confirmed_since": new.expire_confirmed_days,
        "remove_since": new.hold_days,
        "recovery_since": max(1, new.recovery_days),
        "cap_since": CAP_GRACE_DAYS,
    }
    return min((each for clock in sharpened(old, new) if (each := days[clock]) is not None), default=None)


def notice_days(silent_days: int) -> int:
    """Return how many days before a device stops counting its owner gets a notice; at least a day."""
    return min(SILENCE_NOTICE_DAYS, max(1, silent_days // 2))


def _acts_at_once(old: Rule, new: Rule) -> bool:
    """Say whether a part of the change that has no clock removes more: relief, silence, or the days of the diary."""
    waits = new.expire_confirmed_days is not None or new.remove_when_confirmed or new.relief != "never"
    return (
        _RELIEFS.index(new.relief) > _RELIEFS.index(old.relief)
        or (waits and new.silent_days < old.silent_days)
        or new.diary_days < old.diary_days
    )


def _removal_days(rule: Rule) -> int | None:
    return rule.hold_days if rule.remove_when_confirmed else None


def _tighter(old: int | None, new: int | None) -> bool:
    """Say whether a cap may be lower than before. None means the quota of each mailbox, which we do not know here."""
    return old != new and (old is None or new is None or new < old)


def _sooner(old: int | None, new: int | None) -> bool:
    return new is not None and (old is None or new < old)
