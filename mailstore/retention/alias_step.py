"""The step that removes aliases which expired long ago. Until then the lists show them, and they can be renewed."""

from __future__ import annotations

from contextlib import suppress

from django.db.models import QuerySet

from mailstore.directory import aliases, removal_notice
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import Alias
from mailstore.sql.sweep_step import Step, SweepContext

ACTOR = Actor("sweep", "shell")


def _due(context: SweepContext) -> QuerySet[Alias]:
    """Return the aliases that are due, with forwards of removed mailboxes: a restore would bring them back expired."""
    return Alias.objects.filter(expires_at__lt=removal_notice.due_before(context.now), domain__removed_at=None)


def _look(context: SweepContext) -> tuple[int]:
    return (_due(context).count(),)


def _act(context: SweepContext) -> tuple[int]:
    count = 0
    for address in list(_due(context).order_by("expires_at").values_list("address", flat=True)):
        if context.stop():
            break
        with suppress(Rejected):  # somebody removed it since it was found
            aliases.remove_expired(address, before=removal_notice.due_before(context.now), actor=ACTOR)
            count += 1
    return (count,)


EXPIRED_ALIASES = Step(("aliases",), _look, _act)
