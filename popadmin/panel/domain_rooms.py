"""How near domains are to their caps: on what they store, and on mailboxes, aliases and quotas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Q, When

from mailstore.directory import domain_usage
from mailstore.models import User
from mailstore.policy.addresses import shown_domain
from popadmin.panel import access
from popadmin.web.usage_share import FULL_PERCENT, NEAR_PERCENT

STORED, MAILBOXES, ALLOTTED, ALIASES = "stored", "mailboxes", "allotted", "aliases"
CAPS = {STORED: "quota_octets", MAILBOXES: "mailbox_limit", ALLOTTED: "allotment_octets", ALIASES: "alias_limit"}


@dataclass(frozen=True, slots=True)
class CapUse:
    """A cap of a domain that is reached, or nearly. `used` and `cap` are octets, or a number of rows.

    `name` is that of the domain, in its own script.
    """

    domain: int
    name: str
    kind: str
    used: int
    cap: int

    @property
    def is_reached(self) -> bool:
        return self.used >= self.cap


def is_near(used: int, cap: int | None, *, of_nothing: bool = False) -> bool:
    """Tell whether a cap is nearly reached, or is. Where nothing is used only if `of_nothing`.

    A cap of 0 then means that there shall be none: the domain does without, and lacks nothing.
    """
    return cap is not None and (used > 0 or of_nothing) and used * FULL_PERCENT >= cap * NEAR_PERCENT


def near_caps(user: User, uses: Mapping[int, Mapping[str, int]]) -> list[CapUse]:
    """Return the caps that are nearly reached. `uses` has by the key of each domain what it holds, by kind of cap."""
    some_cap = Q(*(Q(**{f"{field}__isnull": False}) for field in CAPS.values()), _connector=Q.OR)
    aliases = Case(When(alias_limit__isnull=False, then=domain_usage.aliases()))
    rows = access.domains(user).filter(some_cap).annotate(alias_count=aliases).order_by("name")
    found = rows.values("pk", "name", "alias_count", *CAPS.values())
    return [use for row in found for use in _near(row, uses.get(row["pk"], {}))]


def _near(row: Mapping[str, Any], uses: Mapping[str, int]) -> Iterator[CapUse]:
    for kind, field in CAPS.items():
        used = row["alias_count"] if kind == ALIASES else uses.get(kind)
        cap = row[field]
        if used is not None and is_near(used, cap, of_nothing=kind == STORED and bool(uses)):
            yield CapUse(row["pk"], shown_domain(row["name"]), kind, used, cap)
