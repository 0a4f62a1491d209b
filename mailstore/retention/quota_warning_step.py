"""The step that warns owners whose quota fills, once for each limit, and sends administrators a daily digest.

A warning never takes the last room of the mailbox that it is about. It waits until there is room for it; meanwhile the
owner hears of it at the recovery address, and administrators by the digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.amount_text import count, percent, used_of
from mailstore.delivery import notices
from mailstore.delivery.notices import Notice
from mailstore.models import Mailbox, User
from mailstore.policy.retention import WARN_PERCENTS
from mailstore.sql.sweep_step import Step, SweepContext

BATCH_NOTICES = 100  # made durable together
NOTICE_OCTETS = 4096  # no warning is larger; what it takes in the mailbox
DIGEST_PAUSE = timedelta(days=1)  # between two digests to one administrator
DIGEST_LINES = 50  # mailboxes that a digest names; it counts the others, and the panel lists them all

# The highest limit that a mailbox has crossed, and the one of the last warning. It reads the rows of all mailboxes
# without an index: each delivery changes the counters, and would have to write the index.
_LEAST = f"{WARN_PERCENTS[0]} / 100.0::float8"
_CROSSED = f"""
SELECT box.id, u.address, u.language, u.recovery_address, box.warned_percent, box.warned_at, box.warning_waits,
       level.percent, box.octets, box.quota_octets, box.messages, box.quota_messages
  FROM {{mailbox}} box
  JOIN mailstore_user u ON u.id = box.user_id
 CROSS JOIN LATERAL (
       SELECT coalesce(max(percent), 0) AS percent FROM unnest(%(percents)s::int[]) AS percent
        WHERE box.octets >= box.quota_octets * (percent / 100.0::float8)
           OR box.messages >= box.quota_messages * (percent / 100.0::float8)) AS level
 WHERE (box.warned_percent > 0 OR box.octets >= box.quota_octets * ({_LEAST})
        OR box.messages >= box.quota_messages * ({_LEAST}))
   AND box.removed_at IS NULL AND (level.percent <> box.warned_percent OR box.warning_waits) AND box.id > %(after)s
 ORDER BY box.id LIMIT {BATCH_NOTICES}
