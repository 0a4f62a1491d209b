"""Mailboxes that a check of the mail flow makes for itself, and destroys again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from django.utils import timezone

from mailstore.directory import domains, mailbox_removal, mailboxes
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import Alias, Domain, Mailbox
from mailstore.mta.checks.subject import Probe

PREFIX, TOKEN_OCTETS, FULL = "popadmin-check-", 4, "-full"
_NAME = rf"^{PREFIX}[0-9a-f]{{{2 * TOKEN_OCTETS}}}({FULL})?@"  # of ours: a customer may have chosen the same beginning
DOMAINS_TRIED = 20  # for one without a catch-all
LEFT_OVER = timedelta(hours=1)  # no check takes so long: one that was killed left the mailbox


@contextmanager
def probe(domain_name: str | None, *, actor: Actor) -> Iterator[Probe | None]:
    """Make a mailbox and a full one in a domain, for the length of the `with`. None where there is no domain.

    Without a name, it is a domain without a catch-all if there is one. Rejected where the domain is not here, or has
    no room for two more mailboxes.
    """
    _destroy_leftovers(actor)
    domain = _domain(domain_name)
    if domain is None:
        yield None
        return
    token = secrets.token_hex(TOKEN_OCTETS)
    address, full_address = (f"{PREFIX}{token}{ending}@{domain.name}" for ending in ("", FULL))
    try:
        secret = mailboxes.ensure(address, actor=actor).secret
        mailboxes.ensure(full_address, actor=actor, quota_messages=0)
        yield Probe(address, secret or "", full_address, has_catch_all=_has_catch_all(domain))
    finally:
        for each in (address, full_address):
            _destroy(each, actor)


def existing(address: str, password: str) -> Probe:
    """Return a mailbox of somebody as a probe. No other is made."""
    domain = Domain.objects.filter(name=address.rpartition("@")[2]).first()
    return Probe(address, password, has_catch_all=domain is not None and _has_catch_all(domain))


def _domain(name: str | None) -> Domain | None:
    if name is not None:
        return domains.get(name)
    rows = Domain.objects.filter(active=True, removed_at=None, stands_for=None).order_by("name")
    return min(rows[:DOMAINS_TRIED], key=_has_catch_all, default=None)


def _has_catch_all(domain: Domain) -> bool:
    return Alias.objects.filter(address=f"@{domain.name}", active=True).exists()


def _destroy_leftovers(actor: Actor) -> None:
    before = timezone.now() - LEFT_OVER
    ours = {"user__address__startswith": PREFIX, "user__address__regex": _NAME}  # the first has an index
    rows = Mailbox.objects.filter(**ours, created_at__lt=before)
    for address in list(rows.values_list("user__address", flat=True)):
        _destroy(address, actor)


def _destroy(address: str, actor: Actor) -> None:
    """Remove and purge a mailbox, as far as it got."""
    with suppress(Rejected):
        mailbox_removal.remove(address, actor=actor, with_mail=True)
    with suppress(Rejected):
        mailbox_removal.purge_now(address, actor=actor)
