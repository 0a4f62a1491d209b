"""Targets of forwards that must agree before mail goes there: which wait, and how one is confirmed or accepted.

Until then a target is as if absent, for LMTP and for the views of MTAs. A forward all of whose targets wait leaves its
mail in the mailbox.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from mailstore.directory import alias_loop, audit
from mailstore.directory.audit import Actor
from mailstore.models import Alias, Domain

VERB = "alias.confirm"


def hold(alias: Alias, targets: Collection[str]) -> None:
    """Let those of these `targets` wait that are outside, beside those that wait already.

    Called in the transaction that sets the targets.
    """
    waiting = {*alias.unconfirmed, *_outside(targets)}
    _save(alias, [target for target in alias.targets if target in waiting])


def release(alias: Alias) -> None:
    """Let no target wait any more, since nobody is asked. Called in the transaction that sets the targets."""
    _save(alias, [])


def confirm(alias_id: int, target: str, *, actor: Actor) -> bool:
    """Begin to send mail to one target. Return False if the alias leads there no more. It may be confirmed already."""
    with transaction.atomic():
        alias_loop.lock()
        alias = Alias.objects.select_related("domain", "mailbox__domain").filter(pk=alias_id).first()
        if alias is None or target not in alias.targets:
            return False
        _confirm(alias, [target], actor)
    return True


def accept(alias: Alias, *, actor: Actor) -> list[str]:
    """Begin to send mail to all targets, on the word of an administrator. Return those that had waited."""
    with transaction.atomic():
        alias_loop.lock()
        alias = Alias.objects.select_related("domain", "mailbox__domain").get(pk=alias.pk)
        waited = list(alias.unconfirmed)
        _confirm(alias, waited, actor)
    return waited


def _confirm(alias: Alias, targets: list[str], actor: Actor) -> None:
    confirmed = [target for target in alias.unconfirmed if target in targets]
    if confirmed:
        _save(alias, [target for target in alias.unconfirmed if target not in confirmed])
        audit.record(actor, VERB, alias.address, mailbox=alias.mailbox, within=alias.domain, targets=confirmed)


def _save(alias: Alias, waiting: list[str]) -> None:
    if alias.unconfirmed != waiting:
        alias.unconfirmed = waiting
        alias.save(update_fields=["unconfirmed"])


def _outside(targets: Collection[str]) -> set[str]:
    names = {target: target.rpartition("@")[2] for target in targets}
    ours = set(Domain.objects.filter(name__in=names.values(), removed_at=None).values_list("name", flat=True))
    return {target for target, name in names.items() if name not in ours}
