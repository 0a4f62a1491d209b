"""Forwards that owners set for their own mailbox, where the domain allows it. Admins use `aliases`."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from mailstore.directory import aliases, domains, target_confirmation
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Ensured, Rejected
from mailstore.models import Alias, Mailbox

TARGETS_AT_MOST = 10  # an owner; more is a mailing list, which an admin creates


def of(mailbox: Mailbox) -> Alias | None:
    """Return the mailbox's forward, if it has one."""
    return Alias.objects.filter(mailbox=mailbox).first()


def allowed(mailbox: Mailbox) -> bool:
    return mailbox.domain.owner_forwards


@transaction.atomic
def ensure_own(
    mailbox: Mailbox, targets: Sequence[str], *, keep_copy: bool, ask_targets: bool, actor: Actor
) -> Ensured[Alias]:
    """Forward the owner's mail to exactly these addresses, also after the forward expired.

    With `ask_targets`, new ones outside must agree first; without it, none of them waits any more. A forward that an
    admin has switched off stays off. Rejected if the domain does not allow it, and as by `aliases.ensure`.
    """
    _refuse(mailbox)
    if len(targets) > TARGETS_AT_MOST:
        raise Rejected(_("mail can be forwarded to at most %(most)d addresses") % {"most": TARGETS_AT_MOST})
    address = mailbox.user.address
    renewal = aliases.renewal(address)
    done = aliases.ensure(address, targets, actor=actor, ask_targets=ask_targets, keep_copy=keep_copy, **renewal)
    if not ask_targets:
        target_confirmation.release(done.row)
    return done


@transaction.atomic
def remove_own(mailbox: Mailbox, *, actor: Actor) -> None:
    """Remove the owner's forward; mail then stays in the mailbox.

    Rejected if the domain does not allow it. Rejected for a forward that an admin has switched off: if the owner
    created it again, it would be on.
    """
    _refuse(mailbox)
    if Alias.objects.filter(mailbox=mailbox, active=False).exists():
        raise Rejected(
            _(
                "your administrator has switched your forward off: nothing is forwarded, and only an "
                "administrator can remove it"
            )
        )
    aliases.remove(mailbox.user.address, actor=actor)


def _refuse(mailbox: Mailbox) -> None:
    if not domains.get(mailbox.user.address.rpartition("@")[2]).owner_forwards:
        raise Rejected(_("owners may not forward their mail in %(domain)s") % {"domain": mailbox.domain})
