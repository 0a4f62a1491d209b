"""The way in: accept, PROXY header, handshake; each newcomer is counted from its first moment."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import TYPE_CHECKING, cast

from mailstore.listener import socket_buffers
from mailstore.listener.connection import Connection
from mailstore.listener.handshake import Handshake, HandshakeFailed
from mailstore.listener.sockets import BACKLOG
from mailstore.wire.proxy import BadProxyHeader, NeedMore, ProxyHeader, parse

if TYPE_CHECKING:
    from mailstore.listener.server import Endpoint, Server

log = logging.getLogger("popadmin.listener")

ACCEPTS_IN_A_TURN = 32  # then the sessions that are there have their turn
HEADER_SECONDS = 5.0  # the specification asks for at least three: one lost packet and its retransmission
RETRY_SECONDS = 0.5  # when the process has no descriptor left


class Acceptor(asyncio.Protocol):
    """One listening socket of a worker. On one for proxies a PROXY header is a must, on others it is never looked for.

    The header is read off the raw socket in exact lengths, so that nothing behind it is touched before TLS begins.
    Where neither may come first, the loop accepts by itself, and this is the protocol of who just came: without a task
    and a Python socket, a poll costs a tenth less.
    """

    def __init__(self, server: Server, endpoint: Endpoint) -> None:
        self._server = server
        self._endpoint = endpoint
        self._loop = asyncio.get_running_loop()
        self._listening: asyncio.Server | None = None  # where the loop accepts
        self._closed = False

    def open(self) -> None:
        if self._closed:
            return
        octets, sock = self._server.limits.stranger_buffer_octets, self._endpoint.sock
        if octets is not None and sock.family != socket.AF_UNIX:
            socket_buffers.narrow(sock, octets)
        if self._comes_first() or self._endpoint.sock.family == socket.AF_UNIX:
            self._loop.add_reader(self._endpoint.sock.fileno(), self._readable)
        else:
            self._server.own(self._listen())

    def tend(self) -> None:
        """Called every second: an error that the kernel gives instead of a connection ends the loop's listening."""
        if self._listening is not None and all(sock.fileno() < 0 for sock in self._listening.sockets):
            log.warning("cannot accept, trying again")
            self._listening = None
            self.open()

    def close(self) -> None:
        self._closed = True
        if self._listening is not None:
            self._listening.close()
        self._loop.remove_reader(self._endpoint.sock.fileno())
        self._endpoint.sock.close()

    def _comes_first(self) -> bool:
        """Whether TLS or a proxy's header stands before what a session says."""
        return self._endpoint.implicit_tls or self._endpoint.proxied

    # --- accepted by the loop -------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """On a duplicate, since a session of the loop's that ends closes its socket."""
        listening = await self._loop.create_server(lambda: self, sock=self._endpoint.sock.dup(), backlog=BACKLOG)
        if self._closed:
            listening.close()
        self._listening = listening

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._let_in(cast("asyncio.Transport", transport))
        if self._server.busy():  # the loop accepts one a turn; those behind it would wait a turn each
            with contextlib.suppress(OSError):  # the loop meets it too, and tells
                self._accept_some()

    def _let_in(self, transport: asyncio.Transport) -> None:
        address = transport.get_extra_info("peername")
        if not address:  # gone already
            transport.abort()
            return
        client = _client(address)
        if not self._server.has_room(client):
            transport.write(self._endpoint.busy)
            transport.close()
            return
        connection = Connection(self._server, self._endpoint, client=client)
        self._server.enter(connection)
        transport.set_protocol(connection)
        connection.connection_made(transport)

    # --- accepted here --------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        try:
            self._accept_some()
        except OSError as error:
            log.warning("cannot accept, trying again: %s", error.strerror)
            self._loop.remove_reader(self._endpoint.sock.fileno())
            self._loop.call_later(RETRY_SECONDS, self.open)

    def _accept_some(self) -> None:
        for _ in range(ACCEPTS_IN_A_TURN):
            try:
                sock, address = self._endpoint.sock.accept()
            except BlockingIOError:
                return
            sock.setblocking(False)
            self._server.own(self._welcome(sock, _client(address)))

    async def _welcome(self, sock: socket.socket, source: str) -> None:
        client, proxy, tls = source, None, None
        if self._endpoint.proxied:
            header = await self._trusted_header(sock, source)
            if header is None:
                sock.close()
                return
            client, proxy, tls = header.source or source, source, header.tls
        if not self._server.has_room(client):
            self._refuse(sock)
            return
        arrival = cast("asyncio.Task[None]", asyncio.current_task())
        connection = Connection(self._server, self._endpoint, client=client, proxy=proxy, tls=tls, arrival=arrival)
        self._server.enter(connection)
        try:
            await (self._connect_tls if self._endpoint.implicit_tls else self._connect)(sock, connection)
        except HandshakeFailed as error:
            connection.finish(f"TLS handshake: {error}")
        except OSError as error:
            connection.finish(f"lost: {type(error).__name__}")

    async def _connect(self, sock: socket.socket, connection: Connection) -> None:
        await self._loop.connect_accepted_socket(lambda: connection, sock)

    async def _connect_tls(self, sock: socket.socket, connection: Connection) -> None:
        context, seconds = self._server.tls_context(), self._server.limits.handshake_seconds
        work = self._loop.connect_accepted_socket(lambda: connection, sock, ssl=context, ssl_handshake_timeout=seconds)
        await Handshake().run(context, work)

    async def _trusted_header(self, sock: socket.socket, source: str) -> ProxyHeader | None:
        """What a trusted proxy says of its client; None where anybody else comes, or nothing valid."""
        if not self._server.trusts(source):
            log.warning("refused %s: it is not among TRUSTED_PROXIES, and only they may come here", source)
            return None
        try:
            return await asyncio.wait_for(self._header(sock), HEADER_SECONDS)
        except (BadProxyHeader, TimeoutError, OSError) as error:
            log.warning("proxy %s: no valid PROXY header: %s", source, str(error) or type(error).__name__)
            return None

    async def _header(self, sock: socket.socket) -> ProxyHeader:
        data = bytearray()
        while isinstance(found := parse(bytes(data)), NeedMore):
            more = await self._loop.sock_recv(sock, found.octets)
            if not more:
                raise BadProxyHeader("the connection ended inside the header")
            data.extend(more)
        return found

    def _refuse(self, sock: socket.socket) -> None:
        if not self._endpoint.implicit_tls:
            with contextlib.suppress(OSError):
                sock.send(self._endpoint.busy)
        sock.close()


def _client(address: object) -> str:
    """An IPv4 address is itself, also where a socket of IPv6 took its connection."""
    return str(address[0]).removeprefix("::ffff:") if isinstance(address, tuple) else "unix"
