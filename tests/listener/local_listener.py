"""A listener inside the test, on a real socket and a clock of the test's own; mail and accounts are fakes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from mailstore.listener.connection_counts import ConnectionCounts
from mailstore.listener.endpoint import Endpoint, Limits
from mailstore.listener.handshake import Context
from mailstore.listener.server import Server
from mailstore.pop3.protocol import Rules
from mailstore.pop3.session import Session
from tests.fakes.pop3 import FakeAccounts, FakeJournal, FakeMaildrop, StoredMessage

BUSY = b"-ERR busy\r\n"
CROWDED = b"-ERR [SYS/TEMP] crowded\r\n"
SECRET = "secret"
SOCKET_BUFFER_OCTETS = 64 * 1024  # small, so that a reader's slowness is felt at once
WAIT_SECONDS = 30


class Clock:
    """Stands still unless told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Stage:
    """One server, one account, and connections to it."""

    def __init__(
        self,
        limits: Limits,
        *messages: StoredMessage,
        tls: Context | None,
        implicit_tls: bool,
        session: Callable[..., Session],
    ) -> None:
        self.clock = Clock()
        self.maildrop = FakeMaildrop(*messages)
        self.accounts = FakeAccounts()
        self.accounts.add(self.maildrop.address, SECRET, self.maildrop)
        self.journal = FakeJournal()
        self.server = Server(limits, ConnectionCounts(1), worker=0, tls=tls, now=self.clock)
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER_OCTETS)
        rules = Rules(plaintext_login="always", tls_offered=tls is not None)
        self.server.listen(
            Endpoint(
                self.sock,
                implicit_tls=implicit_tls and tls is not None,
                session=lambda peer: session(peer, self.accounts, self.journal, rules),
                busy=BUSY,
                crowded=CROWDED,
                proxied=bool(limits.trusted_proxies),
            )
        )
        self._writers: list[asyncio.StreamWriter] = []

    async def dial(self, header: bytes = b"") -> Visitor:
        """A connection; the greeting is not read."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_OCTETS)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, self.sock.getsockname())
        reader, writer = await asyncio.open_connection(sock=sock, limit=SOCKET_BUFFER_OCTETS)
        self._writers.append(writer)
        writer.write(header)
        return Visitor(reader, writer)

    async def greeted(self, header: bytes = b"") -> Visitor:
        visitor = await self.dial(header)
        assert (await visitor.line()).startswith(b"+OK")
        return visitor

    async def signed_in(self, header: bytes = b"") -> Visitor:
        visitor = await self.greeted(header)
        await visitor.ask(f"USER {self.maildrop.address}")
        assert (await visitor.ask(f"PASS {SECRET}")).startswith(b"+OK")
        return visitor

    def pass_time(self, seconds: float) -> None:
        """Let the clock go on, and the server look at it."""
        self.clock.now += seconds
        self.server.sweep(self.clock.now)

    def close(self) -> None:
        for writer in self._writers:
            writer.close()
        self.server.stop_listening()


class Visitor:
    """One client on the loop; every wait is bounded."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, command: str) -> bytes:
        self.writer.write(command.encode() + b"\r\n")
        return await self.line()

    async def line(self) -> bytes:
        return await asyncio.wait_for(self.reader.readline(), WAIT_SECONDS)

    async def exactly(self, count: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(count), WAIT_SECONDS)

    async def rest(self) -> bytes:
        try:
            return await asyncio.wait_for(self.reader.read(), WAIT_SECONDS)
        except ConnectionError:
            return b""


@asynccontextmanager
async def stage(
    limits: Limits,
    *messages: StoredMessage,
    tls: Context | None = None,
    implicit_tls: bool = True,
    session: Callable[..., Session] = Session,
) -> AsyncIterator[Stage]:
    """`session` is called like `Session`, for a test whose sessions are to be others."""
    made = Stage(limits, *messages, tls=tls, implicit_tls=implicit_tls, session=session)
    try:
        yield made
    finally:
        made.close()


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until the condition holds; bounded."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not condition():  # noqa: ASYNC110 - the listener has no event for what is waited for
            await asyncio.sleep(0)
