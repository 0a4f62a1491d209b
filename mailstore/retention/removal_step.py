"""Purges the mailboxes and domains that were removed long enough ago, or are to go at once; nothing that is held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from django.db.models import Exists, OuterRef, QuerySet

from mailstore.directory import domain_removal, mailbox_removal, removal_notice
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import Domain, Mailbox
from mailstore.sql.sweep_step import Step, SweepContext

ACTOR = Actor("sweep", "shell")


def _look(round: SweepContext) -> tuple[int]:
    return (_mailboxes(round).count() + Mailbox.objects.filter(domain__in=_domains(round)).count(),)


def _act(round: SweepContext) -> tuple[int]:
    return (sum(_purged(round)),)


def _purged(round: SweepContext) -> Iterator[int]:
    """Yield how many mailboxes went by each purge."""
    purge_domain = partial(domain_removal.purge_now, stop=round.stop)
    mailboxes = list(_mailboxes(round).order_by("removed_at").values_list("user__address", flat=True))
    domains = list(_domains(round).order_by("removed_at").values_list("name", flat=True))
    for purge, names in ((mailbox_removal.purge_now, mailboxes), (purge_domain, domains)):
        for name in names:
            if round.stop():
                return
            # Rejected: restored, purged or held since it was found.
            with suppress(Rejected):
                yield purge(name, actor=ACTOR).mailboxes


def _mailboxes(round: SweepContext) -> QuerySet[Mailbox]:
    """Those that were removed by themselves, and whose domain will not take them along."""
    rows = Mailbox.objects.filter(removal_notice.due(round.now), removed_with_domain=False, held=False)
    return rows.exclude(domain__in=_domains(round))


def _domains(round: SweepContext) -> QuerySet[Domain]:
    held = Mailbox.objects.filter(domain=OuterRef("pk"), held=True)
    return Domain.objects.filter(~Exists(held), removal_notice.due(round.now))


REMOVED = Step(("mailboxes",), _look, _act)
