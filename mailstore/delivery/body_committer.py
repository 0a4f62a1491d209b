"""Makes bodies durable, in threads. Bodies that come during one commit share the next. `message_writer` writes rows."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from mailstore.errors import MailError, Unavailable
from mailstore.pg.callback import tell
from mailstore.ports import BodyRef, BodyStore, Done, Draft

log = logging.getLogger("popadmin.delivery")

LARGE_OCTETS = 1024 * 1024  # larger bodies have a thread of their own, so that small ones need not wait for them
BATCH_BODIES = 64  # each takes a descriptor, and the first waits for the last


@dataclass(frozen=True, slots=True)
class _Commit:
    draft: Draft
    octets: int
    done: Done[BodyRef]


@dataclass(frozen=True, slots=True)
class _Discard:
    key: str


_Work = _Commit | _Discard | None  # None: nothing more will come


class BodyCommitter:
    """Two threads of one worker, one for small bodies and one for large ones.

    If many deliveries end at once, the loop wakes one thread, and is woken once for all bodies that became durable
    together. With more threads fewer bodies would go together, and the loop would lose the interpreter more often.
    """

    def __init__(self, bodies: BodyStore) -> None:
        self._bodies = bodies
        self._small: SimpleQueue[_Work] = SimpleQueue()
        self._large: SimpleQueue[_Work] = SimpleQueue()
        self._loop: asyncio.AbstractEventLoop  # the worker's; known from the first `add` on
        for name, queue in (("small", self._small), ("large", self._large)):
            threading.Thread(target=self._serve, args=(queue,), name=f"commit-{name}", daemon=True).start()

    def add(self, draft: Draft, octets: int, done: Done[BodyRef]) -> None:
        """Make a body durable. Called on the loop, where `done` is called too. StorageFull, Unavailable."""
        try:
            draft.finish()
        except MailError as error:
            done(error)
            return
        self._loop = asyncio.get_running_loop()
        queue = self._large if octets >= LARGE_OCTETS else self._small
        queue.put(_Commit(draft, octets, done))

    def discard(self, key: str) -> None:
        """Destroy a body later, in a thread."""
        self._large.put(_Discard(key))

    def close(self) -> None:
        """End the threads after they have done what waits."""
        self._small.put(None)
        self._large.put(None)

    # --- in the threads -------------------------------------------------------------------------------------------

    def _serve(self, queue: SimpleQueue[_Work]) -> None:
        more = True
        while more:
            waiting = _waiting(queue)
            more = None not in waiting
            commits = [work for work in waiting if isinstance(work, _Commit)]
            if commits:
                self._loop.call_soon_threadsafe(_tell, commits, self._outcomes(commits))
            for work in waiting:
                if isinstance(work, _Discard):
                    self._remove(work.key)

    def _outcomes(self, commits: Sequence[_Commit]) -> Sequence[BodyRef | MailError]:
        try:
            return self._bodies.commit([(each.draft, each.octets) for each in commits])
        except Exception as error:  # a bug; it is not known if any of these is durable
            log.exception("storing bodies failed")
            return [Unavailable(repr(error))] * len(commits)

    def _remove(self, key: str) -> None:
        try:
            self._bodies.remove(key)
        except MailError as error:  # the body stays as litter, which fsck finds
            log.warning("a body that nobody took stays: %s", error)


def _waiting(queue: SimpleQueue[_Work]) -> list[_Work]:
    """Wait for work, and return all that is there."""
    waiting = [queue.get()]
    try:
        while len(waiting) < BATCH_BODIES:
            waiting.append(queue.get_nowait())
    except Empty:
        pass
    return waiting


def _tell(commits: Sequence[_Commit], outcomes: Sequence[BodyRef | MailError]) -> None:
    for each, outcome in zip(commits, outcomes, strict=True):
        each.draft.abort()
        tell(each.done, outcome)
