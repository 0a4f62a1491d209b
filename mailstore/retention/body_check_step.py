"""Reads all bodies slowly, so that what a disk has lost is known before somebody fetches it; tells administrators once.

Each look reads as many as are due by now, within a budget of time and octets; where it stopped is one row. A delivery
knows nothing of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Max, Min
from django.utils.translation import gettext_lazy, ngettext

from mailstore.delivery import notices
from mailstore.messages import damaged_bodies
from mailstore.models import Body, BodyCheck, User
from mailstore.policy import reading_schedule
from mailstore.retention import admin_mail
from mailstore.sql.sweep_step import BATCH_ROWS, Step, SweepContext

AGAIN_BODIES = 20  # damaged ones that a look reads anew, whichever; the others' turn comes with the next
PAUSE_SECONDS = 0.05  # what is read in so little time is not waited for
NAMED = 50
_WHAT_TO_DO = gettext_lazy(
    "The check of the stored mail found it missing or changed: a mail program that fetches it is told so. Bring the "
    "files back from the backup; the next check notices by itself. The command fsck names them and says what is wrong "
    "with each."
)


@dataclass(frozen=True, slots=True)
class Due:
    """The bodies behind `check.after` up to the key `until`; all of them end the round."""

    check: BodyCheck
    until: int
    ends: bool


class Budget:
    """What one look may use: so many seconds, and in each of them so many octets."""

    def __init__(self, seconds: float) -> None:
        self._began = time.monotonic()
        self._seconds = seconds
        self._octets = 0

    def spend(self, octets: int) -> None:
        """Wait until so much more may have been read."""
        self._octets += octets
        ahead = self._octets / reading_schedule.OCTETS_PER_SECOND - (time.monotonic() - self._began)
        if ahead > PAUSE_SECONDS:
            time.sleep(ahead)

    def over(self) -> bool:
        return time.monotonic() - self._began > self._seconds


def _look(round: SweepContext) -> tuple[int, int]:
    due = _due(round)
    count = 0 if due is None else Body.objects.filter(pk__gt=due.check.after, pk__lte=due.until).count()
    return count, damaged_bodies.bodies().count()


def _act(round: SweepContext) -> tuple[int, int]:
    _read_again(round)
    due = _due(round)
    count = 0 if due is None else _read(due, round)
    _tell(round)
    return count, damaged_bodies.bodies().count()


def _due(round: SweepContext) -> Due | None:
    """Return what is to be read now; None where the check is switched off."""
    days = settings.BODY_CHECK_DAYS
    if not days:
        return None
    check = BodyCheck.objects.first() or BodyCheck(pk=1, began_at=round.now, looked_at=round.now)
    left = Body.objects.filter(pk__gt=check.after).aggregate(first=Min("pk"), last=Max("pk"))
    if left["first"] is not None:
        check.after = left["first"] - 1  # keys of bodies that are long gone take no time of the round
    ends = (round.now - check.began_at).days >= days
    until = reading_schedule.until(
        after=check.after,
        last=left["last"] or check.after,
        began_at=check.began_at,
        looked_at=check.looked_at,
        now=round.now,
        days=days,
    )
    if until == check.after and not check._state.adding and not ends:
        return None  # the time since the last look goes on counting, so that it is a body's turn one day
    return Due(check, until, ends=ends)


def _read_again(round: SweepContext) -> None:
    for body in Body.objects.filter(damaged_at__isnull=False).order_by("?")[:AGAIN_BODIES]:
        if not round.stop():
            damaged_bodies.look_at(round.store, body, now=round.now)


def _read(due: Due, round: SweepContext) -> int:
    """Read what is due and note where it stopped; returns how many bodies."""
    check, count = due.check, 0
    budget = Budget(reading_schedule.seconds(round.now - check.looked_at))
    for body in _between(check.after, due.until):
        if round.stop() or budget.over():
            break
        damaged_bodies.look_at(round.store, body, now=round.now)
        budget.spend(body.wire_octets)
        check.after = body.pk
        count += 1
    else:
        check.after = due.until
        if due.ends:
            check.after, check.began_at = 0, round.now
    check.looked_at = round.now
    check.save()
    return count


def _between(after: int, until: int) -> Iterator[Body]:
    while batch := list(Body.objects.filter(pk__gt=after, pk__lte=until).order_by("pk")[:BATCH_ROWS]):
        yield from batch
        after = batch[-1].pk


def _tell(round: SweepContext) -> None:
    """Tell hosting admins of what they were not told yet; the pages go on to show it."""
    fresh = damaged_bodies.bodies().filter(damage_told_at=None)
    count = fresh.count()
    if not count:
        return
    found = damaged_bodies.messages(NAMED, fresh)
    lines = "\n".join(f"{one.arrived_at:%Y-%m-%d %H:%M}  {one.address}  {one.uidl}" for one in found)
    for admin in User.objects.filter(role=User.Role.ADMIN, is_active=True).order_by("pk"):
        with notices.speaking(admin.language):
            subject = ngettext("%(count)d stored message is damaged", "%(count)d stored messages are damaged", count)
            text = f"{_WHAT_TO_DO}\n\n{lines}\n"
        admin_mail.hand_over(admin, subject % {"count": count}, text, occasion=f"damage {round.now}", now=round.now)
    fresh.update(damage_told_at=round.now)


BODY_CHECK = Step(("checked", "damaged"), _look, _act)
