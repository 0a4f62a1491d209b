"""The kinds of work a scenario may measure, each on any side; no figures, no names of servers.

A work's `turn` prepares outside of the measurement, then measures one turn.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bench import meter
from bench.crew import crew, play
from bench.groups import Group
from bench.load import Job
from bench.side import Side
from bench.talk import Address

# What a server puts off until after the last reply (batched rows, logs) is its cost too.
SETTLE_SECONDS = 0.3
WARM_UP_SECONDS = 0.3
# Each of a few worker processes has then met each user.
GREETINGS = 12
Steps = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """One measured turn of one side. `latencies` (seconds) are of whole visits or deliveries, `units` may be finer."""

    units: int
    seconds: float
    cpu_seconds: float
    latencies: tuple[float, ...] = ()
    resumed: int = 0
    kilobytes: float | None = None


class Work(Protocol):
    @property
    def group(self) -> Group: ...

    def warm_up(self, side: Side) -> None:
        """Bring a side into the state of a server that has been up for a while; not measured."""

    def turn(self, side: Side, seconds: float) -> Turn: ...


@dataclass(frozen=True, slots=True)
class Visits:
    """POP3 sessions by several clients at once, for a time."""

    group: Group
    steps: Steps
    units: int = 1  # per visit
    tls: bool = False
    resume: bool = False
    processes: int = 2
    threads: int = 4

    def warm_up(self, side: Side) -> None:
        greet(side, self.group.users)
        self.turn(side, WARM_UP_SECONDS)

    def turn(self, side: Side, seconds: float) -> Turn:
        return self._measure(side, seconds)

    def _measure(self, side: Side, seconds: float | None) -> Turn:
        door = side.doors.pop3s if self.tls else side.doors.pop3
        how = {"steps": list(self.steps), "tls": self.tls, "resume": self.resume}
        job = _job("visits", door, self.group.users, threads=self.threads, seconds=seconds, **how)
        return _measured(side, job, self.processes, self.units)


@dataclass(frozen=True, slots=True)
class Drains(Visits):
    """Each user once, on mail that was delivered for this turn."""

    def turn(self, side: Side, seconds: float) -> Turn:
        fill(side, self.group.users, "ordinary")
        return self._measure(side, None)


@dataclass(frozen=True, slots=True)
class ColdVisits(Visits):
    """Each user once, on a POP3 server that was started for this turn and knows the users, but no list of theirs."""

    def turn(self, side: Side, seconds: float) -> Turn:
        side.restart_pop3()
        greet(side, self.group.users)
        return self._measure(side, None)


@dataclass(frozen=True, slots=True)
class Deliveries:
    """LMTP transactions on several lasting connections, for a time."""

    group: Group
    processes: int = 2
    threads: int = 4

    def warm_up(self, side: Side) -> None:
        self.turn(side, WARM_UP_SECONDS)

    def turn(self, side: Side, seconds: float) -> Turn:
        users = self.group.users * -(-self.processes * self.threads // self.group.count)
        job = _job("deliveries", side.doors.lmtp, users, threads=self.threads, seconds=seconds)
        return _measured(side, job, self.processes, 1)


@dataclass(frozen=True, slots=True)
class Idle:
    """Signed-in sessions that do nothing; what each adds to the memory of a fresh server's processes."""

    group: Group
    sessions: int
    tls: bool = False

    def warm_up(self, side: Side) -> None:
        """Each turn begins with a fresh server."""

    def turn(self, side: Side, seconds: float) -> Turn:
        side.restart_pop3()
        greet(side, self.group.users, tls=self.tls)
        door = side.doors.pop3s if self.tls else side.doors.pop3
        time.sleep(SETTLE_SECONDS)
        before = meter.kilobytes(side.server_pids())
        with crew(
            _job("visits", door, self.group.users, threads=1, hold=self.sessions, tls=self.tls), processes=1
        ) as held:
            start = time.perf_counter()
            held.say("go")
            held.expect("held")
            took = time.perf_counter() - start
            time.sleep(SETTLE_SECONDS)
            after = meter.kilobytes(side.server_pids())
            held.say("enough")
        return Turn(self.sessions, took, 0.0, kilobytes=(after - before) / self.sessions)


def greet(side: Side, users: tuple[str, ...], *, tls: bool = False) -> None:
    """Sign each user in several times."""
    door = side.doors.pop3s if tls else side.doors.pop3
    play(_job("visits", door, users * GREETINGS, threads=4, steps=[("STAT", False)], tls=tls), processes=2)


def furnish(side: Side, groups: Sequence[Group]) -> None:
    """Make the mailboxes and their first mail; nothing of it is measured."""
    side.accounts(groups)
    for group in groups:
        if group.mail:
            fill(side, group.users, group.mail)
        if group.multiplied:
            for user in group.users:
                side.multiply(user, group.multiplied)


def fill(side: Side, users: tuple[str, ...], collection: str) -> None:
    """Deliver a collection to each user, in order."""
    play(_job("fill", side.doors.lmtp, users, threads=4, mail=collection), processes=2)


def _job(kind: str, door: Address, users: tuple[str, ...], **how: Any) -> Job:
    return Job(kind, door.host, door.port, list(users), **how)


def _measured(side: Side, job: Job, processes: int, units: int) -> Turn:
    with crew(job, processes=processes) as members:
        cpu, start = side.meter.cpu_seconds(), time.perf_counter()
        members.say("go")
        seen = members.seen()
        took = time.perf_counter() - start
        time.sleep(SETTLE_SECONDS)
        spent = side.meter.cpu_seconds() - cpu
    return Turn(len(seen.latencies) * units, took, spent, seen.latencies, seen.resumed)
