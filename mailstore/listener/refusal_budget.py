"""Bounds what it may cost to tell refused clients why, inside TLS. Those above the bound are cut off without a word."""

from __future__ import annotations

A_SECOND = 8  # of one worker; a handshake costs as much as some two polls
AT_ONCE = 16  # of one worker; a client that is silent in its handshake holds its place for ten seconds


class RefusalBudget:
    """The handshakes that one worker may still make with clients it refuses. `renew` is called every second."""

    def __init__(self) -> None:
        self._left = A_SECOND
        self._open = 0

    def take(self) -> bool:
        """Return whether one more may be made now. If so, `give_back` has to follow at its end."""
        if not self._left or self._open >= AT_ONCE:
            return False
        self._left -= 1
        self._open += 1
        return True

    def give_back(self) -> None:
        self._open -= 1

    def renew(self) -> None:
        self._left = A_SECOND
