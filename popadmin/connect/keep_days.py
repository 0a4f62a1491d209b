"""For how many days mail stays on the server, as a mail program that has told no password may learn it."""

from __future__ import annotations

from mailstore.models import Domain, RetentionPolicy
from mailstore.policy.addresses import BadAddress, normal_domain


def of_address(address: str) -> int | None:
    """Return the days after which the policy of the address's domain first removes mail; None if it removes none.

    The mailbox is never looked up, so the answer is the same for each name in a domain, whether it exists or not. A
    domain that is not hosted here, and a text that is no address, get the policy of the site. Which domains are hosted
    here is no secret: their MX records say it.
    """
    policy = _of_domain(address.rpartition("@")[2]) or RetentionPolicy.objects.filter(site=True).first()
    return None if policy is None else shortest_days(policy)


def shortest_days(policy: RetentionPolicy) -> int | None:
    """Return the shortest period after which a rule of the policy removes mail, as CAPA EXPIRE has it."""
    confirmed = policy.hold_days if policy.remove_when_confirmed else None
    periods = (policy.expire_days, policy.expire_confirmed_days, confirmed)
    return min((days for days in periods if days is not None), default=None)


def _of_domain(text: str) -> RetentionPolicy | None:
    try:
        name = normal_domain(text)
    except BadAddress:
        return None
    domain = Domain.objects.filter(name=name, removed_at=None).select_related("policy", "stands_for__policy").first()
    if domain is None:
        return None
    return (domain.stands_for or domain).policy
