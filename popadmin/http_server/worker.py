"""gunicorn's threaded worker, whose threads never wait for a peer: `--worker-class=popadmin.http_server.worker.Worker`.

gunicorn itself still parses, answers and logs requests, and starts, reloads and stops the process.
"""

from __future__ import annotations

import errno
import importlib
import logging
import resource
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from popadmin.http_server.admission import LOOPBACK, Addresses, Room
from popadmin.http_server.arrival import arrived_at
from popadmin.http_server.connection import Connection
from popadmin.http_server.connection_step import GIVES_WAY, Step
from popadmin.http_server.downloads import Downloads
from popadmin.http_server.exchange import Exchange
from popadmin.http_server.incoming import Incoming
from popadmin.http_server.limits import UNSENT_OCTETS, Limits
from popadmin.http_server.shared_parts import HEALTH, READY

log = logging.getLogger("popadmin.http_server")

SPARE_DESCRIPTORS = 256  # for the database, the downloads, the modules that are loaded late
SWEEP_SECONDS = 0.25  # how exact the deadlines are
WARNING_SECONDS = 60.0  # between two lines of the log on refused connections
NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
# accept(2): what was pending is gone, or the network gave an error in its place.
NO_CONNECTION = frozenset(
    {
        *(errno.EAGAIN, errno.ECONNABORTED, errno.EPROTO, errno.EPERM),
        *(errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH),
    }
)


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """One process of the web port."""

    limits = Limits()
    trusted_networks: tuple[str, ...] = LOOPBACK  # any number of connections, as the proxies of the settings
    worker_connections: int

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        super().check_config(cfg, log)
        if cfg.is_ssl:
            raise RuntimeError("popadmin.http_server speaks no TLS: let a proxy in front do that")

    def init_signals(self) -> None:
        """Hold hangups back: the master replaces its workers at SIGHUP, but one that gets it itself would end.

        `systemctl kill --signal=HUP` sends it to every process of a service.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        super().init_signals()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        # Settings are read here, in the worker: what is imported above the workers stays as it is at a reload.
        self._site: Any = importlib.import_module("popadmin.http_server.site")
        self._connections: dict[Connection, None] = {}  # longest waiting for a request first
        self._addresses = Addresses(
            self.limits.connections_of_an_address, [*self.trusted_networks, *self._site.trusted_proxies()]
        )
        self._downloads = Downloads(self._site.downloads_folder(), self.limits)
        self._ready_pool = ThreadPoolExecutor(1)
        self.anonymous_room = Room(self.limits.anonymous_room_octets)
        self.upload_room = Room(self.limits.upload_room_octets)
        self._next_sweep = self._next_warning = 0.0
        self.worker_connections = _affordable(self.worker_connections)

    # --- connections ----------------------------------------------------------------------------------------------

    def accept(self, listener: Any) -> None:
        """Accept a connection. At the limit, the connection that has waited longest for a request is closed."""
        try:
            sock, peer = listener.accept()
        except OSError as error:
            self._not_accepted(error)
            return
        sock.setblocking(False)
        with suppress(OSError):  # a unix socket has no such option
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_OCTETS)
        address = self._addresses.enter(peer)
        if address is None:
            self._turn_away(sock, peer)
            return
        # gunicorn stops accepting at the bound, so this keeps one below it.
        if self.nr_conns + 1 >= self.worker_connections:
            self._make_room()
        self.nr_conns += 1
        self._connections[Connection(self, sock, peer=peer, server=listener.getsockname(), address=address)] = None

    def closed(self, connection: Connection) -> None:
        self._connections.pop(connection, None)
        self._addresses.leave(connection.address)
        self.nr_conns -= 1

    def report(self, connection: Connection, event: str, **data: object) -> None:
        client = connection.peer[0] if isinstance(connection.peer, tuple) else "unix"
        log.info(event, extra={"data": {"client": client, **data}})

    def note_waiting(self, connection: Connection) -> None:
        self._connections[connection] = self._connections.pop(connection, None)

    def watch(self, connection: Connection, events: int) -> None:
        if events == connection.events:
            return
        if not events:
            self.poller.unregister(connection.sock)
        elif connection.events:
            self.poller.modify(connection.sock, events, connection.ready)
        else:
            self.poller.register(connection.sock, events, connection.ready)
        connection.events = events

    def _make_room(self) -> None:
        oldest = next((each for each in self._connections if each.step in GIVES_WAY), None)
        if oldest:
            oldest.close()

    def _not_accepted(self, error: OSError) -> None:
        if error.errno in NO_DESCRIPTOR:
            self._make_room()
            self._warn("no connection can be accepted: %s", error.strerror)
        elif error.errno not in NO_CONNECTION:
            raise error

    def _turn_away(self, sock: socket.socket, peer: Any) -> None:
        """Refuse a connection of an address that has reached its limit, without waiting for the peer."""
        with sock:
            try:
                sock.send(self.refusal(Incoming(self.cfg), HTTPStatus.TOO_MANY_REQUESTS))
                sock.shutdown(socket.SHUT_WR)
            except OSError:
                return
        self._warn("connections refused: %s has too many", peer[0])

    def _warn(self, text: str, *arguments: object) -> None:
        if time.monotonic() >= self._next_warning:
            self._next_warning = time.monotonic() + WARNING_SECONDS
            log.warning(text, *arguments)

    # --- requests -------------------------------------------------------------------------------------------------

    def exchange(self, connection: Connection, request: bytes) -> Exchange:
        cookie = connection.incoming.header("cookie")
        return Exchange(
            request,
            session=self._site.session_key(cookie) or connection.address,
            downloads=self._downloads,
            memory_octets=self.limits.memory_octets,
            on_growth=partial(self.later, connection.answer_grown),
        )

    def work(self, connection: Connection, exchange: Exchange) -> Future[bool]:
        turn = TConn(self.cfg, exchange, connection.peer, connection.server)
        turn.data_ready = True
        finished = partial(self.later, connection.answer_finished, exchange)
        path = connection.incoming.path
        # A proxy may pass on SCRIPT_NAME, with which the same path is another page.
        if path == HEALTH and not connection.incoming.header("script_name"):
            answer: Future[bool] = Future()
            answer.set_result(self.handle(turn))  # needs no query, so it takes no time
        elif path == READY:
            answer = self._ready_pool.submit(self._handle_ready, turn, time.monotonic())
        else:
            answer = self.tpool.submit(self.handle, turn)
        answer.add_done_callback(finished)
        return answer

    def _handle_ready(self, turn: TConn, came_at: float) -> bool:
        arrived_at.set(came_at)
        return bool(self.handle(turn))

    def check_sign_in(self, connection: Connection) -> None:
        answer = self.tpool.submit(self._site.signed_in, connection.incoming.header("cookie"))
        answer.add_done_callback(partial(self.later, connection.sign_in_checked))

    def refusal(self, incoming: Incoming, status: HTTPStatus) -> bytes:
        page: bytes = self._site.refusal(
            status,
            languages=incoming.header("accept-language"),
            cookie=incoming.header("cookie"),
            with_page=incoming.method != "HEAD",
        )
        return page

    def later(self, callback: Callable[..., None], *arguments: object) -> None:
        self.method_queue.defer(callback, *arguments)

    # --- the clock, and the end: `run` of gunicorn calls these ----------------------------------------------------

    def murder_pending(self) -> None:
        """End the connections whose deadline has passed."""
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP_SECONDS
        for connection in [each for each in self._connections if each.deadline <= now]:
            connection.expire()
        self._bound_memory()

    def _bound_memory(self) -> None:
        """Cut the oldest answers that peers leave in memory, until the rest fits within the limit."""
        held = {each: each.held_octets for each in self._connections if each.step is Step.ANSWERING}
        surplus = sum(held.values()) - self.limits.answers_room_octets
        for connection, octets in held.items():
            if surplus <= 0:
                return
            connection.reset()
            surplus -= octets

    def murder_keepalived(self, force: bool = False) -> None:
        """End all connections; called at the very end."""
        if force:
            for connection in list(self._connections):
                connection.close()
            self._ready_pool.shutdown(wait=False)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        super().wait_for_and_dispatch_events(min(timeout, SWEEP_SECONDS) if self._connections else timeout)

    def _cap_keepalive(self, deadline: float) -> None:
        """Let the running requests finish. gunicorn calls it when the process stops."""
        for connection in self._connections:
            connection.wind_down(deadline)


def _affordable(connections: int) -> int:
    """Return how many connections the descriptor limit allows; raise the soft limit where possible."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return max(1, min(connections, soft - SPARE_DESCRIPTORS))
    return connections
