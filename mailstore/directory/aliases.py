"""Create, change and remove aliases, forwards of mailboxes and catch-alls. Delivery follows them elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Unpack

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from mailstore.directory import address_error, alias_loop, audit, domains, removal_state, target_confirmation
from mailstore.directory.audit import Actor
from mailstore.directory.fields.domain import AliasExpiry, AliasValues
from mailstore.directory.look_alikes import Neighbours
from mailstore.directory.outcome import Ensured, Only, Rejected, assign, details
from mailstore.models import Alias, AuditEntry, Domain, Mailbox
from mailstore.policy.addresses import ALIAS_TARGETS_LIMIT, BadAddress, normal_address, normal_domain


def ensure(
    address: str,
    targets: Sequence[str],
    *,
    actor: Actor,
    look_alike: bool = False,
    only: Only | None = None,
    ask_targets: bool = False,
    **fields: Unpack[AliasValues],
) -> Ensured[Alias]:
    """Create the alias unless it is there, and let it lead to exactly these targets.

    With `ask_targets`, those that are new and outside wait for their confirmation.

    At a mailbox's own address it is the forward of the mailbox, and a new forward must say `keep_copy`. The address
    itself among the targets means to keep a copy. Rejected for a bad address, no or too many targets, an expiry in the
    past, a copy where no mailbox is, a loop, and a domain that is full or stands for another. With `only`, rejected for
    an alias of the other kind (new, or there already).
    """
    normal = normalized(address)
    wanted = _normal_targets(targets)
    with transaction.atomic():
        alias_loop.lock()
        domain = domains.locked(normal)
        alias = _locked(normal, only)
        created = alias is None
        mailbox = _mailbox(normal)
        if mailbox is not None and normal in wanted:
            wanted.remove(normal)
            fields = {"keep_copy": True, **fields}
        _refuse(normal, wanted, mailbox, fields, created=created)
        before = [] if alias is None else alias.targets
        if alias is None:
            alias = _make(normal, domain, wanted, mailbox, look_alike=look_alike)
        changes = assign(alias, {"targets": wanted, **fields})
        target_confirmation.hold(alias, set(wanted).difference(before) if ask_targets else ())
        if created or changes:
            verb = "alias.create" if created else "alias.change"
            facts: dict[str, Any] = {"targets": wanted, "changes": details(changes)}
            audit.record(actor, verb, normal, mailbox=mailbox, within=domain, **facts)
    return Ensured(alias, created, changes)


def remove(address: str, *, actor: Actor) -> AuditEntry:
    """Remove the alias. Returns the audit's entry, with which `restore` brings it back. Rejected when there is none."""
    normal = normalized(address)
    with transaction.atomic():
        alias_loop.lock()
        alias = Alias.objects.select_for_update().filter(address=normal).first()
        if alias is None:
            raise _unknown(normal)
        alias.delete()
        facts = {"targets": alias.targets, "undo_data": _undo_data(alias)}
        return audit.record(actor, "alias.remove", normal, mailbox=alias.mailbox, within=alias.domain, **facts)


def restore(entry: AuditEntry, *, actor: Actor) -> Alias:
    """Bring back the alias that was removed with this entry of the audit, exactly as it was.

    Rejected if something has its address by now, if an alias of that address was removed again since, if its domain or
    its mailbox is not the same any more, and as by `ensure`: the domain may have reached its limit, and other aliases
    may have closed a loop.
    """
    kept = entry.details.get("undo_data")
    if entry.verb != "alias.remove" or kept is None:
        raise Rejected(_("%(address)s cannot be restored: create it again") % {"address": entry.subject})
    normal, targets = entry.subject, entry.details["targets"]
    with transaction.atomic():
        alias_loop.lock()
        domain, mailbox = domains.locked(normal), _mailbox(normal)
        _refuse_successor(entry, domain, mailbox)
        fields = _kept_fields(kept)
        _refuse(normal, targets, mailbox, fields, created=True)
        alias = _make(normal, domain, targets, mailbox, look_alike=True)  # it was accepted when it was created
        kept_back = {"unconfirmed": kept.get("unconfirmed", [])}
        values = {**fields, **kept_back, "created_at": datetime.fromisoformat(kept["created_at"])}
        Alias.objects.filter(pk=alias.pk).update(**values)
        audit.record(actor, "alias.restore", normal, mailbox=mailbox, within=domain, targets=targets)
    alias.refresh_from_db()
    return alias


def set_catch_all(domain: str, targets: Sequence[str], *, actor: Actor) -> None:
    """Send mail for unknown names of the domain to exactly these targets. Without targets, such mail is refused.

    Rejected as by `ensure`.
    """
    address = f"@{domain}"
    with transaction.atomic():
        alias_loop.lock()
        if targets:
            ensure(address, targets, actor=actor, active=True, **renewal(address))
        elif Alias.objects.filter(address=address).exists():
            remove(address, actor=actor)


def renewal(address: str) -> AliasExpiry:
    """Return the values for `ensure` that renew an alias if it has expired. One that will expire keeps its day."""
    if Alias.objects.filter(address=address, expires_at__lte=timezone.now()).exists():
        return {"expires_at": None}
    return {}


def remove_expired(address: str, *, before: datetime, actor: Actor) -> None:
    """Remove the alias if it expired before that time. Rejected when there is none, or it was renewed."""
    with transaction.atomic():
        alias_loop.lock()
        if not Alias.objects.filter(address=address, expires_at__lt=before).exists():
            raise Rejected(_("%(address)s has not expired") % {"address": address})
        remove(address, actor=actor)


