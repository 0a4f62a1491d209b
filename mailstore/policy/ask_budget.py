"""How often old servers may be asked for a password: bounds what guesses here can do there, and waiting here."""

from __future__ import annotations

from collections import OrderedDict

ASKS_A_MINUTE = 120  # of one process, for all mailboxes together
REFUSALS_AT_MOST = 5  # of one mailbox within PERIOD_SECONDS; a server bars us, and so everybody, for many more
PERIOD_SECONDS = 600.0
RETRY_MINUTES = 5  # after a move that failed, before a sign-in tries again
SILENCES_AT_MOST = 3  # one after another; then a server is not asked for SILENT_SECONDS, so that others are
SILENT_SECONDS = 60.0
MAILBOXES_AT_MOST = 10_000  # that are remembered


class AskBudget:
    """Counts what was asked. `now` is the time of a clock that only rises."""

    def __init__(self) -> None:
        self._minute = 0.0
        self._asks = 0
        self._silences: dict[str, tuple[float, int]] = {}  # of servers: the last one, and how many
        self._refusals: OrderedDict[int, tuple[float, int]] = OrderedDict()  # since when, and how many

    def busy(self, now: float) -> bool:
        """Return whether this minute's questions are spent. Else count one."""
        if now - self._minute >= 60.0:
            self._minute, self._asks = now, 0
        if self._asks >= ASKS_A_MINUTE:
            return True
        self._asks += 1
        return False

    def silent(self, server: str, now: float) -> bool:
        """Return whether a server was so slow lately that it is not asked for a while."""
        last, count = self._silences.get(server, (now, 0))
        return count >= SILENCES_AT_MOST and now - last < SILENT_SECONDS

    def waited(self, server: str, now: float, *, in_vain: bool) -> None:
        """Note that a server answered, or that it was waited for in vain."""
        _last, count = self._silences.pop(server, (now, 0))
        if in_vain:
            self._silences[server] = (now, count + 1)

    def exhausted(self, mailbox: int, now: float) -> bool:
        """Return whether the old server refused so many passwords of a mailbox that it is not asked for a while."""
        since, count = self._refusals.get(mailbox, (now, 0))
        return count >= REFUSALS_AT_MOST and now - since < PERIOD_SECONDS

    def refused(self, mailbox: int, now: float) -> None:
        """Count a password that the old server refused."""
        since, count = self._refusals.pop(mailbox, (now, 0))
        if now - since >= PERIOD_SECONDS:
            since, count = now, 0
        self._refusals[mailbox] = (since, count + 1)
        if len(self._refusals) > MAILBOXES_AT_MOST:
            self._refusals.popitem(last=False)
