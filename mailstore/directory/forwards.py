"""What an owner does with the mail that comes to him: forwards it, where his domain allows that; else aliases.py."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from mailstore.directory import aliases, domains
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Ensured, Rejected
from mailstore.models import Alias, Mailbox

TARGETS_AT_MOST = 10  # of an owner: more is a mailing list, which an admin makes


def of(mailbox: Mailbox) -> Alias | None:
    """Return the mailbox's forward, if it has one."""
    return Alias.objects.filter(mailbox=mailbox).first()


def allowed(mailbox: Mailbox) -> bool:
    return mailbox.domain.owner_forwards


@transaction.atomic
def ensure_own(mailbox: Mailbox, targets: Sequence[str], *, keep_copy: bool, actor: Actor) -> Ensured[Alias]:
    """Forward the owner's mail to exactly these, also where it had expired. An admin's switch is not his to undo.

    Rejected where the domain does not allow it, and as by aliases.
    """
    _refuse(mailbox)
    if len(targets) > TARGETS_AT_MOST:
        raise Rejected(_("mail is forwarded to %(most)d addresses at most") % {"most": TARGETS_AT_MOST})
    address = mailbox.user.address
    return aliases.ensure(address, targets, actor=actor, keep_copy=keep_copy, **aliases.renewal(address))


@transaction.atomic
def remove_own(mailbox: Mailbox, *, actor: Actor) -> None:
    """Forward the owner's mail no more; it stays in the mailbox.

    Rejected where the domain does not allow it, and of one that an admin has switched off: made anew it would be on.
    """
    _refuse(mailbox)
    if Alias.objects.filter(mailbox=mailbox, active=False).exists():
        raise Rejected(
            _("your administrator has switched your forward off: nothing is forwarded, and he alone removes it")
        )
    aliases.remove(mailbox.user.address, actor=actor)


def _refuse(mailbox: Mailbox) -> None:
    if not domains.get(mailbox.user.address.rpartition("@")[2]).owner_forwards:
        raise Rejected(_("owners may not forward their mail in %(domain)s") % {"domain": mailbox.domain})
