"""One worker's connections: who is let in, how long each may be silent, and how all of them end."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from mailstore.listener.acceptor import Acceptor
from mailstore.listener.connection import Connection
from mailstore.listener.connection_counts import ConnectionCounts
from mailstore.listener.handshake import Context
from mailstore.listener.turn_scheduler import TurnScheduler
from mailstore.policy.networks import is_loopback
from mailstore.ports import Peer, Session

log = logging.getLogger("popadmin.listener")

SWEEP_SECONDS = 1.0  # how late a time limit may strike
STRANGER_STALL_SECONDS = 5.0  # before a sign-in nobody is sent so much that it would take longer to read


@dataclass(frozen=True, slots=True)
class Limits:
    """Figures of one kind of listener, for one worker."""

    connections: int
    connections_per_ip: int
    login_seconds: float  # from accept to the sign-in, handshake included
    idle_seconds: float  # without an octet either way, once signed in
    handshake_seconds: float = 10.0
    trusted_proxies: tuple[str, ...] = ()
    stranger_buffer_octets: int | None = None  # of each of a socket's buffers until the sign-in; None: the system's


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One listening socket and what is spoken on it. `busy` is said to whom there is no room for.

    `proxied`: for proxies alone, each connection begins with a PROXY header.
    """

    sock: socket.socket
    implicit_tls: bool
    session: Callable[[Peer], Session]
    busy: bytes
    proxied: bool = False


class Server:
    """Owns every connection of a worker. Times are the loop's; `now` is an argument of `sweep` for tests."""

    def __init__(
        self, limits: Limits, crowd: ConnectionCounts, *, worker: int, tls: Context | None, now: Callable[[], float]
    ) -> None:
        self.limits = limits
        self.now = now
        self._crowd = crowd
        self._worker = worker
        self._tls = tls
        self._proxies = tuple(ipaddress.ip_network(network) for network in limits.trusted_proxies)
        self._connections: dict[Connection, bool] = {}  # in order of arrival; True: counted for its address
        self._gates: list[Acceptor] = []
        self.strangers = TurnScheduler()  # apart, so that they hold up nobody who has signed in
        self.members = TurnScheduler()
        self._tasks: set[asyncio.Task[None]] = set()
        self._left = asyncio.Event()

    def listen(self, endpoint: Endpoint) -> None:
        """Begin to accept."""
        gate = Acceptor(self, endpoint)
        gate.open()
        self._gates.append(gate)

    def tls_context(self) -> Context:
        if self._tls is None:
            raise RuntimeError("a session without TLS asked for it")
        return self._tls

    def own(self, work: Coroutine[Any, Any, None]) -> None:
        """Keep a task until its end; what it raises is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._owned)

    def trusts(self, address: str) -> bool:
        """Whether it is the address of a proxy of ours."""
        if not self._proxies:
            return False
        try:
            host = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(host in network for network in self._proxies)

    def busy(self) -> bool:
        """Whether lines wait for their turn, so that a turn of the loop is long."""
        return bool(self.strangers or self.members)

    # --- connections ----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._connections)

    def has_room(self, client: str) -> bool:
        """Whether one more may come in. When all places are taken the oldest stranger has to go."""
        if self._counted(client) and self._crowd.count(client) >= self.limits.connections_per_ip:
            log.warning("refused %s: %d connections of its own", client, self.limits.connections_per_ip)
            return False
        if len(self._connections) >= self.limits.connections and not self._shed():
            log.warning("refused %s: %d connections", client, len(self._connections))
            return False
        return True

    def enter(self, connection: Connection) -> None:
        counted = self._counted(connection.client)
        if counted:
            self._crowd.enter(self._worker, connection.client)
        self._connections[connection] = counted

    def forget(self, connection: Connection) -> None:
        self._left.set()
        if self._connections.pop(connection, False):
            self._crowd.leave(self._worker, connection.client)

    def _counted(self, client: str) -> bool:
        return not (is_loopback(client) or self.trusts(client))

    def _shed(self) -> bool:
        for connection in self._connections:
            if not connection.session.signed_in():
                connection.make_room()
                return True
        return False

    # --- time -----------------------------------------------------------------------------------------------------

    def sweep(self, now: float) -> None:
        """Called every second. End what is overdue: silently, without UPDATE (RFC 1939 §3)."""
        for gate in self._gates:
            gate.tend()
        for connection in [one for one in self._connections if self._overdue(one, now)]:
            connection.cut(self._reason(connection, now))

    def _reason(self, connection: Connection, now: float) -> str:
        if connection.session.signed_in():
            return "idle"
        return "login deadline" if now - connection.since > self.limits.login_seconds else "reads nothing"

    def _overdue(self, connection: Connection, now: float) -> bool:
        if connection.session.updating():
            return False
        if not connection.session.signed_in():
            return now - connection.since > self.limits.login_seconds or self._stalls(connection, now)
        waiting = connection.waiting_octets()
        if waiting < connection.stalled_octets:  # a slow reader that reads is not idle
            connection.last_at = now
        connection.stalled_octets = waiting
        return now - connection.last_at > self.limits.idle_seconds

    @staticmethod
    def _stalls(connection: Connection, now: float) -> bool:
        """Whether a stranger lets its replies lie."""
        unread = connection.unread_octets()
        if not unread or unread < connection.stalled_octets:
            connection.stalled_at = now
        connection.stalled_octets = unread
        return now - connection.stalled_at > STRANGER_STALL_SECONDS

    # --- the end --------------------------------------------------------------------------------------------------

    async def drain(self, seconds: float) -> None:
        """Accept no more; let sessions finish for a while, those that change something in any case."""
        self.stop_listening()
        deadline = self.now() + seconds
        for connection in [one for one in self._connections if not one.session.signed_in()]:
            connection.cut("shutdown")
        while self._connections and self.now() < deadline:
            await self._some_left(deadline - self.now())
        for connection in [one for one in self._connections if not one.session.updating()]:
            connection.cut("shutdown")
        while self._connections:  # a change of mail is never cut short; the database bounds its time
            await self._some_left(SWEEP_SECONDS)

    async def _some_left(self, seconds: float) -> None:
        self._left.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._left.wait(), seconds)

    def stop_listening(self) -> None:
        for gate in self._gates:
            gate.close()
        self._gates = []

    def _owned(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task of the listener failed", exc_info=error)
