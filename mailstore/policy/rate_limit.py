"""Limit how often something may be done under one key. Memory is bounded. Pure; `now` is an argument."""

from __future__ import annotations

from collections import OrderedDict

KEYS_LIMIT = 20_000  # some 4 MB; the oldest are dropped


class RateLimit:
    """The counts of one process. At most `max_count` are allowed under one key within a window."""

    def __init__(self, max_count: int, window_seconds: int) -> None:
        self._max_count = max_count
        self._window_seconds = window_seconds
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()  # by key: end of the window, count so far

    def allowed(self, key: str, now: float) -> bool:
        """Count once under the key; return False if that is above the limit."""
        until, count = self._counts.get(key, (0.0, 0))
        if until <= now:
            self._counts.pop(key, None)
            until, count = now + self._window_seconds, 0
        self._counts[key] = (until, count + 1)
        if len(self._counts) > KEYS_LIMIT:
            self._counts.popitem(last=False)
        return count < self._max_count
