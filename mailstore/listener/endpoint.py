"""What a listener is given before it starts, its limits and its sockets; and what its parts ask of their server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from mailstore.listener.handshake import Context, HandshakeFailed
from mailstore.listener.refusal_budget import RefusalBudget
from mailstore.listener.turn_scheduler import TurnScheduler
from mailstore.ports import Peer, Session

C_contra = TypeVar("C_contra", contravariant=True)  # the connection


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one kind of listener, for one worker."""

    connections: int
    connections_per_ip: int
    login_seconds: float  # from accept to the sign-in, handshake included
    idle_seconds: float  # without an octet either way, after the sign-in
    handshake_seconds: float = 10.0
    trusted_proxies: tuple[str, ...] = ()
    stranger_buffer_octets: int | None = None  # of each kernel buffer of a socket until the sign-in; None: the system's


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One listening socket and the protocol on it.

    `session` makes the session of a new connection. `busy` is the reply to a client for which there is no room,
    `crowded` the one to a client whose address has too many connections. `proxied`: only proxies connect here, and each
    connection begins with a PROXY header. `tls` is for implicit TLS here; None: that of the server.
    """

    sock: socket.socket
    implicit_tls: bool
    session: Callable[[Peer], Session]
    busy: bytes
    crowded: bytes
    proxied: bool = False
    tls: Context | None = None


class Owner(Protocol[C_contra]):
    """What a connection asks of the server that owns it. `strangers` schedules the turns before sign-in."""

    limits: Limits
    now: Callable[[], float]
    strangers: TurnScheduler
    members: TurnScheduler

    def own(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task and keep it until its end."""

    def tls_context(self) -> Context: ...

    def handshake_failed(self, client: str, error: HandshakeFailed) -> None:
        """Note that TLS did not begin with this client."""

    def forget(self, connection: C_contra) -> None:
        """Note that a connection is gone."""


class Admission(Owner[C_contra], Protocol[C_contra]):
    """What an acceptor asks of the server for which it accepts."""

    refusals: RefusalBudget

    def refusal(self, endpoint: Endpoint, client: str) -> bytes | None:
        """Return what to tell this client if it may not come in; None if it may."""

    def enter(self, connection: C_contra) -> None:
        """Count a connection until `forget`."""

    def begin_header(self, task: asyncio.Task[None]) -> None:
        """Let a task wait for a PROXY header. The oldest such task is cancelled where too many wait."""

    def end_header(self, task: asyncio.Task[None]) -> None:
        """Note that this task no longer waits."""

    def trusts(self, address: str) -> bool:
        """Say whether this is the address of a trusted proxy."""

    def busy(self) -> bool:
        """Say whether lines wait for their turn, so that one turn of the loop takes long."""
