"""The ports between the listener and a protocol: the connection, and the session on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mailstore.ports.bodies import OpenBody


class Peer(Protocol):
    """The connection, as a session sees it. Calls never raise; after `close` they do nothing."""

    client: str  # IP address, after PROXY; "unix" for a unix socket
    proxy: str | None  # the proxy's own address, where there is one
    loopback: bool  # this machine itself; False for whoever came by a proxy, whatever its header said
    encrypted: bool
    congested: bool  # the other side reads too slowly; the session then waits for `proceed`

    def write(self, data: bytes) -> None: ...

    def send_body(self, head: bytes, body: OpenBody, count: int, tail: bytes) -> bool:
        """Send head, the first `count` octets of the body, tail; close the body.

        True: all of it was written. False: it is under way; the session's `proceed` follows, perhaps before this
        returns, and until then the session must not write. The last octets of the body and `tail` leave in one write.
        If the body fails midway the connection is cut without `tail`, and nothing follows.
        """

    def has_turn(self, act: Callable[[], None]) -> bool:
        """Whether one more of several lines may be obeyed now.

        False: this turn is over. Others have theirs, nothing more is read, and then `act` is called, once, unless the
        connection is gone by then. A line that came alone, with nothing before it, needs no turn.
        """

    def next_turn(self, act: Callable[[], None]) -> None:
        """Call `act` when others have had their turn, also when the connection is gone by then."""

    def admit(self) -> None:
        """The client has signed in: what is kept small for strangers becomes full."""

    def start_tls(self) -> None:
        """Begin the handshake after what was written; the session's `tls_started` follows, or the end."""

    def close(self) -> None:
        """Send what was written, then end."""

    def cut(self, reason: str) -> None:
        """End at once: nothing more is sent, and the session's `ended` is called before this returns."""

    def fail(self) -> None:
        """A bug of ours, while its exception is handled: it is logged, and the connection ends at once."""


class Session(Protocol):
    """A protocol, as the listener drives it. Every call returns at once."""

    def connected(self) -> None: ...

    def receive(self, data: bytes) -> bool:
        """Take octets; returns what `wants_input` would say then."""

    def proceed(self) -> None:
        """The peer is no longer congested, or a body was sent."""

    def tls_started(self, version: str) -> None: ...

    def half_closed(self) -> None:
        """No more octets will come; what came is still answered."""

    def ended(self, reason: str, octets_in: int, octets_out: int) -> None:
        """The connection is gone; called exactly once."""

    def wants_input(self) -> bool:
        """False while a bounded buffer is full; the listener then stops reading."""

    def signed_in(self) -> bool: ...

    def updating(self) -> bool:
        """True while a durable change is being made; a shutdown waits for it."""
