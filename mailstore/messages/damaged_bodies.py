"""Bodies that are missing or changed: check one, note the result, and list the messages that have such bodies."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from mailstore.errors import BodyLost, BodyUnreadable
from mailstore.messages.message_file import ref_of
from mailstore.models import Body, Message
from mailstore.ports import BodyStore

log = logging.getLogger("popadmin.bodies")


@dataclass(frozen=True, slots=True)
class Damaged:
    """One message whose body is damaged. It has nothing of the content, so an administrator may read it."""

    address: str
    uidl: str
    octets: int
    arrived_at: datetime
    found_at: datetime | None


def check(store: BodyStore, body: Body, *, now: datetime) -> None:
    """Read the whole body. Note if it is newly damaged or whole again, and if it holds NUL. Unavailable."""
    try:
        has_nul = store.verify(ref_of(body))
    except (BodyLost, BodyUnreadable) as damage:
        if Body.objects.filter(pk=body.pk, damaged_at=None).update(damaged_at=now):
            log.error("a body is damaged: %s", damage)  # noqa: TRY400 - the reason is in the error, not the trace
        return
    if body.has_nul is None:
        Body.objects.filter(pk=body.pk).update(has_nul=has_nul)
    if body.damaged_at is not None:
        Body.objects.filter(pk=body.pk).update(damaged_at=None, damage_notified_at=None)
        log.info("body %s is whole again", body.key)


def bodies() -> QuerySet[Body]:
    """Return the damaged bodies that a message has."""
    return Body.objects.filter(Exists(Message.objects.filter(body=OuterRef("pk"))), damaged_at__isnull=False)


def messages(most: int, of: QuerySet[Body]) -> list[Damaged]:
    """Return some messages that have these bodies, in the order in which the damage was found."""
    rows = Message.objects.filter(body__in=of)
    found = rows.order_by("body__damaged_at", "pk").values_list(
        "mailbox__user__address", "uidl", "octets", "arrived_at", "body__damaged_at"
    )
    return [Damaged(*row) for row in found[:most]]
