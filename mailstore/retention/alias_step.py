"""Removes aliases that expired long ago; until then whoever looks for one sees that it was there, and may renew it."""

from __future__ import annotations

from contextlib import suppress

from django.db.models import QuerySet

from mailstore.directory import aliases, removal_notice
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import Alias
from mailstore.sql.sweep_step import Step, SweepContext

ACTOR = Actor("sweep", "shell")


def _due(round: SweepContext) -> QuerySet[Alias]:
    """The forwards of removed mailboxes too: a restore would bring them back expired."""
    return Alias.objects.filter(expires_at__lt=removal_notice.due_before(round.now), domain__removed_at=None)


def _look(round: SweepContext) -> tuple[int]:
    return (_due(round).count(),)


def _act(round: SweepContext) -> tuple[int]:
    count = 0
    for address in list(_due(round).order_by("expires_at").values_list("address", flat=True)):
        if round.stop():
            break
        with suppress(Rejected):  # removed since it was found
            aliases.remove_expired(address, before=removal_notice.due_before(round.now), actor=ACTOR)
            count += 1
    return (count,)


EXPIRED_ALIASES = Step(("aliases",), _look, _act)
