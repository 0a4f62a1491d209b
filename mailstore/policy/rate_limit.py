"""How often something was asked for under a key; counted, bounded in memory; pure, `now` is an argument."""

from __future__ import annotations

from collections import OrderedDict

KEYS_LIMIT = 20_000  # some 4 MB; the oldest go


class RateLimit:
    """The memory of one process: `most` a window under one key."""

    def __init__(self, most: int, window_seconds: int) -> None:
        self._most = most
        self._window_seconds = window_seconds
        self._asked: OrderedDict[str, tuple[float, int]] = OrderedDict()  # when the window ends, how often by now

    def allowed(self, key: str, now: float) -> bool:
        """Count this time; False when it is one too many."""
        until, times = self._asked.get(key, (0.0, 0))
        if until <= now:
            self._asked.pop(key, None)
            until, times = now + self._window_seconds, 0
        self._asked[key] = (until, times + 1)
        if len(self._asked) > KEYS_LIMIT:
            self._asked.popitem(last=False)
        return times < self._most
