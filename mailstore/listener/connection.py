"""One connection on the loop: octets in, octets out, TLS, flow control. Knows no protocol and no limits' figures."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from functools import partial
from typing import TYPE_CHECKING, cast

from mailstore.errors import MailError
from mailstore.listener import socket_buffers
from mailstore.listener.body_transfer import Transfer
from mailstore.listener.handshake import Handshake, HandshakeFailed
from mailstore.policy.networks import is_loopback
from mailstore.ports import OpenBody, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailstore.listener.server import Endpoint, Server
    from mailstore.listener.turn_scheduler import TurnScheduler

log = logging.getLogger("popadmin.listener")

WHOLE_OCTETS = 128 * 1024  # up to here one read and one write are cheaper than sendfile and its waiting
LITTLE_OCTETS = 4096  # less than this is no burden, whoever does not read it
TLS_READ_BUFFER_OCTETS = 16 * 1024  # a record (RFC 8446 §5.1); more waits in the kernel
WRITE_BUFFER_OCTETS = 256 * 1024  # what may wait for a slow reader; more makes it congested


class Connection(asyncio.Protocol):
    """ports.Peer for its session, asyncio.Protocol for the loop."""

    __slots__ = (
        "_act",
        "_arrival",
        "_busy",
        "_closing",
        "_connected",
        "_ended",
        "_proxy_tls",
        "_reading",
        "_transfer",
        "_transport",
        "_turns",
        "_upgrading",
        "client",
        "congested",
        "encrypted",
        "last_at",
        "loopback",
        "octets_in",
        "octets_out",
        "proxy",
        "server",
        "session",
        "since",
        "stalled_at",
        "stalled_octets",
        "tls_ends_here",
    )

    def __init__(
        self,
        server: Server,
        endpoint: Endpoint,
        *,
        client: str,
        proxy: str | None = None,
        tls: str | None = None,
        arrival: asyncio.Task[None] | None = None,
    ) -> None:
        """`client` is the address a trusted proxy announced, or the socket's own, or "unix".

        `tls` is the version of the TLS that ended in the proxy: the client's octets came hidden, and go on in clear.
        `arrival` is the task that connects it, where that takes a while; a connection cut before that is done takes the
        task with it.
        """
        self.server = server
        self.client = client
        self.proxy = proxy
        self.loopback = proxy is None and is_loopback(client)
        self.tls_ends_here = endpoint.implicit_tls
        self.encrypted = endpoint.implicit_tls or tls is not None
        self._proxy_tls = tls
        self.octets_in = 0
        self.octets_out = 0
        self.since = self.last_at = self.stalled_at = server.now()
        self.stalled_octets = 0
        self.congested = False
        self._reading = True
        self._closing = False
        self._ended = False
        self._upgrading = False
        self._transfer: Transfer | None = None
        self._turns: TurnScheduler = server.strangers
        self._act: Callable[[], None] | None = None  # what goes on at the next turn
        self._connected = False
        self._arrival = arrival
        self._busy = endpoint.busy
        self._transport: asyncio.Transport  # there once connected
        self.session: Session = endpoint.session(self)

    # --- the loop's side ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._upgrading:  # the second call, at the end of a handshake
            return
        self._transport = cast("asyncio.Transport", transport)
        self._connected = True
        self._limit_buffers()
        if self._ended:  # cut during the handshake
            self._transport.abort()
            return
        try:
            if self.encrypted:
                self.session.tls_started(self._tls_version())
            self.session.connected()
        except Exception:
            self.fail()

    def data_received(self, data: bytes) -> None:
        if self._ended or self._closing:
            return
        self.octets_in += len(data)
        self.last_at = self.server.now()
        try:
            more = self.session.receive(data)
        except Exception:
            self.fail()
            return
        if not more:
            self._pause()

    def eof_received(self) -> bool:
        if self._ended or self._closing:
            return False
        try:
            self.session.half_closed()
        except Exception:
            self.fail()
        return not self.tls_ends_here  # TLS has no half-closed state here

    def pause_writing(self) -> None:
        self.congested = True

    def resume_writing(self) -> None:
        self.congested = False
        self.last_at = self.server.now()
        if self._ended:
            return
        if self._transfer is not None:
            self.transfer_on()
        else:
            self._proceed()

    def connection_lost(self, error: Exception | None) -> None:
        self.finish("closed" if self._closing else "lost" if error is None else f"lost: {type(error).__name__}")

    # --- the session's side (ports.Peer) --------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        if self._ended or self._closing:
            return
        self.octets_out += len(data)
        self._transport.write(data)
        if not self._reading:
            self._read_on()

    def send_body(self, head: bytes, body: OpenBody, count: int, tail: bytes) -> bool:
        if self._ended or self._closing:
            body.close()
            return False
        if count <= WHOLE_OCTETS:
            return self._send_whole(head, body, count, tail)
        self._transfer = Transfer(self, self._transport, body, count, tail)
        self._transfer.start(head)
        return False

    def has_turn(self, act: Callable[[], None]) -> bool:
        if self._act is not None:  # it waits already
            return False
        if self._turns.grant(self):
            return True
        self._act = act
        self._pause()
        self._turns.wait(self._take_turn)
        return False

    def next_turn(self, act: Callable[[], None]) -> None:
        self._turns.wait(partial(self._guarded, act))

    def admit(self) -> None:
        self._turns = self.server.members
        if self.server.limits.stranger_buffer_octets is not None:
            socket_buffers.widen(self._descriptor())

    def start_tls(self) -> None:
        self._upgrading = True
        self._transport.pause_reading()
        self.server.own(self._handshake())

    def close(self) -> None:
        if self._ended or self._closing:
            return
        self._closing = True
        self._transport.close()

    def fail(self) -> None:
        """A bug of ours: the session ends, nothing is removed, the log has the trace."""
        log.exception("a session failed")
        self.cut("failed")

    # --- the server's and the transfer's side ---------------------------------------------------------------------

    def transfer_on(self) -> None:
        """There is room for more of the body."""
        try:
            if self._transfer is not None:
                self._transfer.resume()
        except Exception:
            self.fail()

    def transferred(self, octets: int) -> None:
        """Some of a body left."""
        self.octets_out += octets
        self.last_at = self.server.now()

    def sent(self) -> None:
        """The body of `send_body` is out, as far as this process can tell."""
        self._transfer = None
        self._proceed()

    def restore_buffer(self) -> None:
        """A transfer that wrote to the socket itself is over."""
        if not self._ended:
            self._transport.set_write_buffer_limits(WRITE_BUFFER_OCTETS)

    def waiting_octets(self) -> int:
        """What the other side has not read yet."""
        return self._transport.get_write_buffer_size() if self._connected else 0

    def unread_octets(self) -> int:
        """What the other side has not taken in, in the kernel's buffer too; 0 where it was sent little in all."""
        if self.octets_out < LITTLE_OCTETS or not self._connected or self._ended:
            return 0
        unread = self.waiting_octets() + socket_buffers.unsent_octets(self._descriptor())
        return unread if unread >= LITTLE_OCTETS else 0

    def make_room(self) -> None:
        """Go, since others need the place; why is said where nothing else is being said."""
        if self._connected and not (self._upgrading or self._closing or self._transport.get_write_buffer_size()):
            if self.tls_ends_here:
                self._transport.write(self._busy)
            else:
                with contextlib.suppress(OSError):
                    os.write(self._descriptor(), self._busy)
        self.cut("made room")

    def cut(self, reason: str) -> None:
        """End at once; nothing more is said, and nobody waited for."""
        if self._ended:
            return
        self.finish(reason)
        if not self._connected:
            if self._arrival is not None:
                self._arrival.cancel()  # in its handshake: the socket closes with the task
            return
        if not (self._upgrading or self._transport.get_write_buffer_size()):
            self._transport.close()  # under TLS its close_notify is with the kernel now
        self._transport.abort()  # else a peer that does not answer it would hold the socket for half a minute

    def finish(self, reason: str) -> None:
        """Tell the session and the server, exactly once."""
        if self._ended:
            return
        self._ended = True
        if self._transfer is not None:
            self._transfer.give_up()
            self._transfer = None
        self.server.forget(self)
        try:
            self.session.ended(reason, self.octets_in, self.octets_out)
        except Exception:
            log.exception("the end of a session failed")
        del self.session  # which holds this connection: neither waits for a collection of the garbage

    # --- inside ---------------------------------------------------------------------------------------------------

    def _proceed(self) -> None:
        if self._ended or self._closing:
            return
        try:
            self.session.proceed()
        except Exception:
            self.fail()
            return
        self._read_on()

    def _take_turn(self) -> None:
        act, self._act = self._act, None
        if act is None or self._ended:
            return
        self._guarded(act)
        self._read_on()

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:
            self.fail()

    def _limit_buffers(self) -> None:
        self._transport.set_write_buffer_limits(WRITE_BUFFER_OCTETS)
        if self.tls_ends_here:  # what came is kept before it is decrypted, also while nothing is read of it
            self._transport.set_read_buffer_limits(TLS_READ_BUFFER_OCTETS)  # type: ignore[attr-defined]  # uvloop's

    def _descriptor(self) -> int:
        return int(self._transport.get_extra_info("socket").fileno())

    def _pause(self) -> None:
        if self._reading and not self._ended:
            self._reading = False
            self._transport.pause_reading()

    def _read_on(self) -> None:
        """Room was made for the lines that wait."""
        if self._reading or self._act is not None or self._ended or self._closing:
            return
        if self.session.wants_input():
            self._reading = True
            self._transport.resume_reading()

    def _send_whole(self, head: bytes, body: OpenBody, count: int, tail: bytes) -> bool:
        """A small body: one read, one write."""
        try:
            data = body.read(0, count)
        except MailError as error:
            log.error("sending a body failed: %s", error)  # noqa: TRY400 - the reason is in the error, not the trace
            self.cut("body failed")
            return False
        finally:
            body.close()
        if len(data) != count:
            log.error("sending a body failed: it is shorter than it was")
            self.cut("body failed")
            return False
        self.write(b"".join((head, data, tail)))
        return True

    async def _handshake(self) -> None:
        context = self.server.tls_context()
        work = asyncio.get_running_loop().start_tls(
            self._transport,
            self,
            context,
            server_side=True,
            ssl_handshake_timeout=self.server.limits.handshake_seconds,
        )
        try:
            transport = await Handshake().run(context, work)
        except HandshakeFailed as error:
            self.finish(f"TLS handshake: {error}")
            return
        if self._ended or transport is None:
            return
        self._transport = transport
        self._upgrading = False
        self.encrypted = self.tls_ends_here = True
        self._limit_buffers()
        self.last_at = self.server.now()
        try:
            self.session.tls_started(self._tls_version())
        except Exception:
            self.fail()

    def _tls_version(self) -> str:
        channel = self._transport.get_extra_info("ssl_object")
        return (channel.version() if channel is not None else self._proxy_tls) or "TLS"
