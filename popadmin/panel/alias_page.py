"""What the pages say about aliases: which of their targets lead to nobody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mailstore.directory import alias_targets
from mailstore.models import User
from popadmin.panel import access


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
