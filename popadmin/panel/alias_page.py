"""What the pages say about aliases: which of their targets lead to nobody, and what the MTA has to do for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from mailstore.directory import alias_targets
from mailstore.directory.mta_expansion import expansions
from mailstore.models import Alias, User
from popadmin.panel import access

# An MTA that does not expand an address tries its mail again within this time (Postfix: within 67 minutes).
UNEXPANDED_HOURS = 24


@dataclass(frozen=True, slots=True)
class MtaDuty:
    """That an alias has an end outside, so the MTA must expand it. `unexpanded_at`: when it last did not, if lately."""

    unexpanded_at: datetime | None


def mta_duty(alias: Alias) -> MtaDuty | None:
    """Return what the MTA has to do for an alias; None where LMTP follows it, or it leads nowhere now."""
    ((_alias, expansion),) = expansions([alias])
    if expansion.expand_to is None:
        return None
    late = timezone.now() - timedelta(hours=UNEXPANDED_HOURS)
    return MtaDuty(alias.unexpanded_at if alias.unexpanded_at and alias.unexpanded_at > late else None)


def mark_unknown(aliases: Sequence[Any], user: User) -> set[str]:
    """Give each alias its `unknown` targets, as far as this user may see their domains; in four statements for all.

    Returns the targets of all.
    """
    unknown = alias_targets.unknown(
        {target for alias in aliases for target in alias.targets}, within=access.domains(user)
    )
    for alias in aliases:
        alias.unknown = [target for target in alias.targets if target in unknown]
    return unknown
