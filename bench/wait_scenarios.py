"""Scenarios whose figure is the wait of the others: with an attack and without it, in one run; ours only.

A line is one attack and one who waits meanwhile. The control is the same wait just before the attack.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench import mail
from bench.crew import ROOT
from bench.groups import INTO, POLLED
from bench.load import send, sign_in
from bench.rounds import Pace
from bench.side import Side
from bench.strangers import Attack
from bench.talk import Talk, WrongAnswer

LONGEST_SECONDS = 10  # who waits longer is not waited for
PAUSE_SECONDS = 0.01  # between two looks at a wait
TURNS = 4  # a line takes as many turns of a scenario's
PAGE_OCTETS = 4096

Look = Callable[[], float]  # what was measured once: milliseconds, or MB


@dataclass(frozen=True, slots=True)
class Wait:
    """`goal` is how much the 99th percentile under attack may lie above the control's."""

    scenario: str
    title: str
    attack: Attack
    watch: Callable[[Side], Look]
    goal: float
    unit: str = "ms"


@dataclass(frozen=True, slots=True)
class Waited:
    """All looks, sorted."""

    control: tuple[float, ...]
    loaded: tuple[float, ...]


def measure(wait: Wait, side: Side, pace: Pace) -> Waited:
    side.restart_pop3()  # what an earlier attack left behind is not this one's
    look, seconds = wait.watch(side), TURNS * pace.turn_seconds
    control = _looks(look, seconds)
    with _attacked(wait.attack, side):
        loaded = _looks(look, seconds)
    return Waited(control, loaded)


def _looks(look: Look, seconds: float) -> tuple[float, ...]:
    found, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until:
        try:
            found.append(look())
        except TimeoutError:
            found.append(1000 * LONGEST_SECONDS)
            break
        time.sleep(PAUSE_SECONDS)
    return tuple(sorted(found))


@contextmanager
def _attacked(attack: Attack, side: Side) -> Iterator[None]:
    door = getattr(side.doors, attack.door)
    job = json.dumps(asdict(replace(attack, host=door.host, port=door.port)))
    command = [sys.executable, "-m", "bench.strangers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as strangers:
        assert strangers.stdin
        assert strangers.stdout
        try:
            print(job, file=strangers.stdin, flush=True)
            if strangers.stdout.readline() != "ready\n":
                raise WrongAnswer("the attack did not begin")
            print("go", file=strangers.stdin, flush=True)
            yield
        finally:
            strangers.kill()


# --- who waits ----------------------------------------------------------------------------------------------------


def greeting(side: Side) -> Look:
    def once() -> None:
        talk = _patient(Talk(side.doors.pop3))
        talk.line()
        talk.close()

    return _timed(once)


def stat(side: Side) -> Look:
    talk = _patient(sign_in(side.doors.pop3, POLLED.users[-1], None))
    return _timed(lambda: talk.ask(b"STAT\r\n"))


def delivery(side: Side) -> Look:
    talk = _patient(Talk(side.doors.lmtp))
    talk.replies((b"220",))
    talk.socket.sendall(b"LHLO load.bench.test\r\n")
    talk.replies((b"250",))
    data = mail.stuffed(mail.tiny()[0])
    return _timed(lambda: send(talk, [INTO.users[0]], data))


def kernel_memory(_side: Side) -> Look:
    """Of all TCP sockets of this machine, in MB."""

    def look() -> float:
        lines = Path("/proc/net/sockstat").read_text().splitlines()
        words = next(line.split() for line in lines if line.startswith("TCP:"))
        return int(words[words.index("mem") + 1]) * PAGE_OCTETS / 1e6

    return look


def _patient(talk: Talk) -> Talk:
    talk.socket.settimeout(LONGEST_SECONDS)
    return talk


def _timed(once: Callable[[], object]) -> Look:
    def look() -> float:
        start = time.perf_counter()
        once()
        return 1000 * (time.perf_counter() - start)

    return look


# --- the scenarios ------------------------------------------------------------------------------------------------

_ENDLESS = Attack("flood", "pop3", 100, "CAPA", 20_000)
_BURST = Attack("burst", "pop3", 100, "CAPA", 200_000 // len("CAPA\r\n"))
# Eight, so that each of a few workers has some.
_NOOPS = Attack("flood", "pop3", 8, "NOOP", 20_000, users=list(POLLED.users[:8]))
_MTA = Attack("flood", "lmtp", 8, "NOOP", 20_000, opening="LHLO mta.bench.test")
_DEAF = Attack("deaf", "pop3", 100, "CAPA", 20_000)

WAITS = (
    Wait("flood", "Greeting; 100 strangers pipeline CAPA for ever", _ENDLESS, greeting, 50),
    Wait("flood", "STAT; 100 strangers pipeline CAPA for ever", _ENDLESS, stat, 50),
    Wait("flood", "Greeting; 100 strangers send 200 KB of CAPA", _BURST, greeting, 50),
    Wait("flood", "STAT; 8 signed-in sessions pipeline NOOP", _NOOPS, stat, 50),
    Wait("flood", "Delivery; 8 connections pipeline NOOP", _MTA, delivery, 100),
    Wait("flood", "Delivery; 8 connections pipeline RSET", replace(_MTA, line="RSET"), delivery, 100),
    Wait("flood", "Kernel memory; 100 strangers read nothing", _DEAF, kernel_memory, 20, "MB"),
)
