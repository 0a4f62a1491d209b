"""When the request that a thread answers came: a page that many wait for can tell whether one answer fits all.

The worker of the web port says it for /readyz alone. Elsewhere nobody knows, and it is None.
"""

from __future__ import annotations

from contextvars import ContextVar

arrived_at: ContextVar[float | None] = ContextVar("arrived_at", default=None)  # by the monotonic clock
