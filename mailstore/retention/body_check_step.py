"""The step that reads all bodies slowly, so that a damaged one is known before somebody fetches it.

Each look reads as many bodies as are due by now, within a budget of time and octets, and notes in one row where it
stopped. Administrators get at most one mail a day, about the damaged bodies that no mail was about before. Deliveries
do not depend on it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Min
from django.utils.translation import gettext_lazy, ngettext

from mailstore.delivery import notices
from mailstore.messages import damaged_bodies
from mailstore.messages.damaged_bodies import Damaged
from mailstore.models import Body, BodyCheck, Message, User
from mailstore.sql.sweep_step import BATCH_ROWS, Step, SweepContext

DAMAGED_BODIES = 20  # damaged bodies that a look reads again, chosen at random
OCTETS_PER_SECOND = 32 * 1024 * 1024  # leaves a rotating disk room for others
SHARE_SECONDS = 10  # reading takes one of so many seconds since the last run
LEAST_SECONDS = 5.0
MOST_SECONDS = 600.0  # of a timer that runs once a day; others do not wait longer for the sweep
MAIL_PAUSE = timedelta(days=1)
PAUSE_SECONDS = 0.05  # a shorter wait is not worth a sleep
LINES_MOST = 50  # messages that a mail names
_WHAT_TO_DO = gettext_lazy(
    "The check of the stored mail found messages missing or changed. A mail program that fetches "
    "one of them gets an error. Restore the files from the backup: the next check notices it. The "
    "command fsck lists the files and says what is wrong with each."
)


@dataclass(frozen=True, slots=True)
class Due:
    """The bodies that are due: after `check.after`, up to the key `until`. `completes`: they complete the pass."""

    check: BodyCheck
    until: int
    completes: bool


class Budget:
    """The limits of one look: a number of seconds, and a number of octets in each second."""

    def __init__(self, seconds: float) -> None:
        self._began = time.monotonic()
        self._seconds = seconds
        self._octets = 0

    def spend(self, octets: int) -> None:
        """Count octets that were read, and wait if that was too fast."""
        self._octets += octets
        ahead = self._octets / OCTETS_PER_SECOND - (time.monotonic() - self._began)
        if ahead > PAUSE_SECONDS:
            time.sleep(ahead)

    def over(self) -> bool:
        return time.monotonic() - self._began > self._seconds


def _counts(context: SweepContext) -> tuple[int, int]:
    due = _due(context)
    count = 0 if due is None else Body.objects.filter(pk__gt=due.check.after, pk__lte=due.until).count()
    return count, damaged_bodies.bodies().count()


def _act(context: SweepContext) -> tuple[int, int]:
    _read_again(context)
    due = _due(context)
    count = 0 if due is None else _read(due, context)
    _mail_admins(context)
    return count, damaged_bodies.bodies().count()


def _due(context: SweepContext) -> Due | None:
    """Return what is to be read now; None if nothing is, or if the check is switched off."""
    days = settings.BODY_CHECK_DAYS
    if not days:
        return None
    check = BodyCheck.objects.first() or BodyCheck(pk=1, began_at=context.now, looked_at=context.now)
    left = Body.objects.filter(pk__gt=check.after).aggregate(first=Min("pk"), last=Max("pk"))
    if left["first"] is not None:
        check.after = left["first"] - 1  # skips the keys of bodies that are long gone
    completes = (context.now - check.began_at).days >= days
    until = due_until(
        after=check.after,
        last=left["last"] or check.after,
        began_at=check.began_at,
        looked_at=check.looked_at,
        now=context.now,
        days=days,
    )
    if until == check.after and not check._state.adding and not completes:
        return None  # the time since the last look adds up until a body is due
    return Due(check, until, completes=completes)


def due_until(*, after: int, last: int, began_at: datetime, looked_at: datetime, now: datetime, days: int) -> int:
    """Return the key up to which bodies are due, out of the keys above `after` up to the present `last`.

    One pass over the store takes `days`. It includes bodies that came since it began, so no body waits longer for its
    first reading.
    """
    left = began_at + timedelta(days=days) - looked_at
    passed = now - looked_at
    if left <= passed:
        return max(after, last)
    return max(after, after + int((last - after) * (max(passed, timedelta()) / left)))


def run_seconds(passed: timedelta) -> float:
    """Return how many seconds one run may take, when the last one was so long ago."""
    return min(MOST_SECONDS, max(LEAST_SECONDS, passed.total_seconds() / SHARE_SECONDS))


def _read_again(context: SweepContext) -> None:
    for body in Body.objects.filter(damaged_at__isnull=False).order_by("?")[:DAMAGED_BODIES]:
        if not context.stop():
            damaged_bodies.check(context.store, body, now=context.now)


def _read(due: Due, context: SweepContext) -> int:
    """Read what is due, and note where it stopped; return how many bodies it read."""
    check, count = due.check, 0
    budget = Budget(run_seconds(context.now - check.looked_at))
    for body in _between(check.after, due.until):
        if context.stop() or budget.over():
            break
        damaged_bodies.check(context.store, body, now=context.now)
        budget.spend(body.wire_octets)
        check.after = body.pk
        count += 1
    else:
        check.after = due.until
        if due.completes:
            check.after, check.began_at = 0, context.now
    check.looked_at = context.now
    check.save()
    return count


def _between(after: int, until: int) -> Iterator[Body]:
    while batch := list(Body.objects.filter(pk__gt=after, pk__lte=until).order_by("pk")[:BATCH_ROWS]):
        yield from batch
        after = batch[-1].pk


def _mail_admins(context: SweepContext) -> None:
    """Mail hosting administrators about damaged bodies that no mail was about before, a day after the last mail.

    The pages show a damaged body as long as it is damaged.
    """
    fresh = damaged_bodies.bodies().filter(damage_notified_at=None)
    count = Message.objects.filter(body__in=fresh).count()
    if not count or _mailed_lately(context):
        return
    found = damaged_bodies.messages(LINES_MOST, fresh)
    for admin in User.objects.filter(role=User.Role.ADMIN, is_active=True).order_by("pk"):
        with notices.in_language(admin.language):
            subject = ngettext("%(count)d stored message is damaged", "%(count)d stored messages are damaged", count)
            text = "\n".join([str(_WHAT_TO_DO), "", *_lines(found, count), ""])
        notices.deliver_to_admin(
            admin, subject % {"count": count}, text, occasion=f"damage {context.now}", now=context.now
        )
    fresh.update(damage_notified_at=context.now)


def _mailed_lately(context: SweepContext) -> bool:
    """Say whether a mail of the last day was about a body that is damaged now."""
    return Body.objects.filter(damaged_at__isnull=False, damage_notified_at__gt=context.now - MAIL_PAUSE).exists()


def _lines(found: Sequence[Damaged], count: int) -> Iterator[str]:
    for one in found:
        yield f"{one.arrived_at:%Y-%m-%d %H:%M}  {one.address}  {one.uidl}"
    if more := count - len(found):
        yield ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more}


BODY_CHECK = Step(("checked", "damaged"), _counts, _act)
