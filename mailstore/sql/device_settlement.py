"""What follows when a device counts no more: mail that waited for it alone leaves. Who counts, `statements` says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from time import monotonic

from django.db import transaction
from django.utils import timezone

from mailstore.sql import settlement_step as settling
from mailstore.sql.locked_batch import Pace

PATIENCE_SECONDS = 10.0  # of the person who waits for the answer; no view shows what is left over, so it may wait


def settle(mailboxes: Sequence[int]) -> None:
    """Let go what every device that still counts has deleted in these mailboxes, in batches, once this is committed.

    Called in the transaction that ended a device's count. What a kill or the patience leaves over is the next sweep's.
    """
    if mailboxes:
        transaction.on_commit(partial(_settle, list(mailboxes)), robust=True)


def _settle(mailboxes: list[int]) -> None:
    until = monotonic() + PATIENCE_SECONDS
    settling.let_go(mailboxes, moment=timezone.now, stop=lambda: monotonic() > until, pace=Pace())
