"""One connection on the loop: bytes in, bytes out, TLS, flow control. It knows no protocol."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import cast

from mailstore.listener import handshake, socket_buffers
from mailstore.listener.body_transfer import RECORD_OCTETS, TAIL_OCTETS, Transfer, read_whole
from mailstore.listener.endpoint import Endpoint, Owner
from mailstore.policy.networks import is_loopback
from mailstore.ports import OpenBody, Session

log = logging.getLogger("popadmin.listener")

WHOLE_OCTETS = 128 * 1024  # up to here one read and one write are cheaper than sendfile and its waits


class Connection(asyncio.Protocol):
    """The `ports.Peer` of its session, and the asyncio.Protocol of its transport.

    `since` is when it began. `last_at` is when octets last went either way. Both are in the owner's time. The owner
    notes in `stalled_octets` how many octets wait for the other side, and in `stalled_at` since when.
    """

    __slots__ = (
        "_arrival", "_busy_reply", "_closing", "_connected", "_ended", "_may_widen", "_next_act", "_owner",
        "_proxy_tls", "_reading", "_scheduler", "_transfer", "_transport", "_upgrading", "client", "congested",
        "encrypted", "last_at", "loopback", "octets_in", "octets_out", "proxy", "session", "since", "stalled_at",
        "stalled_octets", "tls_ends_here",
    )  # fmt: skip

    def __init__(
        self,
        owner: Owner[Connection],
        endpoint: Endpoint,
        *,
        client: str,
        proxy: str | None = None,
        tls: str | None = None,
        arrival: asyncio.Task[None] | None = None,
    ) -> None:
        """`client` is the address that a trusted proxy announced, or the socket's own, or "unix".

        `tls` is the version of the TLS that ended in the proxy: the client's octets came encrypted, and come here in
        clear. `arrival` is the task that connects it, where that takes a while; `cut` cancels it until then.
        """
        self._owner = owner
        self.client = client
        self.proxy = proxy
        self.loopback = proxy is None and is_loopback(client)
        self.tls_ends_here = endpoint.implicit_tls
        self.encrypted = endpoint.implicit_tls or tls is not None
        self._proxy_tls = tls
        self.octets_in = 0
        self.octets_out = 0
        self.since = self.last_at = self.stalled_at = owner.now()
        self.stalled_octets = 0
        self._reading = True
        self.congested = self._connected = self._upgrading = self._closing = self._ended = self._may_widen = False
        self._transfer: Transfer | None = None
        self._scheduler = owner.strangers
        self._next_act: Callable[[], None] | None = None  # what goes on at the next turn
        self._arrival = arrival
        self._busy_reply = endpoint.busy
        self._transport: asyncio.Transport  # once connected
        self.session: Session = endpoint.session(self)

    # --- called by the loop ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._upgrading:  # the loop calls again at the end of a handshake
            return
        self._transport = cast("asyncio.Transport", transport)
        self._connected = True
        socket_buffers.limit(self._transport, tls=self.tls_ends_here)
        if self._ended:  # cut during the handshake
            self._transport.abort()
            return
        self._guard(self._begin_session)

    def data_received(self, data: bytes) -> None:
        if self._ended or self._closing:
            return
        self.octets_in += len(data)
        self.last_at = self._owner.now()
        try:
            if not self.session.receive(data):
                self._pause_reading()
        except Exception:
            self.fail()

    def eof_received(self) -> bool:
        if self._ended or self._closing:
            return False
        self._guard(self.session.half_closed)
        return not self.tls_ends_here  # TLS has no half-closed state here

    def pause_writing(self) -> None:
        self.congested = True

    def resume_writing(self) -> None:
        self.congested = False
        self.last_at = self._owner.now()
        if self._transfer is not None:
            self.resume_transfer()
        else:
            self._proceed()

    def connection_lost(self, error: Exception | None) -> None:
        self.finish("closed" if self._closing else "lost" if error is None else f"lost: {type(error).__name__}")

    # --- called by the session (ports.Peer) -----------------------------------------------------------------------

    def server_name(self) -> str | None:
        return handshake.server_name(self._transport)

    def listener_address(self) -> str | None:
        address = self._transport.get_extra_info("sockname")
        return str(address[0]).removeprefix("::ffff:") if isinstance(address, tuple) else None

    def write(self, data: bytes) -> None:
        if self._ended or self._closing:
            return
        octets = len(data)
        if octets > socket_buffers.NARROW_OCTETS and self._may_widen:
            self._widen()
        self.octets_out += octets
        self._transport.write(data)
        if not self._reading:
            self._resume_reading()

    def send_body(self, head: bytes, body: OpenBody, count: int, tail: bytes) -> bool:
        if self._ended or self._closing:
            body.close()
            return False
        if count > WHOLE_OCTETS:
            if self._may_widen:
                self._widen()
            self._transfer = Transfer(self, self._transport, body, count, tail)
            self._transfer.start(head)
            return False
        data = read_whole(body, count)
        if data is None:
            self.cut("body failed")
            return False
        whole = b"".join((head, data, tail))
        if self.tls_ends_here and len(whole) > RECORD_OCTETS:
            self.write(whole[:-TAIL_OCTETS])
            whole = whole[-TAIL_OCTETS:]
        self.write(whole)
        return True

    def has_turn(self, act: Callable[[], None]) -> bool:
        if self._next_act is not None:  # it waits already
            return False
        if self._scheduler.grant(self):
            return True
        self._next_act = act
        self._pause_reading()
        self._scheduler.wait(self._take_turn)
        return False

    def next_turn(self, act: Callable[[], None]) -> None:
        self._scheduler.wait(partial(self._guard, act))

    def admit(self) -> None:
        self._scheduler = self._owner.members
        self._may_widen = self._owner.limits.stranger_buffer_octets is not None

    def start_tls(self) -> None:
        self._upgrading = True
        self._transport.pause_reading()
        self._owner.own(self._upgrade())

    def close(self) -> None:
        if self._ended or self._closing:
            return
        self._closing = True
        self._transport.close()

    def fail(self) -> None:
        """Log the trace of a bug of ours, and end the session; nothing is removed."""
        log.exception("a session failed")
        self.cut("failed")

    # --- called by the owner and the transfer ---------------------------------------------------------------------

    def resume_transfer(self) -> None:
        """Send more of the body: there is room for it."""
        if self._transfer is not None:
            self._guard(self._transfer.resume)

    def count_sent(self, octets: int) -> None:
        """Count octets of a body that left."""
        self.octets_out += octets
        self.last_at = self._owner.now()

    def body_sent(self) -> None:
        """Go on after the body of `send_body`. This process has sent all of it."""
        self._transfer = None
        self._proceed()

    def waiting_octets(self) -> int:
        """Return how many octets wait in this process for the other side."""
        return self._transport.get_write_buffer_size() if self._connected else 0

    def unread_octets(self) -> int:
        """Return how many octets wait for the other side, in the kernel's buffer too; 0 where they are few."""
        if self.octets_out < socket_buffers.FEW_OCTETS or not self._connected or self._ended:
            return 0
        return socket_buffers.unread_octets(self._transport)

    def make_room(self) -> None:
        """End, since others need the place. Tell the client why, unless another reply is on its way."""
        if self._connected and not (self._upgrading or self._closing or self._transport.get_write_buffer_size()):
            socket_buffers.write_now(self._transport, self._busy_reply, tls=self.tls_ends_here)
        self.cut("made room")

    def refuse_handshake(self, error: handshake.HandshakeFailed) -> None:
        """Note that TLS did not begin; its alert is sent. The end of the transport follows."""
        self._owner.handshake_failed(self.client, error)
        self.finish(error.words(self.client))

    def cut(self, reason: str) -> None:
        """End at once: send nothing more, and wait for nothing."""
        if self._ended:
            return
        self.finish(reason)
        if self._connected:
            if not (self._upgrading or self._transport.get_write_buffer_size()):
                self._transport.close()  # under TLS its close_notify is with the kernel now
            self._transport.abort()  # else a peer that does not answer it would hold the socket for half a minute
        elif self._arrival is not None:
            self._arrival.cancel()  # it is in its handshake; the socket closes with the task

    def finish(self, reason: str) -> None:
        """Tell the session and the owner of the end, exactly once."""
        if self._ended:
            return
        self._ended = True
        if self._transfer is not None:
            self._transfer.give_up()
            self._transfer = None
        self._owner.forget(self)
        try:
            self.session.ended(reason, self.octets_in, self.octets_out)
        except Exception:
            log.exception("the end of a session failed")
        del self.session  # it refers to this connection; so neither has to wait for the garbage collector

    # --- inside ---------------------------------------------------------------------------------------------------

    def _begin_session(self) -> None:
        if self.encrypted:
            self._tell_tls()
        self.session.connected()

    def _widen(self) -> None:
        """Give the first long reply a full send buffer. A poll has none: the call would be a twelfth of its work."""
        self._may_widen = False
        socket_buffers.widen(self._transport)

    def _proceed(self) -> None:
        if not (self._ended or self._closing):
            self._guard(self.session.proceed)
            self._resume_reading()

    def _take_turn(self) -> None:
        act, self._next_act = self._next_act, None
        if act is not None and not self._ended:
            self._guard(act)
            self._resume_reading()

    def _guard(self, act: Callable[[], None]) -> None:
        """Run `act`; an exception is a bug of ours and ends the session."""
        try:
            act()
        except Exception:
            self.fail()

    def _pause_reading(self) -> None:
        if self._reading and not self._ended:
            self._reading = False
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        """Read again, if the session has room for more lines and has its turn."""
        if self._reading or self._next_act is not None or self._ended or self._closing:
            return
        if self.session.wants_input():
            self._reading = True
            self._transport.resume_reading()

    async def _upgrade(self) -> None:
        context, seconds = self._owner.tls_context(), self._owner.limits.handshake_seconds
        try:
            transport = await handshake.upgrade(self._transport, self, context, seconds=seconds)
        except handshake.HandshakeFailed as error:
            self.refuse_handshake(error)
            return
        if self._ended or transport is None:
            return
        self._transport = transport
        self._upgrading = False
        self.encrypted = self.tls_ends_here = True
        socket_buffers.limit(transport, tls=True)
        self.last_at = self._owner.now()
        self._guard(self._tell_tls)

    def _tell_tls(self) -> None:
        self.session.tls_started(handshake.tls_version(self._transport) or self._proxy_tls or "TLS")
