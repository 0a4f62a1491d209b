"""A moment that was written into a URL or an entry of the audit, read back."""

from __future__ import annotations

from datetime import UTC, datetime


def moment_in(text: str) -> datetime | None:
    """Return the moment in UTC, as Postgres refuses some time zones; None for a text that is none, or has no zone."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):  # it may be outside of the years that there are
        return None
