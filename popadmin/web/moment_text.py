"""A moment that was written into a URL or an entry of the audit, read back."""

from __future__ import annotations

from datetime import datetime


def moment_in(text: str) -> datetime | None:
    """Return the moment; None for a text that is none, or has no time zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None
