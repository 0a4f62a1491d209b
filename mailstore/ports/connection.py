"""The ports between the listener and a protocol: the connection, and the session that runs on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mailstore.ports.bodies import OpenBody


class Peer(Protocol):
    """The connection, as a session sees it. Calls never raise; after `close` they do nothing."""

    client: str  # IP address, after PROXY; "unix" for a unix socket
    proxy: str | None  # the proxy's own address; None if there is none
    loopback: bool  # the client is on this machine; False for all that come by a proxy, whatever its header said
    encrypted: bool
    congested: bool  # the other side reads too slowly; the session then waits for `proceed`

    def server_name(self) -> str | None:
        """Return the name by which the client called this server in its TLS handshake (SNI); None if it gave none."""

    def listener_address(self) -> str | None:
        """Return the IP address of this machine to which the connection leads; None for a unix socket."""

    def write(self, data: bytes) -> None:
        """Send octets."""

    def send_body(self, head: bytes, body: OpenBody, count: int, tail: bytes) -> bool:
        """Send head, the first `count` octets of the body, and tail; close the body.

        Returns True if all of it was written. False: it is under way. The session's `proceed` follows, perhaps before
        this call returns, and until then the session must not write. The last octets of the body and `tail` leave in
        one write. If the body fails midway the connection is cut without `tail`, and nothing follows.
        """

    def has_turn(self, act: Callable[[], None]) -> bool:
        """Return True if one more of several lines may be obeyed now.

        False: this turn is over. Nothing more is read, other connections have their turns, and then `act` is called
        once, unless the connection is gone by then. A line that came alone, with nothing before it, needs no turn.
        """

    def next_turn(self, act: Callable[[], None]) -> None:
        """Call `act` after other connections had their turn, even if this one is gone by then."""

    def admit(self) -> None:
        """Note that the client has signed in: buffers that are small for strangers may grow for a long reply."""

    def start_tls(self) -> None:
        """Begin the TLS handshake after what was written; the session's `tls_started` or `ended` follows."""

    def close(self) -> None:
        """Send what was written, then end the connection."""

    def cut(self, reason: str) -> None:
        """End the connection at once without sending more; the session's `ended` is called before this returns."""

    def fail(self) -> None:
        """Log the current exception, which is a bug of ours, and end the connection at once."""


class Session(Protocol):
    """A protocol, as the listener drives it. Every call returns at once."""

    def connected(self) -> None:
        """Begin: the peer can be written to."""

    def receive(self, data: bytes) -> bool:
        """Take octets; return what `wants_input` would return now."""

    def proceed(self) -> None:
        """Go on: the peer is no longer congested, or a body was sent."""

    def tls_started(self, version: str) -> None:
        """Go on: the TLS handshake succeeded."""

    def half_closed(self) -> None:
        """Note that no more octets will come. What came before is still answered."""

    def ended(self, reason: str, octets_in: int, octets_out: int) -> None:
        """End: the connection is gone. Called exactly once."""

    def wants_input(self) -> bool:
        """Return False while a bounded buffer is full; the listener then stops reading."""

    def signed_in(self) -> bool:
        """Return True once the idle time limit is that of a user who signed in."""

    def updating(self) -> bool:
        """Return True while a durable change is being made; a shutdown waits for it."""
