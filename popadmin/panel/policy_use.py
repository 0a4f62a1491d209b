"""Who uses each retention policy, among the domains and mailboxes that a user may see."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from mailstore.models import RetentionPolicy, User
from popadmin.panel import access

NAMED = 50  # domains that a page names; the list of mailboxes has the rest


def followers(user: User) -> dict[int | None, int]:
    """Count the mailboxes that use each policy, among those that this user may see, wherever the choice comes from."""
    site = RetentionPolicy.objects.filter(site=True).values("pk")
    in_force = Coalesce("policy", "domain__policy", Subquery(site[:1]))
    rows = access.mailboxes(user).select_related(None).order_by().values(in_force=in_force)
    return {row["in_force"]: row["n"] for row in rows.annotate(n=Count("pk"))}


def with_use(user: User) -> QuerySet[RetentionPolicy]:
    """Return the policies with the number of `domains` and `mailboxes` that have chosen them, as far as visible."""

    def chosen_by(rows: QuerySet[Any]) -> Coalesce:
        of_policy = rows.filter(policy=OuterRef("pk")).order_by().values("policy")
        return Coalesce(Subquery(of_policy.values(n=Count("pk"))), 0, output_field=IntegerField())

    return access.policies(user).annotate(
        domains=chosen_by(access.domains(user)),
        mailboxes=chosen_by(access.mailboxes(user).select_related(None)),
    )


def use(user: User, policy: RetentionPolicy) -> dict[str, Any]:
    """Return who uses the policy, for its page: the number of mailboxes, and the first domains."""
    return {
        "follower_count": followers(user).get(policy.pk, 0),
        "domains": access.domains(user).filter(policy=policy).order_by("name")[:NAMED],
    }
