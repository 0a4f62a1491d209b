"""Mark mailboxes as still at the old server of their domain, take the mark away, have them pull what came since."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from mailstore.directory import audit, mailbox_lookup
from mailstore.directory.audit import Actor
from mailstore.directory.existing_password import ExistingPassword
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, Domain, Mailbox, MailboxMove, User
from mailstore.policy import old_server
from mailstore.policy.ask_budget import RETRY_MINUTES
from mailstore.policy.old_server import OldServer
from mailstore.ports import Move

State = MailboxMove.State
_KEPT = ("messages", "total", "reason", "detail", "former_address")  # by Undo, as they are


def asked_now() -> Q:
    """Return the condition for domains whose old server is asked now."""
    return Q(old_server__isnull=False) & (Q(old_server_until=None) | Q(old_server_until__gt=timezone.now()))


def server_of(move: MailboxMove) -> tuple[OldServer, str] | None:
    """Return the old server of a mailbox and the user name there. None if its domain has none, or its end has come."""
    domain = move.mailbox.domain
    ended = domain.old_server_until is not None and domain.old_server_until <= timezone.now()
    if domain.old_server is None or ended:
        return None
    address = move.former_address or move.mailbox.user.address
    user = address.rpartition("@")[0] if domain.old_server_local else address
    return old_server.parse(domain.old_server), user


def servers_behind(name: str) -> list[str | None]:
    """Return the URLs of the old servers that may be asked for names in a domain; None: any one.

    As the mail path knows them (MOVING_DOMAINS).
    """
    domain = Domain.objects.select_related("stands_for").filter(name=name).first()
    if domain is None:
        return []
    home = domain.stands_for or domain
    moving = Domain.objects.filter(asked_now())
    servers = moving.filter(pk__in=[domain.pk, home.pk]).values_list("old_server", flat=True)
    return [*servers, *([None] if home.alias_sign_in and moving.exists() else [])]


def pending(mailbox: Mailbox) -> Move | None:
    """Return the move of a mailbox that is not done, as the mail path reads it at a sign-in (SIGN_IN)."""
    row = of_mailbox(mailbox)
    if row is None or row.state == State.MOVED or (row.state == State.FAILED and row.moved_at is not None):
        return None
    found = server_of(row)
    if found is None:
        return None
    server, user = found
    due = row.state != State.FAILED or row.since < timezone.now() - timedelta(minutes=RETRY_MINUTES)
    return Move(mailbox.pk, mailbox.user.address, server.url, user, arrived=row.moved_at is not None, due=due)


def of_mailbox(mailbox: Mailbox) -> MailboxMove | None:
    """Return the move of a mailbox; None if it is not marked."""
    return MailboxMove.objects.select_related("mailbox__user", "mailbox__domain").filter(mailbox=mailbox).first()


def keep_password(user: User, encoded: str) -> None:
    """Store the hash of the password that the old server took, unless the user has got a password meanwhile."""
    User.objects.filter(pk=user.pk, password=user.password).update(password=encoded)


def password_of_new(address: str) -> ExistingPassword | None:
    """Return what a mailbox that does not exist yet gets for a password: none, so that nobody can sign in with it."""
    normal = mailbox_lookup.normalized(address)
    there = Mailbox.objects.filter(user__address=normal).exists()
    return None if there else ExistingPassword("", make_password(None))


@transaction.atomic
def mark(address: str, *, actor: Actor) -> bool:
    """Mark a mailbox as still at the old server. Return False if it was marked, or has moved, before.

    A mailbox whose owner can sign in here keeps its password. Rejected if its domain has no old server.
    """
    mailbox = mailbox_lookup.locked(mailbox_lookup.normalized(address))
    _refuse_without_server(mailbox)
    _move, made = MailboxMove.objects.get_or_create(mailbox=mailbox, defaults={"since": timezone.now()})
    if made:
        audit.record(actor, "move.mark", mailbox.user.address, mailbox=mailbox, source=mailbox.domain.old_server)
    return made


@transaction.atomic
def unmark(address: str, *, actor: Actor) -> AuditEntry | None:
    """Take the mark away: the mailbox opens with the mail that is here.

    Return the entry of the audit with which `restore` works; None if the mailbox was not marked.
    """
    mailbox = mailbox_lookup.locked(mailbox_lookup.normalized(address))
    move = MailboxMove.objects.select_for_update().filter(mailbox=mailbox).first()
    if move is None:
        return None
    undo_data = _undo_data(move)
    move.delete()
    return audit.record(actor, "move.unmark", mailbox.user.address, mailbox=mailbox, undo_data=undo_data)


@transaction.atomic
def restore(entry: AuditEntry, *, actor: Actor) -> MailboxMove:
    """Take up the move that ended with this entry of the audit. One that was under way waits for the next sign-in.

    Rejected if the mailbox is not there any more, if it is marked again, if it is in another domain since, and if its
    domain has no old server any more.
    """
    there = entry.mailbox
    if there is None or there.removed_at is not None or "undo_data" not in entry.details:
        raise Rejected(_("the move of %(address)s cannot be taken up again") % {"address": entry.subject})
    mailbox = mailbox_lookup.locked(there.user.address)
    _refuse_without_server(mailbox)
    if mailbox.domain_id != entry.domain_id or MailboxMove.objects.filter(mailbox=mailbox).exists():
        raise Rejected(_("%(address)s was changed since: this cannot be undone any more") % {"address": mailbox})
    move = MailboxMove.objects.create(mailbox=mailbox, **_kept_fields(entry.details["undo_data"]))
    audit.record(actor, "move.restore", mailbox.user.address, mailbox=mailbox)
    return move


def _refuse_without_server(mailbox: Mailbox) -> None:
    if mailbox.domain.old_server is None:
        raise Rejected(
            _("%(domain)s has no old server: name it in the settings of the domain first") % {"domain": mailbox.domain}
        )


def _undo_data(move: MailboxMove) -> dict[str, Any]:
    state = State.WAITING if move.state == State.MOVING else move.state
    moments = {name: at and at.isoformat() for name, at in (("since", move.since), ("moved_at", move.moved_at))}
    return {"state": state, **moments, **{name: getattr(move, name) for name in _KEPT}}


def _kept_fields(undo_data: dict[str, Any]) -> dict[str, Any]:
    moments = {name: undo_data[name] and datetime.fromisoformat(undo_data[name]) for name in ("since", "moved_at")}
    return {**undo_data, **moments}


@transaction.atomic
def pull_again(address: str, *, actor: Actor) -> None:
    """Let the next sign-in pull what came to the old server since. Rejected for a mailbox that is not marked."""
    mailbox = mailbox_lookup.locked(mailbox_lookup.normalized(address))
    rows = MailboxMove.objects.filter(mailbox=mailbox)
    if not rows.exists():
        raise Rejected(_("%(address)s is not marked as still at the old server") % {"address": mailbox.user.address})
    waiting = {
        "state": State.WAITING,
        "since": timezone.now(),
        "messages": 0,
        "total": None,
        "reason": "",
        "detail": "",
    }
    if rows.exclude(state__in=(State.WAITING, State.MOVING)).update(**waiting):
        audit.record(actor, "move.again", mailbox.user.address, mailbox=mailbox)


def keep_names(mailboxes: QuerySet[Mailbox]) -> None:
    """Keep the names under which the old server knows these mailboxes. Called before they get others.

    Rejected while one of them is being moved: that goes by its present name.
    """
    rows = MailboxMove.objects.filter(mailbox__in=mailboxes)
    if (moving := rows.filter(state=State.MOVING).select_related("mailbox__user").first()) is not None:
        raise Rejected(
            _("%(address)s is being moved from its old server: rename it once that is done")
            % {"address": moving.mailbox.user.address}
        )
    present = User.objects.filter(mailbox=OuterRef("mailbox")).values("address")
    rows.filter(former_address=None).update(former_address=Subquery(present))


def leave_domain(mailbox: Mailbox) -> None:
    """End the move of a mailbox that goes to another domain, which has another old server or none.

    Rejected while its mail is at the old server.
    """
    move = of_mailbox(mailbox)
    if move is not None and move.state != State.MOVED:
        raise Rejected(
            _("the mail of %(address)s is still at the old server of its domain: move it, or end the move, first")
            % {"address": mailbox.user.address}
        )
    MailboxMove.objects.filter(mailbox=mailbox).delete()


def of_domain(domain: Domain) -> QuerySet[MailboxMove]:
    """Return the moves of a domain whose mailboxes are there, by address."""
    rows = MailboxMove.objects.filter(mailbox__domain=domain, mailbox__removed_at=None)
    return rows.select_related("mailbox__user").order_by("mailbox__user__address")
