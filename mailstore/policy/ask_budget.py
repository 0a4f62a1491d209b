"""How often old servers may be asked for a password: bounds what guesses here can do there, and waiting here."""

from __future__ import annotations

from collections import OrderedDict

ASKS_A_MINUTE = 120  # of one process, for all mailboxes together
REFUSALS_AT_MOST = 5  # passwords of one mailbox within PERIOD_SECONDS; a server bars us, and so everybody, for more
PERIOD_SECONDS = 600.0
RETRY_MINUTES = 5  # after a move that failed, before a sign-in tries again
SILENCES_AT_MOST = 3  # one after another; then a server is not asked for SILENT_SECONDS, so that others are
SILENT_SECONDS = 60.0
AWAY_SECONDS = 60.0  # so long after a question that got no answer, a server counts as away for all users of its domain
MAILBOXES_AT_MOST = 10_000  # that are remembered


class AskBudget:
    """Counts what was asked. `now` is the time of a clock that only rises."""

    def __init__(self) -> None:
        self._minute = 0.0
        self._asks = 0
        self._silences: dict[str, tuple[float, int]] = {}  # of servers: the last one, and how many
        self._unanswered: dict[str, float] = {}  # by server: the last question without an answer since its last answer
        self._refusals: OrderedDict[int, tuple[float, set[bytes]]] = OrderedDict()  # since when, and digests of which

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

    def answered(self, server: str) -> None:
        """Note that a server took or refused a password."""
        self._unanswered.pop(server, None)

    def unanswered(self, server: str, now: float) -> None:
        """Note that a user of a server was told to come again later, since it was away or not asked."""
        self._unanswered[server] = now

    def away(self, server: str | None, now: float) -> bool:
        """Return whether a server left a question without an answer lately, and has answered none since. None: any."""
        questions = self._unanswered.values() if server is None else [self._unanswered.get(server, -AWAY_SECONDS)]
        return any(now - last < AWAY_SECONDS for last in questions)

    def exhausted(self, mailbox: int, password: bytes, now: float) -> bool:
        """Return whether the old server is not asked for a while: it refused this password, or many of this mailbox.

        `password` is a digest. So a program that repeats an old password takes nobody's turn.
        """
        since, refused = self._refusals.get(mailbox, (now, set()))
        return now - since < PERIOD_SECONDS and (password in refused or len(refused) >= REFUSALS_AT_MOST)

    def refused(self, mailbox: int, password: bytes, now: float) -> None:
        """Note a password that the old server refused, by its digest."""
        since, refused = self._refusals.pop(mailbox, (now, set()))
        if now - since >= PERIOD_SECONDS:
            since, refused = now, set()
        self._refusals[mailbox] = (since, refused | {password})
        if len(self._refusals) > MAILBOXES_AT_MOST:
            self._refusals.popitem(last=False)
