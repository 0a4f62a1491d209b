"""What a domain's admin may give its mailboxes: quotas within the caps that a hosting admin has set."""

from __future__ import annotations

from django.db.models import Sum
from django.utils.translation import gettext as _

from mailstore.models import Domain, Mailbox, User
from mailstore.policy.quota import format_octets
from mailstore.store.audit import Actor
from mailstore.store.outcomes import Rejected


def quota_of_new(domain: Domain) -> int | None:
    """Return the quota of a mailbox that is made without one."""
    return domain.mailbox_quota_most if domain.mailbox_quota_default is None else domain.mailbox_quota_default


def refuse_quota(domain: Domain, mailbox: Mailbox, *, actor: Actor, was: int | None = 0) -> None:
    """Refuse a quota that is above the caps, unless who acts has set them; `was` is the quota before, 0 of a new one.

    Called behind the change, with the domain's row locked. What lowers a quota is never refused.
    """
    quota = mailbox.quota_octets
    if not _bound(actor) or (quota is not None and (was is None or quota <= was)):
        return
    most, allotment = domain.mailbox_quota_most, domain.allotment_octets
    if (most is not None or allotment is not None) and quota is None:
        raise Rejected(_("a mailbox of %(domain)s needs a quota") % {"domain": domain})
    if most is not None and quota is not None and quota > most:
        raise Rejected(
            _("a mailbox of %(domain)s has %(most)s at most") % {"domain": domain, "most": format_octets(most)}
        )
    if allotment is not None:
        _refuse_sum(domain, allotment)


def _refuse_sum(domain: Domain, allotment: int) -> None:
    there = Mailbox.objects.filter(domain=domain, removed_at=None)
    total = int(there.aggregate(total=Sum("quota_octets"))["total"] or 0)
    if total > allotment:
        raise Rejected(
            _("the quotas of all mailboxes of %(domain)s are %(allotment)s at most: that is %(above)s above it")
            % {"domain": domain, "allotment": format_octets(allotment), "above": format_octets(total - allotment)}
        )


def _bound(actor: Actor) -> bool:
    return actor.user is not None and actor.user.role != User.Role.ADMIN
