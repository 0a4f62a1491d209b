"""Mailboxes with their users: made, changed, given a password; removal and what is in them belong to other files."""

from __future__ import annotations

from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.models import Alias, Device, Domain, Mailbox, RetentionPolicy, User
from mailstore.policy.addresses import BadAddress, normal_address
from mailstore.store import audit, caps, counting, domains, new_passwords, policies, removal
from mailstore.store.audit import Actor
from mailstore.store.outcomes import Changes, Ensured, Rejected, assign, details, last_word, not_negative

MAIN_DEVICE = "main"
_RACES = {
    "mailstore_user_address_key": gettext_lazy("this address was taken a moment ago: try again"),
    "mailstore_mailbox_user_id_key": gettext_lazy("this address was taken a moment ago: try again"),
}


class Fields(TypedDict, total=False):
    """What of a mailbox and its user can be set; what is not given stays. A quota of None is no quota."""

    name: str
    suspended: bool
    must_change_password: bool
    quota_octets: int | None
    quota_messages: int | None
    receives: bool
    pop: bool
    web: bool
    smtp: bool
    main_pop: bool
    held: bool
    notes: str
    policy: RetentionPolicy | None
    policy_at_once: bool


def ensure(
    address: str,
    *,
    actor: Actor,
    password: str | None = None,
    generates: bool = True,
    only_new: bool = False,
    **fields: Unpack[Fields],
) -> Ensured[Mailbox]:
    """Make the mailbox with its user and main device unless it is there, and set the given fields.

    Its domain must exist and be below its limit. A new mailbox without `password` gets a generated one (`secret`), or
    none at all for now where this `generates` none; one without a quota gets that of its domain. A domain admin keeps
    within the domain's caps.
    Barring the main password from POP lets mail that waited for it alone go, into recovery.
    Rejected for a bad address or value, a password against the rules, an address that an alias, an admin or what was
    removed has; where it must be `only_new`, for one that is there.
    """
    normal = normalized(address)
    not_negative(fields, "quota_octets", "quota_messages")
    with transaction.atomic(), last_word(_RACES):
        domain = domains.locked(normal)
        mailbox = _locked(normal)
        created = mailbox is None
        secret = new_passwords.generate() if created and password is None and generates else None
        if mailbox is None:
            mailbox = _drafted(normal, domain, chosen=password, generated=secret)
            changes = _assign(mailbox, {"quota_octets": caps.quota_of_new(domain), **fields})
            _insert(mailbox)
            caps.refuse_quota(domain, mailbox, actor=actor)
        elif mailbox.removed_at is not None:
            raise removal.refusal(mailbox)
        elif only_new:
            raise Rejected(_("%(address)s is a mailbox already") % {"address": normal})
        else:
            changes = _assign(mailbox, fields) | _change_password(mailbox.user, password)
            if "quota_octets" in changes:
                caps.refuse_quota(domain, mailbox, actor=actor, was=changes["quota_octets"][0])
        if created or changes:
            verb = "mailbox.create" if created else "mailbox.change"
            follows = _settled(mailbox, changes)
            audit.record(actor, verb, normal, mailbox=mailbox, changes=_told(changes), **follows)
    return Ensured(mailbox, created, changes, secret)


def set_password(address: str, password: str | None, *, actor: Actor, must_change: bool = False) -> str | None:
    """Replace the main password; None generates one, which is returned. Web sessions and POP3 caches end with it.

    Where the owner `must_change` it, the pages let him do nothing else first; POP3 takes it until then.
    """
    normal = normalized(address)
    secret = new_passwords.generate() if password is None else None
    with transaction.atomic():
        mailbox = locked(normal)
        _put_password(mailbox.user, chosen=password, generated=secret)
        mailbox.user.must_change_password = must_change
        mailbox.user.save(update_fields=[*new_passwords.FIELDS, "must_change_password"])
        forced = {"must_change_password": True} if must_change else {}
        audit.record(actor, "mailbox.password", normal, mailbox=mailbox, **forced)
    return secret


def get(address: str) -> Mailbox:
    """Return the mailbox of this address, in any case. Rejected when there is none, or when it is removed."""
    normal = normalized(address)
    return _there(normal, Mailbox.objects.select_related("user", "domain").filter(user__address=normal).first())


def locked(normal: str) -> Mailbox:
    """Return the mailbox of a normal address with its row locked, in a transaction. Rejected as by `get`."""
    return _there(normal, _locked(normal))


def locked_removed(normal: str) -> Mailbox:
    """Return a mailbox that was removed by itself, with its row locked. Rejected when it was not."""
    mailbox = _locked(normal)
    if mailbox is None:
        raise _unknown(normal)
    if mailbox.removed_at is None:
        raise removal.not_removed(mailbox)
    if mailbox.removed_with_domain:
        raise removal.refusal(mailbox)
    return mailbox