def listing(domain: str | None = None) -> QuerySet[Alias]:
    """Return the aliases of one domain, or all, by address, without the forwards of removed mailboxes.

    Rejected when there is no such domain.
    """
    rows = Alias.objects.select_related("domain").filter(domain__removed_at=None, mailbox__removed_at=None)
    rows = rows.order_by("address")
    return rows if domain is None else rows.filter(domain=domains.get(domain))


def _locked(normal: str, only: Only | None) -> Alias | None:
    """Return the alias of this address, if there is one, and lock its row. Rejected when `only` wants another kind."""
    alias = Alias.objects.select_for_update().filter(address=normal).first()
    if only is Only.NEW and alias is not None:
        raise Rejected(_("%(address)s is already an alias: edit that one") % {"address": normal}, field="address")
    if only is Only.THERE and alias is None:
        raise _unknown(normal)
    return alias


def _unknown(address: str) -> Rejected:
    return Rejected(_("%(address)s is not an alias of this site") % {"address": address})


def normalized(address: str) -> str:
    """Return the address of an alias as it is stored; `@example.org` is a catch-all. Rejected says what is wrong."""
    try:
        if address.startswith("@"):
            return f"@{normal_domain(address[1:])}"
        return normal_address(address)
    except BadAddress as error:
        raise Rejected(address_error.sentence(error)) from error


def _normal_targets(targets: Sequence[str]) -> list[str]:
    """Return the targets in normal form, each once, in the order given."""
    try:
        wanted = list(dict.fromkeys(normal_address(target) for target in targets))
    except BadAddress as error:
        raise Rejected(address_error.sentence(error), field="targets") from error
    if not 0 < len(wanted) <= ALIAS_TARGETS_LIMIT:
        raise Rejected(_("an alias needs 1 to %(most)d targets") % {"most": ALIAS_TARGETS_LIMIT}, field="targets")
    return wanted


def _mailbox(address: str) -> Mailbox | None:
    """Return the mailbox of this address, if there is one. Rejected when it is removed."""
    mailbox = Mailbox.objects.select_related("user", "domain").filter(user__address=address).first()
    if mailbox is not None and mailbox.removed_at is not None:
        raise removal_state.refusal(mailbox)
    return mailbox


def _refuse(address: str, targets: list[str], mailbox: Mailbox | None, fields: AliasValues, *, created: bool) -> None:
    expires_at = fields.get("expires_at")
    if expires_at is not None and expires_at <= timezone.now():
        raise Rejected(_("%(address)s would have expired already") % {"address": address}, field="expires_at")
    if mailbox is None and fields.get("keep_copy"):
        raise Rejected(
            _("%(address)s is not a mailbox: it cannot keep a copy") % {"address": address}, field="keep_copy"
        )
    if mailbox is not None and created and "keep_copy" not in fields:
        raise Rejected(
            _("%(address)s is a mailbox: say whether it keeps a copy of forwarded mail") % {"address": address},
            field="keep_copy",
        )
    if not targets:
        raise Rejected(
            _("%(address)s would not be forwarded to any other address") % {"address": address}, field="targets"
        )
    alias_loop.refuse(address, targets)


def _undo_data(alias: Alias) -> dict[str, Any]:
    """Return the fields beside the targets, as JSON values."""
    return {
        "keep_copy": alias.keep_copy,
        "unconfirmed": alias.unconfirmed,
        "active": alias.active,
        "comment": alias.comment,
        "expires_at": alias.expires_at and alias.expires_at.isoformat(),
        "created_at": alias.created_at.isoformat(),
        "mailbox": alias.mailbox_id,
    }


def _kept_fields(kept: dict[str, Any]) -> AliasValues:
    expires_at = kept["expires_at"] and datetime.fromisoformat(kept["expires_at"])
    fields: AliasValues = {"active": kept["active"], "comment": kept["comment"], "expires_at": expires_at}
    return {**fields, "keep_copy": kept["keep_copy"]}


def _refuse_successor(entry: AuditEntry, domain: Domain, mailbox: Mailbox | None) -> None:
    """Refuse when the address, its domain or its mailbox is another one than when the alias was removed."""
    address = {"address": entry.subject}
    if Alias.objects.filter(address=entry.subject).exists():
        raise Rejected(_("%(address)s is an alias again: it was not restored") % address)
    if AuditEntry.objects.filter(verb=entry.verb, subject=entry.subject, pk__gt=entry.pk).exists():
        raise Rejected(_("%(address)s was removed once more since: only the latest removal can be undone") % address)
    if domain.pk != entry.domain_id:
        raise Rejected(_("the domain of %(address)s was deleted for good: create the alias again") % address)
    kept = entry.details["undo_data"]["mailbox"]
    if kept is None and mailbox is not None:
        raise Rejected(_("%(address)s is a mailbox now: the alias was not restored") % address)
    if kept is not None and (mailbox is None or mailbox.pk != kept):
        raise Rejected(_("the mailbox %(address)s was deleted for good: its forwarding was not restored") % address)


def _make(address: str, domain: Domain, targets: list[str], mailbox: Mailbox | None, *, look_alike: bool) -> Alias:
    """Insert the alias. Called with the domain's row locked. Forwards do not count towards its limit of aliases."""
    if mailbox is None and not look_alike:
        Neighbours.of([address], [domain]).refuse(address)
    domains.refuse_standing(domain)
    others = Alias.objects.filter(domain=domain, mailbox=None)
    if mailbox is None and domain.alias_limit is not None and others.count() >= domain.alias_limit:
        raise Rejected(
            _("%(domain)s has reached its alias limit (%(limit)d)")
            % {"domain": domain.name, "limit": domain.alias_limit}
        )
    return Alias.objects.create(address=address, domain=domain, targets=targets, mailbox=mailbox)
