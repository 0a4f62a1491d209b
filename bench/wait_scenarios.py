"""Scenarios that measure how long a client waits while others attack the server; popadmin alone.

Each line is one attack and one waiting client. The control is the same wait just before the attack.
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
from bench.attacks import Attack
from bench.client import Client, WrongAnswer
from bench.load import send, sign_in
from bench.load_processes import ROOT
from bench.mailbox_groups import POLLED, RECIPIENTS
from bench.rounds import Pace
from bench.side import Side

GIVE_UP_SECONDS = 10  # a longer wait ends the line
PAUSE_SECONDS = 0.01  # between two probes
TURNS = 4  # a line takes as long as so many turns of a scenario
PAGE_OCTETS = 4096

Probe = Callable[[], float]  # returns one measurement: milliseconds, or MB


@dataclass(frozen=True, slots=True)
class WaitScenario:
    """`goal` is how much the 99th percentile under attack may be above that of the control."""

    scenario: str
    title: str
    attack: Attack
    watch: Callable[[Side], Probe]
    goal: float
    unit: str = "ms"


@dataclass(frozen=True, slots=True)
class WaitTimes:
    """All measurements, sorted."""

    control: tuple[float, ...]
    attacked: tuple[float, ...]


def measure(wait: WaitScenario, side: Side, pace: Pace) -> WaitTimes:
    side.restart_pop3()  # so that an earlier attack has no effect on this one
    probe, seconds = wait.watch(side), TURNS * pace.turn_seconds
    control = _probe_times(probe, seconds)
    with _under_attack(wait.attack, side):
        attacked = _probe_times(probe, seconds)
    return WaitTimes(control, attacked)


def _probe_times(probe: Probe, seconds: float) -> tuple[float, ...]:
    found, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until:
        try:
            found.append(probe())
        except TimeoutError:
            found.append(1000 * GIVE_UP_SECONDS)
            break
        time.sleep(PAUSE_SECONDS)
    return tuple(sorted(found))


@contextmanager
def _under_attack(attack: Attack, side: Side) -> Iterator[None]:
    address = getattr(side.addresses, attack.service)
    job = json.dumps(asdict(replace(attack, host=address.host, port=address.port)))
    command = [sys.executable, "-m", "bench.attacks"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as attackers:
        assert attackers.stdin
        assert attackers.stdout
        try:
            print(job, file=attackers.stdin, flush=True)
            if attackers.stdout.readline() != "ready\n":
                raise WrongAnswer("the attack did not begin")
            print("go", file=attackers.stdin, flush=True)
            yield
        finally:
            attackers.kill()


# --- the waiting clients ------------------------------------------------------------------------------------------


def greeting(side: Side) -> Probe:
    def once() -> None:
        client = _with_timeout(Client(side.addresses.pop3))
        client.line()
        client.close()

    return _timed(once)


def stat(side: Side) -> Probe:
    client = _with_timeout(sign_in(side.addresses.pop3, POLLED.users[-1], None))
    return _timed(lambda: client.ask(b"STAT\r\n"))


def delivery(side: Side) -> Probe:
    client = _with_timeout(Client(side.addresses.lmtp))
    client.replies((b"220",))
    client.socket.sendall(b"LHLO load.bench.test\r\n")
    client.replies((b"250",))
    data = mail.stuffed(mail.tiny()[0])
    return _timed(lambda: send(client, [RECIPIENTS.users[0]], data))


def kernel_memory(_side: Side) -> Probe:
    """Return the kernel memory of all TCP sockets of this machine, in MB."""

    def probe() -> float:
        lines = Path("/proc/net/sockstat").read_text().splitlines()
        words = next(line.split() for line in lines if line.startswith("TCP:"))
        return int(words[words.index("mem") + 1]) * PAGE_OCTETS / 1e6

    return probe


def _with_timeout(client: Client) -> Client:
    client.socket.settimeout(GIVE_UP_SECONDS)
    return client


def _timed(once: Callable[[], object]) -> Probe:
    def probe() -> float:
        start = time.perf_counter()
        once()
        return 1000 * (time.perf_counter() - start)

    return probe


# --- the scenarios ------------------------------------------------------------------------------------------------

_ENDLESS = Attack("flood", "pop3", 100, "CAPA", 20_000)
_BURST = Attack("burst", "pop3", 100, "CAPA", 200_000 // len("CAPA\r\n"))
# Eight sessions, so that each of a few workers has some.
_NOOPS = Attack("flood", "pop3", 8, "NOOP", 20_000, users=list(POLLED.users[:8]))
_MTA = Attack("flood", "lmtp", 8, "NOOP", 20_000, opening="LHLO mta.bench.test")
_DEAF = Attack("deaf", "pop3", 100, "CAPA", 20_000)

WAITS = (
    WaitScenario("flood", "Greeting; 100 strangers pipeline CAPA for ever", _ENDLESS, greeting, 50),
    WaitScenario("flood", "STAT; 100 strangers pipeline CAPA for ever", _ENDLESS, stat, 50),
    WaitScenario("flood", "Greeting; 100 strangers send 200 KB of CAPA", _BURST, greeting, 50),
    WaitScenario("flood", "STAT; 8 signed-in sessions pipeline NOOP", _NOOPS, stat, 50),
    WaitScenario("flood", "Delivery; 8 connections pipeline NOOP", _MTA, delivery, 100),
    WaitScenario("flood", "Delivery; 8 connections pipeline RSET", replace(_MTA, line="RSET"), delivery, 100),
    WaitScenario("flood", "Kernel memory; 100 strangers read nothing", _DEAF, kernel_memory, 20, "MB"),
)
