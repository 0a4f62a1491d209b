"""Entries of the trace for tests of pages, as the worker of a listener writes them."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from mailstore.models import Mailbox, TraceEntry

SENDER = "claire@notaires.example"


def an_answer(
    answer: str = "delivered",
    reason: str = "",
    *,
    mailbox: Mailbox | None = None,
    ago: timedelta = timedelta(),
    **fields: object,
) -> TraceEntry:
    """Write an answer for a mailbox, or for another recipient."""
    at = timezone.now() - ago
    values = {
        "recipient": mailbox.user.address if mailbox else "",
        "domain": mailbox.domain if mailbox else None,
        "source": "lmtp",
        "sender": SENDER,
        "client": "unix",
        **fields,
    }
    values.setdefault("pair", hash((values["sender"], str(values["recipient"]).lower())) >> 1)
    return TraceEntry.objects.create(at=at, first_at=at, answer=answer, reason=reason, mailbox=mailbox, **values)
