"""What an admin of a domain may do to its mailboxes: how many, with which quotas, and whose password they may set.

Hosting admins set the caps, and nothing here binds them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from mailstore.directory.audit import Actor
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.outcome import Changes, Rejected
from mailstore.models import Domain, DomainGrant, Mailbox, User
from mailstore.policy.quota import format_octets

QUOTA = "quota_octets"


@dataclass(slots=True)
class Room:
    """How full a domain is while `actor` makes and changes its mailboxes. Removed mailboxes do not count.

    The domain is locked, except for a check. Call the `refuse_*` methods first, then `take`, so that the next mailbox
    finds this one counted.
    """

    domain: Domain
    actor: Actor
    mailboxes: int
    allotted_octets: int

    def refuse_one_more(self) -> None:
        """Refuse one mailbox more than the domain may have."""
        limit = self.domain.mailbox_limit
        if limit is not None and self.mailboxes >= limit:
            raise Rejected(
                _("%(domain)s has reached its mailbox limit (%(limit)d)") % {"domain": self.domain, "limit": limit},
                field="address",
            )

    def refuse_quota(self, quota: int | None, *, was: int | None = 0) -> None:
        """Refuse a quota (octets) above the caps where they bind the actor. `was` is the quota before: 0 if new.

        A lower quota is never refused.
        """
        if not bound(self.actor) or (quota is not None and (was is None or quota <= was)):
            return
        most, allotment = self.domain.mailbox_quota_most, self.domain.allotment_octets
        if (most is not None or allotment is not None) and quota is None:
            raise Rejected(_("a mailbox in %(domain)s needs a quota") % {"domain": self.domain}, field=QUOTA)
        if most is not None and quota is not None and quota > most:
            raise Rejected(
                _("the quota of a mailbox in %(domain)s can be at most %(most)s")
                % {"domain": self.domain, "most": format_octets(most)},
                field=QUOTA,
            )
        if allotment is not None:
            self._refuse_sum(self.allotted_octets + (quota or 0) - (was or 0), allotment)

    def refuse_fields_of_hosts(self, changes: Changes) -> None:
        """Refuse a domain admin who sets or lifts a hold, or another field that only hosting admins set."""
        if not bound(self.actor):
            return
        if "held" in changes:
            raise Rejected(_("only hosting admins can set or lift a hold"), field="held")
        for name in MAILBOX.set_by_hosts():
            if name in changes:
                label = MAILBOX[name].label
                raise Rejected(_("%(label)s: only hosting admins set this") % {"label": label}, field=name)

    def take(self, quota: int | None, *, was: int | None = 0, mailboxes: int = 0) -> None:
        """Count so many more mailboxes, and a quota (octets) in place of the one before."""
        self.mailboxes += mailboxes
        self.allotted_octets += (quota or 0) - (was or 0)

    def _refuse_sum(self, total: int, allotment: int) -> None:
        if total > allotment:
            above = format_octets(total - allotment)
            raise Rejected(
                _(
                    "the quotas of all mailboxes in %(domain)s can be at most %(allotment)s together: this is "
                    "%(above)s too much"
                )
                % {"domain": self.domain, "allotment": format_octets(allotment), "above": above},
                field=QUOTA,
            )


def rooms(domains: Collection[Domain], *, actor: Actor) -> dict[int, Room]:
    """Return the room in each of these domains, by its key. One statement; none where no domain has a cap."""
    capped = [domain for domain in domains if _counts(domain, actor)]
    sums = Mailbox.objects.filter(domain__in=capped, removed_at=None).values("domain")
    made = sums.values_list("domain", Count("pk"), Sum("quota_octets")) if capped else ()
    found = {key: (mailboxes, int(octets or 0)) for key, mailboxes, octets in made}
    return {domain.pk: Room(domain, actor, *found.get(domain.pk, (0, 0))) for domain in domains}


def room(domain: Domain, *, actor: Actor) -> Room:
    """Return the room in one locked domain."""
    return rooms([domain], actor=actor)[domain.pk]


def quota_of_new(domain: Domain) -> int | None:
    """Return the quota, in octets, of a new mailbox for which none is given."""
    return domain.mailbox_quota_most if domain.mailbox_quota_default is None else domain.mailbox_quota_default


def bound(actor: Actor) -> bool:
    """Return whether the caps hold for the actor: for domain admins, not for hosting admins or the shell."""
    return actor.user is not None and actor.user.role != User.Role.ADMIN


def out_of_reach(users: Collection[User], *, actor: Actor) -> set[int]:
    """Return the keys of the users who administer a domain that the actor, a domain admin, does not administer.

    With the password of such a user, the actor would administer that domain too. Removed domains count, since they can
    be restored. For hosting admins and the shell the set is empty.
    """
    if not users or not bound(actor):
        return set()
    others = DomainGrant.objects.filter(user__in=users).exclude(domain__grants__user=actor.user)
    return set(others.values_list("user", flat=True))


def refuse_out_of_reach(user: User, keys: Collection[int]) -> None:
    """Refuse to set the password of a user who is among the keys of `out_of_reach`."""
    if user.pk in keys:
        raise Rejected(_("%(address)s administers other domains: ask a hosting admin") % {"address": user.address})


def _counts(domain: Domain, actor: Actor) -> bool:
    return domain.mailbox_limit is not None or (domain.allotment_octets is not None and bound(actor))
