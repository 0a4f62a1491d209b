"""Remove, restore and purge domains with their mailboxes and aliases. A removed domain can be restored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from django.db import transaction
from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import ngettext

from mailstore.amount_text import count
from mailstore.directory import audit, domains, mailbox_removal, removal_state
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.directory.removal_state import Removed
from mailstore.models import Alias, Domain, Mailbox, TraceEntry


def contents(domain: Domain) -> Removed:
    """Count what is removed or restored with the domain."""
    boxes = Mailbox.objects.filter(domain=domain, removed_with_domain=domain.removed_at is not None)
    if domain.removed_at is None:
        boxes = boxes.filter(removed_at=None)
    sums = boxes.aggregate(mailboxes=Count("pk"), messages=Sum("messages"), octets=Sum("octets"))
    aliases = Alias.objects.filter(domain=domain, mailbox=None).count()
    return Removed(sums["mailboxes"], aliases, int(sums["messages"] or 0), int(sums["octets"] or 0))


def remove(name: str, *, actor: Actor, with_mailboxes: bool) -> Removed:
    """Remove the domain with its mailboxes and aliases. It can be restored until a sweep purges it.

    Rejected while one of its mailboxes is on hold, and for a domain with mailboxes unless `with_mailboxes`.
    """
    with transaction.atomic():
        domain = domains.locked_by_name(name)
        _lock_mailboxes(domain)
        _refuse_held(domain)
        _refuse_stood_for(domain)
        going = contents(domain)
        if going.mailboxes and not with_mailboxes:
            raise Rejected(
                ngettext(
                    "%(domain)s still has %(count)s mailbox: remove it with the domain, or keep the domain",
                    "%(domain)s still has %(count)s mailboxes: remove them with the domain, or keep the domain",
                    going.mailboxes,
                )
                % {"domain": domain, "count": count(going.mailboxes)}
            )
        columns = removal_state.removed_columns(actor.name)
        Mailbox.objects.filter(domain=domain, removed_at=None).update(removed_with_domain=True, **columns)
        Domain.objects.filter(pk=domain.pk).update(**columns)
        _record(actor, "domain.remove", domain, going)
    return going


def restore(name: str, *, actor: Actor) -> Domain:
    """Bring the domain back with exactly what was removed with it. Rejected if it is not removed."""
    with transaction.atomic():
        domain = domains.locked_removed(name)
        removal_state.refuse_purge_pending(domain)
        coming = contents(domain)
        Mailbox.objects.filter(domain=domain, removed_with_domain=True).update(**removal_state.restored_columns())
        Domain.objects.filter(pk=domain.pk).update(removed_at=None, removed_by="")
        _record(actor, "domain.restore", domain, coming)
    return domains.get(domain.name)


def ask_purge(name: str, *, actor: Actor) -> Removed:
    """Let the sweep purge the domain within minutes, so that no page waits. Until then it cannot be restored either.

    Returns what will be destroyed. Rejected if the domain is not removed, a mailbox is on hold, or it waits for its
    purge already.
    """
    with transaction.atomic():
        domain = domains.locked_removed(name)
        removal_state.refuse_purge_pending(domain)
        _refuse_held(domain)
        going = contents(domain)
        Domain.objects.filter(pk=domain.pk).update(purge_requested_at=timezone.now())
        _record(actor, "domain.purge-asked", domain, going)
    return going


def purge_now(name: str, *, actor: Actor, stop: Callable[[], bool] = lambda: False) -> Removed:
    """Destroy a removed domain with all its mailboxes, mail and aliases. Its name is then free.

    Each mailbox has a transaction of its own. What is left after a crash, or after `stop` returned True, is still
    removed, and the next purge goes on. Returns what was destroyed. Rejected if the domain is not removed, a mailbox is
    on hold, or if somebody has restored the domain.
    """
    messages = octets = count = 0
    with transaction.atomic():
        domain = domains.locked_removed(name)
        _refuse_held(domain)
        keys = list(Mailbox.objects.filter(domain=domain).order_by("pk").values_list("pk", flat=True))
    for key in keys:
        if stop():
            return Removed(count, 0, messages, octets)
        destroyed = _purge_mailbox(name, key, actor)
        count, messages, octets = count + 1, messages + destroyed.messages, octets + destroyed.octets
    with transaction.atomic():
        domain = domains.locked_removed(name)
        done = Removed(count, Alias.objects.filter(domain=domain).count(), messages, octets)
        _record(actor, "domain.purge", domain, done)
        TraceEntry.objects.filter(domain=domain).delete()
        domain.delete()
    return done


@transaction.atomic
def _purge_mailbox(name: str, key: int, actor: Actor) -> Removed:
    domain = domains.locked_removed(name)
    box = Mailbox.objects.select_related("user").select_for_update(of=("self",)).filter(domain=domain, pk=key).first()
    return Removed(0, 0, 0, 0) if box is None else mailbox_removal.destroy(box, actor=actor)


def _lock_mailboxes(domain: Domain) -> None:
    """Lock the mailboxes in the order of their keys. Then no delivery runs, and each hold is seen."""
    list(Mailbox.objects.filter(domain=domain).order_by("pk").select_for_update().values_list("pk"))


def _refuse_held(domain: Domain) -> None:
    held = Mailbox.objects.filter(domain=domain, held=True).count()
    if held:
        raise Rejected(
            ngettext(
                "%(domain)s has %(count)s mailbox on hold: lift the hold first",
                "%(domain)s has %(count)s mailboxes on hold: lift the holds first",
                held,
            )
            % {"domain": domain, "count": count(held)}
        )


def _refuse_stood_for(domain: Domain) -> None:
    others = domain.alias_domains.filter(removed_at=None).values_list("name", flat=True)
    if others:
        raise Rejected(
            ngettext(
                "%(others)s is an alias of %(domain)s: remove it first, or make it an alias of another domain",
                "%(others)s are aliases of %(domain)s: remove them first, or make them aliases of another domain",
                len(others),
            )
            % {"others": ", ".join(others), "domain": domain}
        )


def _record(actor: Actor, verb: str, domain: Domain, what: Removed) -> None:
    audit.record(actor, verb, domain.name, within=domain, **asdict(what))
