"""Accept connections: PROXY header, handshake, limits. Each connection counts from its first moment."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import cast

from mailstore.listener import socket_buffers
from mailstore.listener.connection import Connection
from mailstore.listener.endpoint import Admission, Endpoint
from mailstore.listener.handshake import Context, Handshake, HandshakeFailed
from mailstore.listener.refused_client import refuse
from mailstore.listener.sockets import BACKLOG
from mailstore.wire.proxy import BadProxyHeader, NeedMore, ProxyHeader, parse

log = logging.getLogger("popadmin.listener")

ACCEPTS_IN_A_TURN = 32  # then the existing sessions have their turn
HEADER_SECONDS = 5.0  # the specification asks for at least three: one lost packet and its retransmission
RETRY_SECONDS = 0.5  # after the process had no descriptor left


class Acceptor(asyncio.Protocol):
    """One listening socket of a worker. On a socket for proxies a PROXY header is required; elsewhere none is expected.

    The header is read off the raw socket in exact lengths, so nothing behind it is touched before TLS begins. Where
    neither a header nor TLS comes first, the loop accepts by itself, and this object is the first protocol of each new
    connection. Without a task and a Python socket, a poll costs a tenth less.
    """

    def __init__(self, server: Admission[Connection], endpoint: Endpoint) -> None:
        self._server = server
        self._endpoint = endpoint
        self._loop = asyncio.get_running_loop()
        self._listening: asyncio.Server | None = None  # where the loop accepts
        self._closed = False

    def open(self) -> None:
        if self._closed:
            return
        buffer_octets, sock = self._server.limits.stranger_buffer_octets, self._endpoint.sock
        if buffer_octets is not None and sock.family != socket.AF_UNIX:
            socket_buffers.narrow(sock, buffer_octets)
        if self._has_preamble() or self._endpoint.sock.family == socket.AF_UNIX:
            self._loop.add_reader(self._endpoint.sock.fileno(), self._readable)
        else:
            self._server.own(self._listen())

    def check(self) -> None:
        """Listen again, where an error of accept(2) ended the loop's listening. Called every second."""
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

    def _has_preamble(self) -> bool:
        """Say whether TLS or the header of a proxy comes before the first line of a session."""
        return self._endpoint.implicit_tls or self._endpoint.proxied

    # --- accepted by the loop -------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Let the loop listen on a duplicate, since the loop closes the socket on which it listens."""
        listening = await self._loop.create_server(lambda: self, sock=self._endpoint.sock.dup(), backlog=BACKLOG)
        if self._closed:
            listening.close()
        self._listening = listening

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._admit(cast("asyncio.Transport", transport))
        if self._server.busy():  # the loop accepts one connection a turn; the next ones would wait a turn each
            with contextlib.suppress(OSError):  # the loop gets the same error, and logs it
                self._accept_some()

    def _admit(self, transport: asyncio.Transport) -> None:
        address = transport.get_extra_info("peername")
        if not address:  # the client is gone
            transport.abort()
            return
        client = _client(address)
        refusal = self._server.refusal(self._endpoint, client)
        if refusal is not None:
            transport.write(refusal)
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
        refusal = self._server.refusal(self._endpoint, client)
        if refusal is not None:
            await self._refuse(sock, refusal)
            return
        arrival = cast("asyncio.Task[None]", asyncio.current_task())
        connection = Connection(self._server, self._endpoint, client=client, proxy=proxy, tls=tls, arrival=arrival)
        self._server.enter(connection)
        try:
            await (self._connect_tls if self._endpoint.implicit_tls else self._connect)(sock, connection)
        except HandshakeFailed as error:
            connection.refuse_handshake(error)
        except OSError as error:
            connection.finish(f"lost: {type(error).__name__}")

    async def _connect(self, sock: socket.socket, connection: Connection) -> None:
        await self._loop.connect_accepted_socket(lambda: connection, sock)

    async def _connect_tls(self, sock: socket.socket, connection: Connection) -> None:
        context, seconds = self._tls_context(), self._server.limits.handshake_seconds
        work = self._loop.connect_accepted_socket(lambda: connection, sock, ssl=context, ssl_handshake_timeout=seconds)
        await Handshake().run(context, work)

    async def _trusted_header(self, sock: socket.socket, source: str) -> ProxyHeader | None:
        """Return the header of a trusted proxy. Else, or if it is not valid, log the reason and return None."""
        if not self._server.trusts(source):
            log.warning("refused %s: it is not among TRUSTED_PROXIES, and only they may come here", source)
            return None
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._server.begin_header(task)
        try:
            return await asyncio.wait_for(self._header(sock), HEADER_SECONDS)
        except (BadProxyHeader, TimeoutError, OSError) as error:
            log.warning("proxy %s: no valid PROXY header: %s", source, str(error) or type(error).__name__)
            return None
        except asyncio.CancelledError:
            sock.close()
            raise
        finally:
            self._server.end_header(task)

    async def _header(self, sock: socket.socket) -> ProxyHeader:
        data = bytearray()
        while isinstance(found := parse(bytes(data)), NeedMore):
            more = await self._loop.sock_recv(sock, found.octets)
            if not more:
                raise BadProxyHeader("the connection ended inside the header")
            data.extend(more)
        return found

    def _tls_context(self) -> Context:
        return self._endpoint.tls or self._server.tls_context()

    async def _refuse(self, sock: socket.socket, reply: bytes) -> None:
        """Tell the client why, behind a handshake where TLS comes first: as far as the budget for these goes."""
        if not self._endpoint.implicit_tls:
            with contextlib.suppress(OSError):
                sock.send(reply)
            sock.close()
        elif self._server.refusals.take():
            try:
                await refuse(sock, self._tls_context(), reply, seconds=self._server.limits.handshake_seconds)
            finally:
                self._server.refusals.give_back()
        else:
            sock.close()


def _client(address: object) -> str:
    """Return the address of a client as text; "unix" if it has none. IPv4 is written as IPv4 on an IPv6 socket too."""
    return str(address[0]).removeprefix("::ffff:") if isinstance(address, tuple) else "unix"
