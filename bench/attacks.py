"""An attack process: it plays the clients of an attack, and measures nothing.

Protocol with the benchmark: an attack as one line of JSON in, `ready` out when its connections are open, one line in to
begin, and one more to end.
"""

from __future__ import annotations

import json
import resource
import selectors
import socket
import sys
from dataclasses import dataclass, field
from typing import Protocol

from bench.client import Address, Client
from bench.load import sign_in

READ_OCTETS = 64 * 1024
LOOK_SECONDS = 0.05  # how late it notices the line that ends it


@dataclass(frozen=True, slots=True)
class Attack:
    """What all attackers do at once. `kind` is a key of ATTACKERS; `line` is sent `repeat` times in one block."""

    kind: str
    service: str  # a field of side.Addresses
    connections: int
    line: str = ""
    repeat: int = 1
    opening: str = ""  # sent first, and answered with one reply
    users: list[str] = field(default_factory=list)  # they sign in first; empty: nobody signs in
    host: str = ""  # host and port are set when the side is known
    port: int = 0


class Attacker(Protocol):
    def step(self) -> None:
        """Attack for at most LOOK_SECONDS."""


class Flood:
    """Sends its block again and again, reads the replies, and connects again when the server cuts it off."""

    again = True
    reads = True

    def __init__(self, attack: Attack) -> None:
        self._attack = attack
        self._block = memoryview(f"{attack.line}\r\n".encode() * attack.repeat)
        self._selector = selectors.DefaultSelector()
        for number in range(attack.connections):
            self._open(number)

    def step(self) -> None:
        for key, events in self._selector.select(LOOK_SECONDS):
            sock: socket.socket = key.fileobj  # type: ignore[assignment]  # nothing else was registered
            number, sent = key.data
            try:
                if events & selectors.EVENT_READ and not sock.recv(READ_OCTETS):
                    raise ConnectionResetError
                if events & selectors.EVENT_WRITE:
                    self._sent(sock, number, sent + sock.send(self._block[sent:]))
            except BlockingIOError:
                continue
            except OSError:
                self._lost(sock, number)

    def _sent(self, sock: socket.socket, number: int, octets: int) -> None:
        done = octets == len(self._block)
        events = (selectors.EVENT_READ if self.reads else 0) | (0 if done and not self.again else selectors.EVENT_WRITE)
        if events:
            self._selector.modify(sock, events, (number, 0 if done else octets))
        else:
            self._selector.unregister(sock)

    def _lost(self, sock: socket.socket, number: int) -> None:
        self._selector.unregister(sock)
        sock.close()
        if self.again:
            self._open(number)

    def _open(self, number: int) -> None:
        sock = self._connected(number)
        sock.setblocking(False)
        events = selectors.EVENT_WRITE | (selectors.EVENT_READ if self.reads else 0)
        self._selector.register(sock, events, (number, 0))

    def _connected(self, number: int) -> socket.socket:
        address, users = Address(self._attack.host, self._attack.port), self._attack.users
        if users:
            return sign_in(address, users[number % len(users)], None).socket
        if not self._attack.opening:
            return socket.create_connection((address.host, address.port))
        client = Client(address)
        client.line()
        client.socket.sendall(f"{self._attack.opening}\r\n".encode())
        client.replies((b"250",))
        return client.socket


class Burst(Flood):
    """Sends its block once and reads the replies."""

    again = False


class Deaf(Flood):
    """Sends for ever and reads nothing."""

    again = False
    reads = False
    own_octets = 4096  # its own send buffer is small, so that the memory in use is that of the server

    def _connected(self, number: int) -> socket.socket:
        sock = super()._connected(number)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.own_octets)
        return sock

    def _sent(self, sock: socket.socket, number: int, octets: int) -> None:
        self._selector.modify(sock, selectors.EVENT_WRITE, (number, octets % len(self._block)))


ATTACKERS: dict[str, type[Flood]] = {"flood": Flood, "burst": Burst, "deaf": Deaf}


def main() -> None:
    attack = Attack(**json.loads(sys.stdin.readline()))
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    attacker: Attacker = ATTACKERS[attack.kind](attack)
    print("ready", flush=True)
    sys.stdin.readline()
    with selectors.DefaultSelector() as stdin:
        stdin.register(sys.stdin, selectors.EVENT_READ)
        while not stdin.select(0):
            attacker.step()


if __name__ == "__main__":
    main()
