"""The steps that destroy mailboxes, domains and aliases whose time is over.

REMOVALS purges mailboxes and domains that were removed long enough ago, or are to go at once; none on hold.
EXPIRED_ALIASES removes aliases that expired long ago. Until then the lists show them, and they can be renewed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from django.db.models import Exists, OuterRef, QuerySet

from mailstore.directory import aliases, domain_removal, mailbox_removal, removal_state
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import Alias, Domain, Mailbox
from mailstore.sql.sweep_step import Step, SweepContext

ACTOR = Actor("sweep", "shell")


def _count_removed(context: SweepContext) -> tuple[int]:
    return (_mailboxes(context).count() + Mailbox.objects.filter(domain__in=_domains(context)).count(),)


def _purge_removed(context: SweepContext) -> tuple[int]:
    return (sum(_purged(context)),)


def _purged(context: SweepContext) -> Iterator[int]:
    """Yield how many mailboxes each purge destroyed."""
    purge_domain = partial(domain_removal.purge_now, stop=context.stop)
    mailboxes = list(_mailboxes(context).order_by("removed_at").values_list("user__address", flat=True))
    domains = list(_domains(context).order_by("removed_at").values_list("name", flat=True))
    for purge, names in ((mailbox_removal.purge_now, mailboxes), (purge_domain, domains)):
        for name in names:
            if context.stop():
                return
            # Rejected: it was restored, purged or put on hold since it was found.
            with suppress(Rejected):
                yield purge(name, actor=ACTOR).mailboxes


def _mailboxes(context: SweepContext) -> QuerySet[Mailbox]:
    """Return due mailboxes that were not removed with their domain, and whose domain is not about to be purged."""
    rows = Mailbox.objects.filter(removal_state.due(context.now), removed_with_domain=False, held=False)
    return rows.exclude(domain__in=_domains(context))


def _domains(context: SweepContext) -> QuerySet[Domain]:
    held = Mailbox.objects.filter(domain=OuterRef("pk"), held=True)
    return Domain.objects.filter(~Exists(held), removal_state.due(context.now))


REMOVALS = Step(("mailboxes",), _count_removed, _purge_removed)


def _expired(context: SweepContext) -> QuerySet[Alias]:
    """Return the aliases that are due, also forwards of removed mailboxes: a restore would bring them back expired."""
    return Alias.objects.filter(expires_at__lt=removal_state.due_before(context.now), domain__removed_at=None)


def _count_expired(context: SweepContext) -> tuple[int]:
    return (_expired(context).count(),)


def _remove_expired(context: SweepContext) -> tuple[int]:
    count = 0
    for address in list(_expired(context).order_by("expires_at").values_list("address", flat=True)):
        if context.stop():
            break
        with suppress(Rejected):  # somebody removed it since it was found
            aliases.remove_expired(address, before=removal_state.due_before(context.now), actor=ACTOR)
            count += 1
    return (count,)


EXPIRED_ALIASES = Step(("aliases",), _count_expired, _remove_expired)