"""


@dataclass(frozen=True, slots=True)
class _Crossing:
    mailbox: int
    address: str
    language: str
    recovery_address: str
    warned_percent: int
    warned_at: datetime | None
    warning_waits: bool
    percent: int
    octets: int
    quota_octets: int | None
    messages: int
    quota_messages: int | None

    @property
    def rises(self) -> bool:
        return self.percent > self.warned_percent

    @property
    def fits(self) -> bool:
        """Whether the mailbox has room for the warning, and for more behind it."""
        octets, messages = self.octets + NOTICE_OCTETS, self.messages + 1
        return _share(octets, self.quota_octets) < 1 and _share(messages, self.quota_messages) < 1


def _coupled(context: SweepContext) -> Iterator[int]:
    """Yield mailboxes that fill: the steps before may take enough out of them."""
    return (crossing.mailbox for crossing in _rising(context))


def _count(context: SweepContext) -> tuple[int]:
    return (sum(1 for _crossing in _rising(context)),)


def _rising(context: SweepContext) -> Iterator[_Crossing]:
    for batch in _batches(context):
        yield from (crossing for crossing in batch if crossing.rises)


def _act(context: SweepContext) -> tuple[int]:
    warned = 0
    for batch in _batches(context):
        _note_falls(batch)
        warned += _warn_in_mailboxes(batch, context) + _warn_elsewhere(batch, context)
    if not context.stop():
        _send_digests(context)
    return (warned,)


def _note_falls(batch: Sequence[_Crossing]) -> None:
    """Note the limits below which mailboxes have fallen, so that the next crossing is a new one."""
    for crossing in batch:
        if crossing.percent < crossing.warned_percent:
            waits = crossing.warning_waits and crossing.percent > 0
            Mailbox.objects.filter(pk=crossing.mailbox).update(warned_percent=crossing.percent, warning_waits=waits)


def _warn_in_mailboxes(batch: Sequence[_Crossing], context: SweepContext) -> int:
    """Deliver the warnings that fit, those that waited too; return how many of them are new."""
    day = f"{context.now:%Y-%m-%d}"
    due = {
        crossing.mailbox: crossing
        for crossing in batch
        if (crossing.rises or crossing.warning_waits) and crossing.percent > 0 and crossing.fits
    }
    delivered = notices.deliver([_notice(crossing, day) for crossing in due.values()], now=context.now)
    for notice in delivered:
        _note(due[notice.mailbox], context, waits=False)
    return sum(due[notice.mailbox].rises for notice in delivered)


def _warn_elsewhere(batch: Sequence[_Crossing], context: SweepContext) -> int:
    """Let the warnings wait that do not fit, and mail them to the recovery addresses; return how many."""
    tight = [crossing for crossing in batch if crossing.rises and not crossing.fits]
    for crossing in tight:
        _note(crossing, context, waits=True)
        notice = _notice(crossing, f"{context.now:%Y-%m-%d}")
        notices.send_to_recovery_address(crossing.recovery_address, notice)
    return len(tight)


def _note(crossing: _Crossing, context: SweepContext, *, waits: bool) -> None:
    values: dict[str, Any] = {"warned_percent": crossing.percent, "warning_waits": waits}
    if crossing.rises:
        values["warned_at"] = context.now
    Mailbox.objects.filter(pk=crossing.mailbox).update(**values)


def _batches(context: SweepContext) -> Iterator[list[_Crossing]]:
    after = 0
    while not context.stop():
        with connection.cursor() as cursor:
            cursor.execute(
                _CROSSED.format(mailbox=context.tables.mailbox), {"percents": [*WARN_PERCENTS], "after": after}
            )
            batch = [_Crossing(*row) for row in cursor.fetchall()]
        if not batch:
            return
        yield batch
        after = batch[-1].mailbox


def _share(used: int, quota: int | None) -> Fraction:
    return Fraction(0) if quota is None else Fraction(used, quota) if quota else Fraction(1)


def _percent(row: _Crossing | Mailbox) -> int:
    """Return how full it is in whole percents, rounded down: by octets or by messages, whichever is more."""
    share = max(_share(row.octets, row.quota_octets), _share(row.messages, row.quota_messages))
    return int(share * 100)


def _notice(crossing: _Crossing, day: str) -> Notice:
    full = crossing.percent >= WARN_PERCENTS[-1]
    with notices.in_language(crossing.language):
        subject = (
            _("Your mailbox is full")
            if full
            else _("Your mailbox is %(percent)s full") % {"percent": percent(_percent(crossing))}
        )
        parts = [*_usage(crossing), _consequence() if full else _outlook(), _remedy()]
    # The day is part of it: if a kill lost the note of this warning, a later crossing must not seem to be the same.
    occasion = f"quota {crossing.percent} {crossing.warned_at} {day}"
    return Notice(crossing.mailbox, crossing.address, crossing.language, subject, "\n\n".join(parts) + "\n", occasion)


def _usage(crossing: _Crossing) -> Iterator[str]:
    if crossing.quota_octets is not None:
        used = used_of(crossing.octets, crossing.quota_octets)
        yield _("%(address)s holds %(used)s.") % {"address": crossing.address, "used": used}
    if crossing.quota_messages is not None:
        yield ngettext(
            "%(address)s holds %(messages)s of %(quota)s message.",
            "%(address)s holds %(messages)s of %(quota)s messages.",
            crossing.quota_messages,
        ) % {
            "address": crossing.address,
            "messages": count(crossing.messages),
            "quota": count(crossing.quota_messages),
        }


def _consequence() -> str:
    return _(
        "It accepts no new mail until there is room again. Senders are asked to try again later, or are "
        "told that it is full."
    )


def _outlook() -> str:
    return _("When it is full, it accepts no new mail, and senders are told so.")


def _remedy() -> str:
    return _(
        "To make room, delete mail that you no longer need, on each of your devices. Or let your mail program "
        "delete mail from the server some days after it has fetched it."
    )


def _send_digests(context: SweepContext) -> int:
    """Mail administrators which mailboxes filled up since their last digest, once a day at most; return to how many."""
    admins = User.objects.filter(Q(role=User.Role.ADMIN) | Q(grants__isnull=False), is_active=True).distinct()
    due = admins.filter(Q(digest_sent_at=None) | Q(digest_sent_at__lte=context.now - DIGEST_PAUSE))
    return sum(_send_to(admin, context) for admin in due.order_by("pk"))


def _send_to(admin: User, context: SweepContext) -> bool:
    filled = _filled(admin).select_related("user")
    number = filled.count()
    first = filled.order_by("-warned_percent", "pk")[:DIGEST_LINES]
    if not number or not _send_list(admin, number, sorted(first, key=_percent, reverse=True), context):
        return False
    User.objects.filter(pk=admin.pk).update(digest_sent_at=context.now)
    return True


def _filled(admin: User) -> QuerySet[Mailbox]:
    rows = Mailbox.objects.filter(warned_percent__gt=0, removed_at=None)
    if admin.digest_sent_at is not None:
        rows = rows.filter(warned_at__gt=admin.digest_sent_at)
    return rows if admin.role == User.Role.ADMIN else rows.filter(domain__grants__user=admin)


def _send_list(admin: User, number: int, first: Sequence[Mailbox], context: SweepContext) -> bool:
    with notices.in_language(admin.language):
        subject = ngettext("%(count)s mailbox is filling up", "%(count)s mailboxes are filling up", number) % {
            "count": count(number)
        }
        text = "\n".join(_lines(number, first)) + "\n"
    return notices.deliver_to_admin(admin, subject, text, occasion=f"digest {admin.digest_sent_at}", now=context.now)


def _lines(number: int, first: Sequence[Mailbox]) -> list[str]:
    lines = [f"{percent(_percent(mailbox)):>7}  {mailbox.user.address}" for mailbox in first]
    more = number - len(lines)
    return (
        [*lines, ngettext("and %(count)s more", "and %(count)s more", more) % {"count": count(more)}] if more else lines
    )


QUOTA_WARNINGS = Step(("warned",), None, _act, coupled=_coupled, on_copies=_count)
