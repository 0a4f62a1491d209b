"""Handshakes on the loop: the alert of one that fails leaves, and each is told of its own end alone."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from mailstore.listener.handshake import Context, Handshake, HandshakeFailed
from tests.listener.tls_records import ECDHE_CBC, PROTOCOL_VERSION, TLS_1_1, fatal_alert, old_hello
from tests.listeners import Authority

Run = Callable[[Coroutine[Any, Any, None]], None]


class Server:
    """Takes connections one by one; `ends` has what became of each handshake, by its client's port."""

    def __init__(self, context: Context, *, seconds: float | None = None) -> None:
        self._context = context
        self._seconds = seconds
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.sock.setblocking(False)
        self.ends: dict[int, str] = {}

    async def serve(self, count: int) -> None:
        loop = asyncio.get_running_loop()
        taken = [await loop.sock_accept(self.sock) for _ in range(count)]
        await asyncio.gather(*(self._shake(sock, address[1]) for sock, address in taken))

    async def _shake(self, sock: socket.socket, port: int) -> None:
        work = asyncio.get_running_loop().connect_accepted_socket(
            asyncio.Protocol, sock, ssl=self._context, ssl_handshake_timeout=self._seconds
        )
        self.ends[port] = "done"
        try:
            await Handshake().run(self._context, work)
        except HandshakeFailed as error:
            self.ends[port] = error.words("192.0.2.7")


@pytest.mark.req("P-129")
@pytest.mark.parametrize("run", [uvloop.run, asyncio.run], ids=["uvloop", "asyncio"])
def test_of_many_handshakes_at_once_each_old_client_gets_its_alert_and_no_other_is_disturbed(
    authority: Authority, run: Run
) -> None:
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(authority.cert_file, authority.key_file)

    async def scene() -> None:
        server = Server(context)
        host, port = server.sock.getsockname()
        serving = asyncio.create_task(server.serve(10))
        old = [await asyncio.open_connection(host, port) for _ in range(5)]
        young = [
            asyncio.create_task(
                asyncio.open_connection(host, port, ssl=authority.context(), server_hostname="localhost")
            )
            for _ in range(5)
        ]
        for _, writer in old:
            writer.write(old_hello(TLS_1_1, (ECDHE_CBC,)))
        async with asyncio.timeout(30):
            for reader, writer in old:
                assert await reader.read() == fatal_alert(TLS_1_1, PROTOCOL_VERSION)
                writer.close()
            opened = await asyncio.gather(*young)
            await serving
        refused = {writer.get_extra_info("sockname")[1] for _, writer in old}
        assert {port for port, end in server.ends.items() if end == "TLS too old: TLS 1.1, from 192.0.2.7"} == refused
        assert list(server.ends.values()).count("done") == 5
        for _, writer in opened:
            writer.close()
        server.sock.close()

    run(scene())


@pytest.mark.parametrize("run", [uvloop.run, asyncio.run], ids=["uvloop", "asyncio"])
def test_a_client_that_speaks_in_clear_or_waits_for_a_greeting_has_begun_no_tls(authority: Authority, run: Run) -> None:
    """One that leaves at once, and one that stops within its hello, tell nothing of their encryption."""
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.cert_file, authority.key_file)
    no_tls = "no TLS where it comes first: from 192.0.2.7"

    async def scene() -> None:
        server = Server(context, seconds=1)
        host, port = server.sock.getsockname()
        serving = asyncio.create_task(server.serve(4))
        commands, waits, leaves, stops = [await asyncio.open_connection(host, port) for _ in range(4)]
        ports = [writer.get_extra_info("sockname")[1] for _, writer in (commands, waits, leaves, stops)]
        commands[1].write(b"CAPA\r\n")
        stops[1].write(old_hello(TLS_1_1, (ECDHE_CBC,))[:9])
        leaves[1].close()
        async with asyncio.timeout(30):
            await serving
        ends = [server.ends[port] for port in ports]
        assert ends[:2] == [no_tls, no_tls]
        assert no_tls not in ends[2:]
        for _, writer in (commands, waits, stops):
            writer.close()
        server.sock.close()

    run(scene())