def refuse_above_limit(domain: Domain) -> None:
    """Refuse one mailbox more than the domain may have; its row is locked. What is removed does not count."""
    if domain.mailbox_limit is None:
        return
    if Mailbox.objects.filter(domain=domain, removed_at=None).count() >= domain.mailbox_limit:
        raise Rejected(
            _("%(domain)s has all the mailboxes it may have (%(limit)d)")
            % {"domain": domain.name, "limit": domain.mailbox_limit}
        )


def above_quota(mailbox: Mailbox) -> bool:
    """True when the mailbox holds more than its quota: imports and restores may do that, deliveries not."""
    octets, messages = mailbox.quota_octets, mailbox.quota_messages
    return (octets is not None and mailbox.octets > octets) or (messages is not None and mailbox.messages > messages)


def normalized(address: str) -> str:
    """Return the address in the form in which it is stored; Rejected says what is wrong with it."""
    try:
        return normal_address(address)
    except BadAddress as error:
        raise Rejected(str(error)) from error


def _locked(normal: str) -> Mailbox | None:
    rows = Mailbox.objects.select_related("user", "domain").select_for_update(of=("self",))
    return rows.filter(user__address=normal).first()


def _there(normal: str, mailbox: Mailbox | None) -> Mailbox:
    if mailbox is None:
        raise _unknown(normal)
    if mailbox.removed_at is not None:
        raise removal.refusal(mailbox)
    return mailbox


def _unknown(normal: str) -> Rejected:
    return Rejected(_("%(address)s is not a mailbox of this site") % {"address": normal})


def _drafted(address: str, domain: Domain, *, chosen: str | None, generated: str | None) -> Mailbox:
    """Return a mailbox with its user, neither inserted yet; the domain's row is locked."""
    domains.refuse_standing(domain)
    _refuse_taken(address)
    refuse_above_limit(domain)
    user = User(address=address)
    _put_password(user, chosen=chosen, generated=generated)
    return Mailbox(user=user, domain=domain)


def _insert(mailbox: Mailbox) -> None:
    """Insert user, mailbox and main device."""
    mailbox.user.save(force_insert=True)
    mailbox.save(force_insert=True)
    # While it is the only device, the main password gives plain RFC 1939: what it deletes is deleted.
    Device.objects.create(mailbox=mailbox, name=MAIN_DEVICE, main=True, mode=Device.Mode.PRIMARY)


def _refuse_taken(address: str) -> None:
    if Alias.objects.filter(address=address).exists():
        raise Rejected(_("%(address)s is an alias: remove that first") % {"address": address})
    if User.objects.filter(address=address).exists():
        raise Rejected(_("%(address)s is the login of an administrator") % {"address": address})


def _assign(mailbox: Mailbox, fields: Fields) -> Changes:
    """Set each field where it lives: the person's on the user, the rest on the mailbox."""
    rest = policies.chosen(mailbox, fields)
    of_user: dict[str, Any] = {name: rest.pop(name) for name in ("name", "must_change_password") if name in rest}
    if "suspended" in rest:
        of_user["is_active"] = not rest.pop("suspended")
    changes = assign(mailbox.user, of_user) | assign(mailbox, rest)
    if "is_active" in changes:
        was_active, active = changes.pop("is_active")
        changes["suspended"] = (not was_active, not active)
    return changes


def _told(changes: Changes) -> dict[str, list[str | int | None]]:
    """As the audit has it, which the owner may read: of the administrators' notes only how long they are."""
    old, new = changes.get("notes", ("", ""))
    return details(changes | ({"notes": (len(old), len(new))} if "notes" in changes else {}))


def _settled(mailbox: Mailbox, changes: Changes) -> dict[str, int]:
    """Let mail that waited for the main password alone go, if that was barred; returns it as the audit tells it."""
    if changes.get("main_pop") != (True, False):
        return {}
    removed = counting.settle(mailbox.pk)
    mailbox.refresh_from_db(fields=["messages", "octets", "change"])
    return {"removed": removed}


def _put_password(user: User, *, chosen: str | None, generated: str | None) -> None:
    """Give the user, not saved here, the one of the two that is there; without any nothing opens the account."""
    if chosen is not None:
        new_passwords.check(chosen, user)
        new_passwords.put(user, chosen)
    elif generated is not None:
        new_passwords.put_generated(user, generated)
    else:
        user.set_unusable_password()


def _change_password(user: User, password: str | None) -> Changes:
    """Give the user this password unless it is the same; the change is told by its moment alone."""
    if password is None or user.check_password(password):
        return {}
    before = user.password_changed_at
    new_passwords.check(password, user)
    new_passwords.put(user, password)
    user.save(update_fields=new_passwords.FIELDS)
    return {"password_changed_at": (before, user.password_changed_at)}
