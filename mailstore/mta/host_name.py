"""The name by which the MTA calls itself to servers elsewhere: many refuse mail where it is no full host name."""

from __future__ import annotations

import re

# RFC 1123 §2.1, with a dot, and a last label that is no number.
FULL = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
NOWHERE = ".localdomain"  # what systems and Postfix append to a name without a dot


def is_full(name: str) -> bool:
    """Return whether servers elsewhere can take it for the name of a host. RFC 5321 §2.3.5."""
    return FULL.fullmatch(name.lower()) is not None and not name.lower().endswith(NOWHERE)
