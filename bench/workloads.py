"""The workloads that a scenario may measure, each on any side; no figures, no names of servers.

`turn` of a workload prepares outside of the measurement, then measures one turn.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bench import meter
from bench.client import Address
from bench.load import Job
from bench.load_processes import load_processes, play
from bench.mailbox_groups import Group
from bench.side import Side

# Work that a server defers until after the last reply (batched rows, logs) is part of its cost.
SETTLE_SECONDS = 0.3
WARM_UP_SECONDS = 0.3
# Enough that each of a few worker processes has served each user.
SIGN_INS_EACH = 12
Steps = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """One measured turn of one side. `latencies` (seconds) are of sessions or deliveries; `units` may be parts."""

    units: int
    seconds: float
    cpu_seconds: float
    latencies: tuple[float, ...] = ()
    resumed: int = 0
    kilobytes: float | None = None


class Workload(Protocol):
    @property
    def group(self) -> Group: ...

    def warm_up(self, side: Side) -> None:
        """Bring a side into the state of a server that has been up for a while; not measured."""

    def turn(self, side: Side, seconds: float) -> Turn: ...


@dataclass(frozen=True, slots=True)
class Sessions:
    """POP3 sessions of several clients at once, for some seconds."""

    group: Group
    steps: Steps
    units: int = 1  # per session
    tls: bool = False
    resume: bool = False
    processes: int = 2
    threads: int = 4

    def warm_up(self, side: Side) -> None:
        sign_in_all(side, self.group.users)
        self.turn(side, WARM_UP_SECONDS)

    def turn(self, side: Side, seconds: float) -> Turn:
        return self._measure(side, seconds)

    def _measure(self, side: Side, seconds: float | None) -> Turn:
        address = side.addresses.pop3s if self.tls else side.addresses.pop3
        how = {"steps": list(self.steps), "tls": self.tls, "resume": self.resume}
        job = _job("sessions", address, self.group.users, threads=self.threads, seconds=seconds, **how)
        return _measure_job(side, job, self.processes, self.units)


@dataclass(frozen=True, slots=True)
class Drain(Sessions):
    """One session of each user, on mail that was delivered for this turn."""

    def turn(self, side: Side, seconds: float) -> Turn:
        deliver(side, self.group.users, "ordinary")
        return self._measure(side, None)


@dataclass(frozen=True, slots=True)
class ColdSessions(Sessions):
    """One session of each user, on a POP3 server that was just started: it knows the users, but none of their lists."""

    def turn(self, side: Side, seconds: float) -> Turn:
        side.restart_pop3()
        sign_in_all(side, self.group.users)
        return self._measure(side, None)


@dataclass(frozen=True, slots=True)
class Deliveries:
    """LMTP transactions on several lasting connections, for some seconds."""

    group: Group
    processes: int = 2
    threads: int = 4

    def warm_up(self, side: Side) -> None:
        self.turn(side, WARM_UP_SECONDS)

    def turn(self, side: Side, seconds: float) -> Turn:
        users = self.group.users * -(-self.processes * self.threads // self.group.count)
        job = _job("deliveries", side.addresses.lmtp, users, threads=self.threads, seconds=seconds)
        return _measure_job(side, job, self.processes, 1)


@dataclass(frozen=True, slots=True)
class IdleSessions:
    """Signed-in sessions that do nothing: how much memory each adds to the processes of a fresh server."""

    group: Group
    sessions: int
    tls: bool = False

    def warm_up(self, side: Side) -> None:
        """Each turn begins with a fresh server."""

    def turn(self, side: Side, seconds: float) -> Turn:
        side.restart_pop3()
        sign_in_all(side, self.group.users, tls=self.tls)
        address = side.addresses.pop3s if self.tls else side.addresses.pop3
        time.sleep(SETTLE_SECONDS)
        before = meter.kilobytes(side.server_pids())
        job = _job("sessions", address, self.group.users, threads=1, hold=self.sessions, tls=self.tls)
        with load_processes(job, processes=1) as started:
            start = time.perf_counter()
            started.send("go")
            started.expect("held")
            took = time.perf_counter() - start
            time.sleep(SETTLE_SECONDS)
            after = meter.kilobytes(side.server_pids())
            started.send("enough")
        return Turn(self.sessions, took, 0.0, kilobytes=(after - before) / self.sessions)


def sign_in_all(side: Side, users: tuple[str, ...], *, tls: bool = False) -> None:
    """Sign each user in several times."""
    address = side.addresses.pop3s if tls else side.addresses.pop3
    play(_job("sessions", address, users * SIGN_INS_EACH, threads=4, steps=[("STAT", False)], tls=tls), processes=2)


def create_mailboxes(side: Side, groups: Sequence[Group]) -> None:
    """Create the mailboxes and deliver their first mail; none of it is measured."""
    side.accounts(groups)
    for group in groups:
        if group.mail:
            deliver(side, group.users, group.mail)
        if group.copies:
            for user in group.users:
                side.duplicate_message(user, group.copies)


def deliver(side: Side, users: tuple[str, ...], collection: str) -> None:
    """Deliver a collection to each user, in order."""
    play(_job("fill", side.addresses.lmtp, users, threads=4, mail=collection), processes=2)


def _job(kind: str, address: Address, users: tuple[str, ...], **how: Any) -> Job:
    return Job(kind, address.host, address.port, list(users), **how)


def _measure_job(side: Side, job: Job, processes: int, units: int) -> Turn:
    with load_processes(job, processes=processes) as started:
        cpu, start = side.meter.cpu_seconds(), time.perf_counter()
        started.send("go")
        result = started.result()
        took = time.perf_counter() - start
        time.sleep(SETTLE_SECONDS)
        spent = side.meter.cpu_seconds() - cpu
    return Turn(len(result.latencies) * units, took, spent, result.latencies, result.resumed)
