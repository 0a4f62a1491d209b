"""The step that warns owners whose quota fills, once for each limit that is crossed, and tells administrators."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from mailstore.delivery import notices
from mailstore.delivery.notices import Notice
from mailstore.models import Mailbox
from mailstore.policy.retention import WARN_PERCENTS
from mailstore.retention import admin_mail
from mailstore.sql.sweep_step import Step, SweepContext

BATCH_NOTICES = 100  # whose bodies are made durable together

# The highest limit that a mailbox has crossed, beside the one of which its owner was told. It reads the rows of all
# mailboxes without an index: their counters change with each delivery, which would have to keep the index.
_LEAST = f"{WARN_PERCENTS[0]} / 100.0::float8"
_CROSSED = f"""
SELECT box.id, u.address, u.language, box.warned_percent, box.warned_at, level.percent, box.octets, box.quota_octets,
       box.messages, box.quota_messages
  FROM {{mailbox}} box
  JOIN mailstore_user u ON u.id = box.user_id
 CROSS JOIN LATERAL (
       SELECT coalesce(max(percent), 0) AS percent FROM unnest(%(percents)s::int[]) AS percent
        WHERE box.octets >= box.quota_octets * (percent / 100.0::float8)
           OR box.messages >= box.quota_messages * (percent / 100.0::float8)) AS level
 WHERE (box.warned_percent > 0 OR box.octets >= box.quota_octets * ({_LEAST})
        OR box.messages >= box.quota_messages * ({_LEAST}))
   AND box.removed_at IS NULL AND level.percent <> box.warned_percent AND box.id > %(after)s
 ORDER BY box.id LIMIT {BATCH_NOTICES}
"""


@dataclass(frozen=True, slots=True)
class _Crossing:
    mailbox: int
    address: str
    language: str
    told_percent: int
    told_at: datetime | None
    percent: int
    octets: int
    quota_octets: int | None
    messages: int
    quota_messages: int | None


def _sways(context: SweepContext) -> Iterator[int]:
    """Yield mailboxes that fill, unless the steps before take enough out of them."""
    return (crossing.mailbox for crossing in _rising(context))


def _count(context: SweepContext) -> tuple[int]:
    return (sum(1 for _crossing in _rising(context)),)


def _rising(context: SweepContext) -> Iterator[_Crossing]:
    for batch in _batches(context):
        yield from (crossing for crossing in batch if crossing.percent > crossing.told_percent)


def _act(context: SweepContext) -> tuple[int]:
    warned, day = 0, f"{context.now:%Y-%m-%d}"
    for batch in _batches(context):
        for crossing in batch:
            if crossing.percent < crossing.told_percent:  # from now on the next crossing is told again
                Mailbox.objects.filter(pk=crossing.mailbox).update(warned_percent=crossing.percent)
        rising = {crossing.mailbox: crossing for crossing in batch if crossing.percent > crossing.told_percent}
        for notice in notices.deliver([_notice(crossing, day) for crossing in rising.values()], now=context.now):
            percent = rising[notice.mailbox].percent
            Mailbox.objects.filter(pk=notice.mailbox).update(warned_percent=percent, warned_at=context.now)
            warned += 1
    if not context.stop():
        admin_mail.send_digests(context)
    return (warned,)


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


def _notice(crossing: _Crossing, day: str) -> Notice:
    full = crossing.percent >= WARN_PERCENTS[-1]
    with notices.speaking(crossing.language):
        subject = (
            _("Your mailbox is full")
            if full
            else _("Your mailbox is %(percent)d%% full") % {"percent": crossing.percent}
        )
        parts = [*_usage(crossing), _consequence() if full else _outlook(), _remedy()]
    # The day is part of it: where a kill lost the note, a later crossing would look like this one.
    occasion = f"quota {crossing.percent} {crossing.told_at} {day}"
    return Notice(crossing.mailbox, crossing.address, crossing.language, subject, "\n\n".join(parts) + "\n", occasion)


def _usage(crossing: _Crossing) -> Iterator[str]:
    if crossing.quota_octets is not None:
        yield _("%(address)s holds %(used)s of %(quota)s.") % {
            "address": crossing.address,
            "used": filesizeformat(crossing.octets),
            "quota": filesizeformat(crossing.quota_octets),
        }
    if crossing.quota_messages is not None:
        yield _("%(address)s holds %(messages)d of %(quota)d messages.") % {
            "address": crossing.address,
            "messages": crossing.messages,
            "quota": crossing.quota_messages,
        }


def _consequence() -> str:
    return _(
        "It accepts no new mail until there is room again: senders are asked to try again later, or "
        "told that it is full."
    )


def _outlook() -> str:
    return _("Once it is full, it accepts no new mail, and senders are told so.")


def _remedy() -> str:
    return _(
        "To make room, delete mail that you no longer need, on each of your devices, or let your mail program "
        "delete mail from the server some time after it has fetched it."
    )


WARN = Step(("warned",), None, _act, sways=_sways, copied=_count)
