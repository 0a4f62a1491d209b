"""The worker's connections to the database, called lanes: one for reading, some for writing. It chooses the lane."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from mailstore.pg.pipeline import Answer, Answers, OutageLog, Pipeline, Steps
from mailstore.pg.statement import Parameters, Statement
from mailstore.sql import quota_relief, statements

READS = statements.READS
WRITES = statements.WRITES + quota_relief.WRITES
WRITE_LANES = 4  # commits on one lane wait for each other's fsync; four share the disk's group commit


class ConnectionPool:
    """The lanes of one worker. Reads never wait behind a commit, since they have a lane of their own."""

    def __init__(self, conninfo: str, *, write_lanes: int = WRITE_LANES) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="connect")
        self._caches: list[Callable[[], None]] = []
        outages = OutageLog()
        self._reads = Pipeline(conninfo, READS, self._pool, on_connect=self._forget, outages=outages)
        self._writes = [
            Pipeline(conninfo, WRITES, self._pool, on_connect=_nothing_kept, outages=outages)
            for _ in range(write_lanes)
        ]

    async def open(self) -> None:
        for lane in (self._reads, *self._writes):
            await lane.open()

    def on_return(self, forget: Callable[[], None]) -> None:
        """Call `forget` whenever reads have a new connection.

        A server that was away may come back restored to an earlier day, so what was read before may be wrong.
        """
        self._caches.append(forget)

    def read(self, statement: Statement, parameters: Parameters, done: Answer) -> None:
        self._reads.run(((statement, parameters),), done)

    def write(self, steps: Steps, done: Answer) -> None:
        """Run the steps as one transaction; `done` gets the last one's result."""
        self._free().run(steps, done)

    def write_each(self, steps: Steps, done: Answers) -> None:
        """Run the steps as one transaction; `done` gets the result of each."""
        self._free().run_each(steps, done)

    def tick(self) -> None:
        for lane in (self._reads, *self._writes):
            lane.tick()

    def close(self) -> None:
        for lane in (self._reads, *self._writes):
            lane.close()
        self._pool.shutdown(wait=False)

    def _free(self) -> Pipeline:
        """Return the least busy lane that is connected. A lost lane has nothing to do, but cannot write."""
        there = [lane for lane in self._writes if lane.connected]
        return min(there or self._writes, key=_load)

    def _forget(self) -> None:
        for forget in self._caches:
            forget()


def _nothing_kept() -> None:
    """Do nothing. No cache holds what a writing lane has read."""


def _load(lane: Pipeline) -> int:
    return lane.load
