"""Find targets of aliases that lead to nobody. It only tells: mail to such a target is refused by the delivery."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.db.models import Q, QuerySet

from mailstore.directory import alias_reach
from mailstore.models import Domain

_THESE = "SELECT unnest(%s::text[]) AS address"


def unknown(targets: Iterable[str], *, within: QuerySet[Domain]) -> set[str]:
    """Return the targets that no mailbox, alias or catch-all answers for, in two statements.

    Only targets in the domains `within` are looked at: whoever reads the answer may see those.
    """
    addresses = sorted(set(targets))
    names = {address.rpartition("@")[2] for address in addresses}
    standing = Domain.objects.filter(name__in=names, stands_for__isnull=False).values("stands_for")
    here = list(within.filter(Q(name__in=names) | Q(pk__in=standing)).values_list("pk", flat=True))
    if not here:
        return set()
    statement, parameters = alias_reach.unknown(_THESE, here)
    with connection.cursor() as cursor:
        cursor.execute(statement, [addresses, *parameters])
        return {address for (address,) in cursor.fetchall()}
