"""A load process: it plays the clients of a job. It knows no server by name, and computes no figures.

Protocol with the benchmark: a job as one line of JSON in, `ready` out, one line in to begin, one line of JSON out.
A job with `hold` keeps its connections open until another line comes in.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from bench import mail
from bench.client import Address, Client, Tls

# The servers share two cores with us: a thread must get the interpreter soon after its reply came.
SWITCH_SECONDS = 0.0005


@dataclass(frozen=True, slots=True)
class Job:
    """The job of one load process. `steps` are (request, whether its reply has many lines) between sign-in and QUIT."""

    kind: str  # a key of PLAYERS
    host: str
    port: int
    users: list[str]
    threads: int
    seconds: float | None = None  # None: once through the users
    steps: list[tuple[str, bool]] = field(default_factory=list)
    tls: bool = False
    resume: bool = False
    hold: int = 0
    mail: str = "ordinary"


@dataclass(slots=True)
class Samples:
    """What one thread measured: one latency per session or delivery."""

    seconds: list[float] = field(default_factory=list)
    octets_in: int = 0
    resumed: int = 0


class Sessions:
    """Whole POP3 sessions, one after the other: connect, sign in, the steps, QUIT."""

    def __init__(self, job: Job) -> None:
        self._address = Address(job.host, job.port)
        self._tls = Tls(resume=job.resume) if job.tls else None
        self._steps = [(step.encode() + b"\r\n", lines) for step, lines in job.steps]

    def unit(self, user: str, samples: Samples) -> None:
        client = sign_in(self._address, user, self._tls)
        for request, lines in self._steps:
            client.ask(request, lines=lines)
        client.ask(b"QUIT\r\n")
        client.close()
        samples.octets_in += client.octets_in
        samples.resumed = self._tls.resumed if self._tls else 0


class Deliveries:
    """LMTP transactions on one lasting connection, like those of an MTA with connection caching."""

    def __init__(self, job: Job) -> None:
        self._talk = Client(Address(job.host, job.port))
        self._data = [mail.stuffed(plain) for plain in mail.collection(job.mail)]
        self._sent = 0
        self._talk.replies((b"220",))
        self._talk.socket.sendall(b"LHLO load.bench.test\r\n")
        self._talk.replies((b"250",))

    def unit(self, user: str, _played: Samples) -> None:
        """Send the next message of the collection to this recipient."""
        send(self._talk, [user], self._data[self._sent % len(self._data)])
        self._sent += 1


class Fill(Deliveries):
    """Deliver the whole collection, in order, to each recipient: their first mail, before a measurement."""

    def unit(self, user: str, samples: Samples) -> None:
        for _ in self._data:
            super().unit(user, samples)


PLAYERS = {"sessions": Sessions, "deliveries": Deliveries, "fill": Fill}


def sign_in(address: Address, user: str, tls: Tls | None, secret: str = mail.PASSWORD) -> Client:
    client = Client(address, tls)
    client.line()
    client.ask(f"USER {user}\r\n".encode())
    client.ask(f"PASS {secret}\r\n".encode())
    return client


def send(client: Client, recipients: list[str], data: bytes) -> None:
    """Make one transaction with a pipelined envelope (RFC 2033 §4.2: one last reply per recipient)."""
    envelope = ["MAIL FROM:<sender@example.org>", *(f"RCPT TO:<{each}>" for each in recipients), "DATA"]
    client.socket.sendall("".join(f"{line}\r\n" for line in envelope).encode())
    client.replies((b"250",) * (1 + len(recipients)) + (b"354",))
    client.socket.sendall(data)
    client.replies((b"250",) * len(recipients))


def play(job: Job, users: list[str], player: Sessions | Deliveries, samples: Samples) -> None:
    """Play the part of one thread: its users in turn, for some seconds, or once each."""
    until = time.perf_counter() + job.seconds if job.seconds else None
    while True:
        for user in users:
            start = time.perf_counter()
            if until and start >= until:
                return
            player.unit(user, samples)
            samples.seconds.append(time.perf_counter() - start)
        if until is None:
            return


def hold(job: Job) -> list[Client]:
    """Open `hold` signed-in sessions and leave them idle."""
    tls = Tls(resume=False) if job.tls else None
    address = Address(job.host, job.port)
    return [sign_in(address, job.users[index % len(job.users)], tls) for index in range(job.hold)]


def main() -> None:
    job = Job(**json.loads(sys.stdin.readline()))
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sys.setswitchinterval(SWITCH_SECONDS)
    answer = _hold(job) if job.hold else _play(job)
    print(json.dumps(answer), flush=True)


def _hold(job: Job) -> dict[str, Any]:
    print("ready", flush=True)
    sys.stdin.readline()
    clients = hold(job)
    print("held", flush=True)
    sys.stdin.readline()
    for client in clients:
        client.close()
    return {"failures": []}


def _play(job: Job) -> dict[str, Any]:
    parts = [job.users[index :: job.threads] for index in range(job.threads)]
    parts = [part for part in parts if part]
    players = [PLAYERS[job.kind](job) for _ in parts]
    samples = [Samples() for _ in parts]
    failures: list[str] = []
    threads = [
        threading.Thread(target=_guarded, args=(failures, job, part, player, result))
        for part, player, result in zip(parts, players, samples, strict=True)
    ]
    print("ready", flush=True)
    sys.stdin.readline()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "seconds": [value for result in samples for value in result.seconds],
        "octets_in": sum(result.octets_in for result in samples),
        "resumed": sum(result.resumed for result in samples),
        "failures": failures,
    }


def _guarded(failures: list[str], *part: Any) -> None:
    try:
        play(*part)
    except (OSError, RuntimeError) as error:
        failures.append(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
