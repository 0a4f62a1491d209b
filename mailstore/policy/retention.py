"""The clock of a retention rule that is changed, and how a full mailbox is told of; pure, `now` is the caller's."""

from __future__ import annotations

from dataclasses import dataclass

CAP_GRACE_DAYS = 7  # a cap of recovery that was lowered waits so long: a slip of the pen destroys nothing
HORIZON_DAYS = 30  # a forecast counts what leaves within these days, today aside
RELIEVED_PERCENT = 90  # relief frees this far below the quota: not again with the next message, and below a warning
SILENCE_NOTICE_DAYS = 7  # the owner hears so long before that a device will stop counting
WARN_PERCENTS = (80, 95, 100)


@dataclass(frozen=True, slots=True)
class Rule:
    """What of a policy takes mail away; days, None where it does not."""

    expire_days: int | None
    expire_confirmed_days: int | None
    expire_unfetched: bool
    remove_when_confirmed: bool
    hold_days: int
    recovery_days: int
    recovery_octets: int | None


def sharpened(old: Rule, new: Rule) -> set[str]:
    """Return the clocks that start anew, as the new rule takes mail that the old one would have kept for longer."""
    unfetched = new.expire_unfetched and not old.expire_unfetched
    judged = {
        "expire_since": _sooner(old.expire_days, new.expire_days) or (unfetched and new.expire_days is not None),
        "expire_confirmed_since": _sooner(old.expire_confirmed_days, new.expire_confirmed_days),
        "remove_since": _sooner(_removal_days(old), _removal_days(new)),
        "recovery_since": new.recovery_days < old.recovery_days,
        "cap_since": _tighter(old.recovery_octets, new.recovery_octets),
    }
    return {clock for clock, sharper in judged.items() if sharper}


def notice_days(silent_days: int) -> int:
    """How many days before a device stops counting its owner is told; a short silence has a short notice, of a day."""
    return min(SILENCE_NOTICE_DAYS, max(1, silent_days // 2))


def _removal_days(rule: Rule) -> int | None:
    return rule.hold_days if rule.remove_when_confirmed else None


def _tighter(old: int | None, new: int | None) -> bool:
    """Whether a cap may be lower than it was; None is the quota of each mailbox, which may be anything."""
    return old != new and (old is None or new is None or new < old)


def _sooner(old: int | None, new: int | None) -> bool:
    return new is not None and (old is None or new < old)
