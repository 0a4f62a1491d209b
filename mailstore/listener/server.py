"""The connections of one worker: which ones come in, how long each may be silent, and how all of them end."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from mailstore.listener.acceptor import Acceptor
from mailstore.listener.connection import Connection
from mailstore.listener.connection_counts import ConnectionCounts
from mailstore.listener.endpoint import Endpoint, Limits
from mailstore.listener.handshake import Context, HandshakeFailed, Mismatch
from mailstore.listener.refusal_budget import RefusalBudget
from mailstore.listener.turn_scheduler import TurnScheduler
from mailstore.policy.networks import is_loopback

log = logging.getLogger("popadmin.listener")

SWEEP_SECONDS = 1.0  # between two looks at the time limits, so a limit may take effect so much later
STRANGER_STALL_SECONDS = 5.0  # what is sent before a sign-in is short, and takes no longer to read


class Server:
    """Owns every connection of a worker. `now` gives the time of the loop, in seconds; tests give `sweep` their own.

    `crowded` is told the address of each connection that is refused since the address has too many. `mismatched` is
    told each client with which no TLS can begin, why, and the newest version that it offered.
    """

    def __init__(
        self,
        limits: Limits,
        counts: ConnectionCounts,
        *,
        worker: int,
        tls: Context | None,
        now: Callable[[], float],
        crowded: Callable[[str], None] = lambda _client: None,
        mismatched: Callable[[str, Mismatch, str], None] = lambda _client, _mismatch, _version: None,
    ) -> None:
        self.limits = limits
        self.now = now
        self._counts = counts
        self._worker = worker
        self._tls = tls
        self._crowded = crowded
        self._mismatched = mismatched
        self._proxies = tuple(ipaddress.ip_network(network) for network in limits.trusted_proxies)
        self._connections: dict[Connection, bool] = {}  # in order of arrival; True: counted for its address
        self._headers: dict[asyncio.Task[None], None] = {}  # tasks that wait for a PROXY header, the oldest first
        self._acceptors: list[Acceptor] = []
        self.strangers = TurnScheduler()  # apart, so that they never delay a signed-in user
        self.members = TurnScheduler()
        self.refusals = RefusalBudget()
        self._tasks: set[asyncio.Task[None]] = set()
        self._departure = asyncio.Event()

    def listen(self, endpoint: Endpoint) -> None:
        """Begin to accept on one socket."""
        acceptor = Acceptor(self, endpoint)
        acceptor.open()
        self._acceptors.append(acceptor)

    def tls_context(self) -> Context:
        if self._tls is None:
            raise RuntimeError("a session without TLS asked for it")
        return self._tls

    def own(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task and keep it until its end. An exception is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._log_end)

    def trusts(self, address: str) -> bool:
        """Say whether this is the address of a trusted proxy."""
        if not self._proxies:
            return False
        try:
            host = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(host in network for network in self._proxies)

    def begin_header(self, task: asyncio.Task[None]) -> None:
        """Let a task wait for a PROXY header. It takes no place yet. As many may wait as there are places."""
        if len(self._headers) >= self.limits.connections:
            log.warning("%d connections wait for their PROXY header, the oldest has to go", len(self._headers))
            oldest = next(iter(self._headers))
            del self._headers[oldest]
            oldest.cancel()
        self._headers[task] = None

    def end_header(self, task: asyncio.Task[None]) -> None:
        self._headers.pop(task, None)

    def busy(self) -> bool:
        """Say whether lines wait for their turn, so that one turn of the loop takes long."""
        return bool(self.strangers or self.members)

    # --- connections ----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._connections)

    def refusal(self, endpoint: Endpoint, client: str) -> bytes | None:
        """Return what to tell a client that may not come in. Where all places are taken, the oldest stranger goes."""
        if self._counts_for_address(client) and self._counts.count(client) >= self.limits.connections_per_ip:
            log.warning("refused %s: %d connections of its own", client, self.limits.connections_per_ip)
            self._crowded(client)
            return endpoint.crowded
        if len(self._connections) >= self.limits.connections and not self._end_oldest_stranger():
            log.warning("refused %s: %d connections", client, len(self._connections))
            return endpoint.busy
        return None

    def enter(self, connection: Connection) -> None:
        counted = self._counts_for_address(connection.client)
        if counted:
            self._counts.enter(self._worker, connection.client)
        self._connections[connection] = counted

    def forget(self, connection: Connection) -> None:
        self._departure.set()
        if self._connections.pop(connection, False):
            self._counts.leave(self._worker, connection.client)

    def handshake_failed(self, client: str, error: HandshakeFailed) -> None:
        if error.mismatch is not None:
            self._mismatched(client, error.mismatch, error.offered or "")

    def _counts_for_address(self, client: str) -> bool:
        return not (is_loopback(client) or self.trusts(client))

    def _end_oldest_stranger(self) -> bool:
        """Make room; False where every client has signed in."""
        for connection in self._connections:
            if not connection.session.signed_in():
                connection.make_room()
                return True
        return False

    # --- time -----------------------------------------------------------------------------------------------------

    def sweep(self, now: float) -> None:
        """End the connections that are overdue, silently and without UPDATE (RFC 1939 §3). Called every second."""
        self.refusals.renew()
        for acceptor in self._acceptors:
            acceptor.check()
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
        if waiting < connection.stalled_octets:  # a client that reads slowly is not idle
            connection.last_at = now
        connection.stalled_octets = waiting
        return now - connection.last_at > self.limits.idle_seconds

    @staticmethod
    def _stalls(connection: Connection, now: float) -> bool:
        """Say whether a client that has not signed in leaves its replies unread."""
        unread = connection.unread_octets()
        if not unread or unread < connection.stalled_octets:
            connection.stalled_at = now
        connection.stalled_octets = unread
        return now - connection.stalled_at > STRANGER_STALL_SECONDS

    # --- the end --------------------------------------------------------------------------------------------------

    async def drain(self, seconds: float) -> None:
        """Accept no more and let sessions finish for so many seconds. A session that changes mail always finishes."""
        self.stop_listening()
        deadline = self.now() + seconds
        for connection in [one for one in self._connections if not one.session.signed_in()]:
            connection.cut("shutdown")
        while self._connections and self.now() < deadline:
            await self._wait_for_departure(deadline - self.now())
        for connection in [one for one in self._connections if not one.session.updating()]:
            connection.cut("shutdown")
        while self._connections:  # they change mail and are never cut short; the database bounds their time
            await self._wait_for_departure(SWEEP_SECONDS)

    async def _wait_for_departure(self, seconds: float) -> None:
        self._departure.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._departure.wait(), seconds)

    def stop_listening(self) -> None:
        for acceptor in self._acceptors:
            acceptor.close()
        self._acceptors = []
        for task in self._headers:
            task.cancel()

    def _log_end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task of the listener failed", exc_info=error)
