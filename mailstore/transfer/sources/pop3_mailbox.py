"""Read a mailbox of an old server over POP3 message by message. A connection that is cut is made again, a bounded time.

The engine of the import says which messages come next (`fetch`), so that they can be asked for together. Messages wait
in memory or in a file without a name until they are whole: a cut in the middle leaves nothing of them.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from tempfile import SpooledTemporaryFile

from mailstore.transfer.sources import SourceMessage, identity_of
from mailstore.transfer.sources.old_server_error import Lost, NotGiven
from mailstore.transfer.sources.pop3_client import WINDOW, Account, Listed, Session
from mailstore.transfer.sources.pop3_wire import CHUNK_OCTETS

MEMORY_OCTETS = 1024 * 1024  # of the message that is read; a larger one is written to a file
PAUSES_SECONDS = (0, 2, 10, 30, 60)  # before each new try; afterwards the server counts as gone


class OldMailbox:
    """The messages of an account. Close it: that ends the session with QUIT."""

    def __init__(self, account: Account, *, most_octets: int, pauses_seconds: Sequence[float] = PAUSES_SECONDS) -> None:
        """Sign in and list the messages. Raises PasswordRefused, Lost and Unusable."""
        self._account = account
        self._most_octets = most_octets
        self._pauses_seconds = pauses_seconds
        self._session: Session | None = None
        self._listed: dict[bytes, Listed] = {}  # by identity: numbers change with each session
        self._next: deque[bytes] = deque()  # the messages that will be read, in this order
        self._asked = 0  # of these, so many have been asked for in this session
        self._tries = 0  # that failed since the last message
        self._open()

    def __len__(self) -> int:
        return len(self._listed)

    def messages(self) -> Iterator[SourceMessage]:
        """Yield the messages in the server's order."""
        for identity, listed in list(self._listed.items()):
            yield self._message(identity, listed)

    def uidls(self) -> list[str]:
        """Return the UIDLs in the server's order."""
        return [listed.uidl for listed in self._listed.values()]

    def fetch(self, messages: Sequence[SourceMessage]) -> None:
        """Say which messages will be read next, in this order."""
        if self._asked:  # replies to requests that nobody reads any more are under way
            self._drop()
        self._next = deque(message.identity for message in messages if not self._too_large(message.identity))

    def close(self) -> None:
        """End the session."""
        if self._session is not None:
            self._session.quit()
            self._session = None

    def _open(self) -> Session:
        """Return the session. A new one lists the messages again."""
        if self._session is None:
            session = Session(self._account)
            try:
                self._listed = _by_identity(self._account, session.listing())
            except BaseException:
                session.close()
                raise
            self._session = session
        return self._session

    def _message(self, identity: bytes, listed: Listed) -> SourceMessage:
        return SourceMessage(
            name=f"message {listed.number}",
            identity=identity,
            arrived_at=None,  # its header tells
            uidl=listed.uidl,
            read=lambda: self._read(identity),
        )

    def _too_large(self, identity: bytes) -> bool:
        listed = self._listed.get(identity)
        return listed is not None and listed.octets > self._most_octets

    def _read(self, identity: bytes) -> Iterator[bytes]:
        if self._too_large(identity):
            octets = self._listed[identity].octets
            raise NotGiven(f"it has {octets} octets, more than MAX_MESSAGE_OCTETS ({self._most_octets})")
        with SpooledTemporaryFile(max_size=MEMORY_OCTETS) as spool:
            self._again(lambda: self._retrieve(identity, spool))
            spool.seek(0)
            yield from iter(lambda: spool.read(CHUNK_OCTETS), b"")

    def _retrieve(self, identity: bytes, spool: SpooledTemporaryFile[bytes]) -> None:
        spool.seek(0)
        spool.truncate()
        session = self._open()
        try:
            self._ask(session, identity)
            for chunk in session.retrieve(self._most_octets):
                spool.write(chunk)
        except NotGiven:
            self._answered(closed=session.closed)
            raise
        self._answered(closed=False)
        self._tries = 0

    def _ask(self, session: Session, identity: bytes) -> None:
        """Ask for this message and for those behind it, as many as the server takes at once."""
        if not self._next or self._next[0] != identity:
            self._next = deque([identity])
        window = WINDOW if session.pipelining else 1
        if self._asked > window // 2:
            return
        coming = list(islice(self._next, self._asked, window))
        missing = next((place for place, each in enumerate(coming) if each not in self._listed), len(coming))
        if missing == 0 and not self._asked:
            self._next.popleft()
            raise NotGiven("the server has it no more")
        session.ask([self._listed[each].number for each in coming[:missing]])
        self._asked += missing

    def _answered(self, *, closed: bool) -> None:
        if self._asked:
            self._next.popleft()
            self._asked -= 1
        if closed:
            self._drop()

    def _drop(self) -> None:
        if self._session is not None:
            self._session.close()
        self._session, self._asked = None, 0

    def _again(self, act: Callable[[], None]) -> None:
        """Do something in a session; in a new one if the connection is lost. Raises Lost when that has failed often."""
        while True:
            try:
                return act()
            except Lost:
                self._drop()
                if self._tries == len(self._pauses_seconds):
                    raise
                time.sleep(self._pauses_seconds[self._tries])
                self._tries += 1


def _by_identity(account: Account, listing: list[Listed]) -> dict[bytes, Listed]:
    """Return the messages by identity. Some servers give equal messages one UIDL: these are counted."""
    seen: Counter[str] = Counter()
    found = {}
    for listed in listing:
        place, seen[listed.uidl] = seen[listed.uidl], seen[listed.uidl] + 1
        parts = (account.server.host.lower(), account.user.lower(), listed.uidl, *([str(place)] if place else []))
        found[identity_of(b"pop3", *(part.encode() for part in parts))] = listed
    return found
