"""The scenario `guess`: how long users wait for their first sign-in while others guess passwords. popadmin alone.

Each line is an attack on a POP3 server that was just started, and its control: first sign-ins without the attack. Every
guess and every new user comes from a network of its own. A new user is not a known pair, and no worker has verified the
password, so each sign-in costs a slow hash.
"""

from __future__ import annotations

import selectors
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import certificate, mail, meter, ours
from bench.client import Address
from bench.mailbox_groups import Group
from bench.side import Side

NAME = "guess"
NEWCOMERS = Group("newcomer", 80, slow_hash=True)
GUESSED = Group("guessed", 20, slow_hash=True)
GUESSES_A_SECOND = 167
PARALLEL = 200
SIGN_INS = 20  # of the control, and as many under attack
PAUSE_SECONDS = 0.2  # between two sign-ins
GOAL_SECONDS = 1.0
LONGEST_SECONDS = 60.0
TURN_SECONDS = 0.05  # how long an attacker is busy at a time
READ_OCTETS = 4096
HOSTS = 250  # how many values of an octet of an address are used


@dataclass(frozen=True, slots=True)
class SignInTimes:
    """The seconds that first sign-ins took, sorted; `refused` counts other answers than +OK."""

    seconds: tuple[float, ...]
    refused: int

    def __str__(self) -> str:
        times = f"median {median(self.seconds):5.2f} s, slowest {self.seconds[-1]:5.2f} s"
        return f"{times}, {self.refused} of {len(self.seconds)} refused"


class GuessAndLeave:
    """Makes some guesses a second, each from another network, and closes without waiting for the answer."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._begun = time.perf_counter()
        self._attempts = 0

    def step(self) -> None:
        """Make the guesses that are due."""
        due = int((time.perf_counter() - self._begun) * GUESSES_A_SECOND)
        until = time.perf_counter() + TURN_SECONDS
        while self._attempts < due and time.perf_counter() < until:
            self._attempts += 1
            with suppress(OSError), connect_from(self._address, source_address(self._attempts)) as sock:
                sock.recv(READ_OCTETS)  # the greeting
                sock.sendall(guess(self._attempts))
                sock.recv(READ_OCTETS)  # the answer to USER
        time.sleep(1 / GUESSES_A_SECOND)


class GuessAndWait:
    """Parallel connections, each from a network of its own: guess, wait for the answer, guess again."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._attempts = 0
        self._selector = selectors.DefaultSelector()
        for number in range(PARALLEL):
            self._open(number)

    def step(self) -> None:
        """Guess on each connection that got an answer."""
        for key, _events in self._selector.select(TURN_SECONDS):
            sock: socket.socket = key.fileobj  # type: ignore[assignment]  # nothing else was registered
            try:
                data = sock.recv(READ_OCTETS)
                if data.startswith(b"+OK popadmin"):
                    self._attempts += 1
                    sock.sendall(guess(self._attempts))
                elif not data or b"-ERR" in data:
                    raise ConnectionResetError
            except OSError:
                self._selector.unregister(sock)
                sock.close()
                self._open(key.data)

    def _open(self, number: int) -> None:
        self._selector.register(connect_from(self._address, source_address(number)), selectors.EVENT_READ, number)


ATTACKS: tuple[tuple[str, Callable[[Address], GuessAndLeave | GuessAndWait]], ...] = (
    (f"{GUESSES_A_SECOND} guesses a second that close at once", GuessAndLeave),
    (f"{PARALLEL} parallel guesses that wait", GuessAndWait),
)


def report() -> None:
    """Measure both attacks, and print a line for each attack and each control."""
    with _site() as site:
        for number, (title, attack) in enumerate(ATTACKS):
            first = 2 * SIGN_INS * number  # no user signs in twice
            site.restart_pop3()
            control = first_sign_ins(site, NEWCOMERS.users[first : first + SIGN_INS])
            site.restart_pop3()
            with during(attack(site.addresses.pop3)):
                attacked = first_sign_ins(site, NEWCOMERS.users[first + SIGN_INS : first + 2 * SIGN_INS])
            print(f"{NAME:17} first sign-in: {control}", flush=True)
            print(f"{NAME:17} beside {title}: {attacked}; goal <= {GOAL_SECONDS} s", flush=True)


@contextmanager
def _site() -> Iterator[ours.Ours]:
    with tempfile.TemporaryDirectory(prefix="popadmin-bench-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)  # Postgres runs as somebody else
        site = ours.Ours(Path(folder) / "ours", meter.new("ours"), certificate.make(Path(folder)))
        stack.callback(site.meter.close)
        stack.callback(site.stop)
        site.start()
        site.accounts([NEWCOMERS, GUESSED])
        yield site


def first_sign_ins(side: Side, users: Sequence[str]) -> SignInTimes:
    """Sign in each user once, without waiting for one sign-in before the next begins."""
    answers: list[tuple[float, bool]] = []

    def keep(user: str, number: int) -> None:
        answers.append(first_sign_in(side, user, number))

    threads = [threading.Thread(target=keep, args=(user, number)) for number, user in enumerate(users)]
    for thread in threads:
        thread.start()
        time.sleep(PAUSE_SECONDS)
    for thread in threads:
        thread.join()
    return SignInTimes(tuple(sorted(took for took, _in in answers)), sum(not right for _took, right in answers))


def first_sign_in(side: Side, user: str, number: int) -> tuple[float, bool]:
    """Return the seconds from connecting to the answer, and whether it was +OK."""
    start = time.perf_counter()
    with suppress(OSError), connect_from(side.addresses.pop3, f"127.200.{1 + number % HOSTS}.1") as sock:
        lines = sock.makefile("rb")
        lines.readline()
        sock.sendall(f"USER {user}\r\nPASS {mail.PASSWORD}\r\n".encode())
        lines.readline()
        answer = lines.readline()
        return time.perf_counter() - start, answer.startswith(b"+OK")
    return time.perf_counter() - start, False


@contextmanager
def during(attack: GuessAndLeave | GuessAndWait) -> Iterator[None]:
    """Let the attack run in the background."""
    over = threading.Event()

    def step() -> None:
        while not over.is_set():
            attack.step()

    thread = threading.Thread(target=step)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def connect_from(address: Address, source: str) -> socket.socket:
    """Connect from this address of the machine."""
    return socket.create_connection((address.host, address.port), timeout=LONGEST_SECONDS, source_address=(source, 0))


def source_address(number: int) -> str:
    """Return an address in another network for each number; the networks repeat after some thousand."""
    return f"127.{1 + number // HOSTS % 100}.{1 + number % HOSTS}.7"


def guess(number: int) -> bytes:
    return f"USER {GUESSED.users[number % GUESSED.count]}\r\nPASS wrong-{number}\r\n".encode()
