"""A client for which there is no room: it is told so behind its handshake, and the connection ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import cast

from mailstore.listener.handshake import Context, Handshake, HandshakeFailed

SHUTDOWN_SECONDS = 2.0  # for the client's own close_notify


class _Refused(asyncio.Protocol):
    """Says one line and closes. `gone` is set when the socket is closed."""

    def __init__(self, reply: bytes) -> None:
        self._reply = reply
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        made = cast("asyncio.Transport", transport)
        made.write(self._reply)
        made.close()

    def connection_lost(self, _error: Exception | None) -> None:
        self.gone.set()


async def refuse(sock: socket.socket, context: Context, reply: bytes, *, seconds: float) -> None:
    """Make the handshake within so many seconds, say `reply`, and return when the socket is closed."""
    protocol = _Refused(reply)
    work = asyncio.get_running_loop().connect_accepted_socket(
        lambda: protocol, sock, ssl=context, ssl_handshake_timeout=seconds, ssl_shutdown_timeout=SHUTDOWN_SECONDS
    )
    with contextlib.suppress(HandshakeFailed, OSError):
        await Handshake().run(context, work)
        await protocol.gone.wait()
