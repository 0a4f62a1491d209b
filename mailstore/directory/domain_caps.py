"""What a domain's admin may give its mailboxes: as many, and with such quotas, as a hosting admin has set for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Changes, Rejected
from mailstore.models import Domain, Mailbox, User
from mailstore.policy.quota import format_octets

QUOTA = "quota_octets"


@dataclass(slots=True)
class Room:
    """How full a locked domain is while `actor` makes and changes its mailboxes. What is removed does not count.

    Refuse first, then `take`: what is made next finds it counted.
    """

    domain: Domain
    actor: Actor
    mailboxes: int
    allotted_octets: int

    def refuse_one_more(self) -> None:
        """Refuse a mailbox more than the domain may have."""
        limit = self.domain.mailbox_limit
        if limit is not None and self.mailboxes >= limit:
            raise Rejected(
                _("%(domain)s has all the mailboxes it may have (%(limit)d)") % {"domain": self.domain, "limit": limit},
                field="address",
            )

    def refuse_quota(self, quota: int | None, *, was: int | None = 0) -> None:
        """Refuse a quota above the caps, unless who acts has set them; `was` is the quota before, 0 of a new mailbox.

        What lowers a quota is never refused.
        """
        if not bound(self.actor) or (quota is not None and (was is None or quota <= was)):
            return
        most, allotment = self.domain.mailbox_quota_most, self.domain.allotment_octets
        if (most is not None or allotment is not None) and quota is None:
            raise Rejected(_("a mailbox of %(domain)s needs a quota") % {"domain": self.domain}, field=QUOTA)
        if most is not None and quota is not None and quota > most:
            raise Rejected(
                _("a mailbox of %(domain)s has %(most)s at most")
                % {"domain": self.domain, "most": format_octets(most)},
                field=QUOTA,
            )
        if allotment is not None:
            self._refuse_sum(self.allotted_octets + (quota or 0) - (was or 0), allotment)

    def refuse_hold(self, changes: Changes) -> None:
        """A hold is the host's word: a customer neither sets nor lifts it."""
        if "held" in changes and bound(self.actor):
            raise Rejected(_("a hold is set and lifted by hosting admins alone"), field="held")

    def take(self, quota: int | None, *, was: int | None = 0, mailboxes: int = 0) -> None:
        """Count so many mailboxes more, and a quota in place of the one before."""
        self.mailboxes += mailboxes
        self.allotted_octets += (quota or 0) - (was or 0)

    def _refuse_sum(self, total: int, allotment: int) -> None:
        if total > allotment:
            above = format_octets(total - allotment)
            raise Rejected(
                _("the quotas of all mailboxes of %(domain)s are %(allotment)s at most: that is %(above)s above it")
                % {"domain": self.domain, "allotment": format_octets(allotment), "above": above},
                field=QUOTA,
            )


def rooms(domains: Collection[Domain], *, actor: Actor) -> dict[int, Room]:
    """The room in each of these locked domains, by its key. One statement, and none where no cap asks for it."""
    capped = [domain for domain in domains if _counts(domain, actor)]
    sums = Mailbox.objects.filter(domain__in=capped, removed_at=None).values("domain")
    made = sums.values_list("domain", Count("pk"), Sum("quota_octets")) if capped else ()
    found = {key: (mailboxes, int(octets or 0)) for key, mailboxes, octets in made}
    return {domain.pk: Room(domain, actor, *found.get(domain.pk, (0, 0))) for domain in domains}


def room(domain: Domain, *, actor: Actor) -> Room:
    """The room in one locked domain."""
    return rooms([domain], actor=actor)[domain.pk]


def quota_of_new(domain: Domain) -> int | None:
    """Return the quota of a mailbox that is made without one."""
    return domain.mailbox_quota_most if domain.mailbox_quota_default is None else domain.mailbox_quota_default


def bound(actor: Actor) -> bool:
    """True for whom the caps on quotas hold: domain admins, not hosting admins or the shell."""
    return actor.user is not None and actor.user.role != User.Role.ADMIN


def _counts(domain: Domain, actor: Actor) -> bool:
    return domain.mailbox_limit is not None or (domain.allotment_octets is not None and bound(actor))
