"""Turns: a client that sends much at once waits for the others, and strangers are kept small."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from functools import partial
from typing import Any

import pytest

from mailstore.listener import socket_buffers
from mailstore.listener.connection import Connection
from mailstore.listener.endpoint import Limits
from mailstore.listener.handshake import Context
from mailstore.listener.server import STRANGER_STALL_SECONDS
from mailstore.listener.turn_scheduler import ROUND_SECONDS, TURN_LINES, TurnScheduler
from mailstore.pop3.session import Session
from tests.fakes.pop3 import StoredMessage
from tests.listener.local_listener import Clock, Stage, Visitor, stage, until
from tests.listener.test_server import LARGE, LIMITS, on_the_loop
from tests.listeners import Authority

NOTE = StoredMessage(body=b"Subject: note\r\n\r\ntext\r\n", uidl="1")
WHOLE = StoredMessage(body=b"Subject: long\r\n\r\n" + (b"x" * 70 + b"\r\n") * 200, uidl="2")  # 14 KB
SMALL_OCTETS = 8 * 1024
SMALL = Limits(
    connections=200, connections_per_ip=200, login_seconds=180, idle_seconds=600, stranger_buffer_octets=SMALL_OCTETS
)
LINES = 10_000


# --- rounds -------------------------------------------------------------------------------------------------------


class Sender:
    """Obeys as many lines as it is granted and waits with the rest; each line takes some time of the clock."""

    def __init__(
        self, name: str, lines: int, turns: TurnScheduler, *, clock: Clock, line_seconds: float, seen: list[str]
    ) -> None:
        self.name = name
        self.lines = lines
        self._turns = turns
        self._clock = clock
        self._line_seconds = line_seconds
        self._seen = seen

    def obey(self) -> None:
        while self.lines:
            if not self._turns.grant(self):
                self._turns.wait(self.obey)
                return
            self.lines -= 1
            self._clock.now += self._line_seconds
            self._seen.append(self.name)


async def looked() -> None:
    """One turn of the loop."""
    await asyncio.sleep(0)


def test_nobody_has_more_lines_in_a_row_than_a_turn_while_others_wait() -> None:
    async def scene() -> None:
        clock, seen = Clock(), list[str]()
        turns = TurnScheduler(clock)
        senders = [Sender(name, 300, turns, clock=clock, line_seconds=0, seen=seen) for name in "abc"]
        for sender in senders:
            sender.obey()
        await until(lambda: not any(sender.lines for sender in senders))
        whole = [name * TURN_LINES for name in "abc"] * 4
        assert "".join(seen)[: len(whole) * TURN_LINES] == "".join(whole)

    on_the_loop(scene())


def test_all_of_them_together_have_one_round_before_the_loop_goes_on() -> None:
    """A hundred of them make a turn of the loop no longer than one does."""

    async def scene() -> None:
        clock, seen = Clock(), list[str]()
        turns = TurnScheduler(clock)
        line_seconds = ROUND_SECONDS / 10
        senders = [
            Sender(str(index), 30, turns, clock=clock, line_seconds=line_seconds, seen=seen) for index in range(100)
        ]
        for sender in senders:
            sender.obey()
        most = 0
        while any(sender.lines for sender in senders):
            before = clock.now
            await looked()
            most = max(most, round((clock.now - before) / line_seconds))
        assert 10 <= most <= 11  # the last line of a round began within it
        assert len(seen) == 3000

    on_the_loop(scene())


def test_who_waited_comes_before_who_just_came() -> None:
    async def scene() -> None:
        clock, seen = Clock(), list[str]()
        turns = TurnScheduler(clock)
        first = Sender("a", 15, turns, clock=clock, line_seconds=ROUND_SECONDS / 10, seen=seen)
        second = Sender("b", 1, turns, clock=clock, line_seconds=0, seen=seen)
        first.obey()
        assert first.lines
        second.obey()
        await until(lambda: not second.lines)
        assert seen == ["a"] * 15 + ["b"]

    on_the_loop(scene())


def test_a_bug_in_the_turn_of_one_takes_no_turn_from_the_others() -> None:
    async def scene() -> None:
        raised: list[str] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: raised.append(str(context["exception"]))
        )
        turns = TurnScheduler(Clock())
        seen: list[str] = []

        def fail() -> None:
            raise RuntimeError("a bug")

        turns.wait(fail)
        turns.wait(partial(seen.append, "waited"))
        await until(lambda: seen)
        turns.wait(partial(seen.append, "came later"))
        await until(lambda: len(seen) == 2)
        assert raised == ["a bug"]

    on_the_loop(scene())


# --- on real sockets ----------------------------------------------------------------------------------------------


class Recorded(Session):
    """Counts the lines it obeyed."""

    def __init__(self, *given: Any, made: list[Recorded]) -> None:
        super().__init__(*given)
        self.lines = 0
        made.append(self)

    def obey(self, line: bytes) -> None:
        self.lines += 1
        super().obey(line)


def tls_of(authority: Authority) -> Context:
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.cert_file, authority.key_file)
    return context


async def arrived(made: Stage, authority: Authority, way: str) -> Visitor:
    """A visitor behind the greeting, and behind TLS where `way` says so."""
    visitor = await made.dial()
    client = authority.context()
    if way == "implicit TLS":
        await visitor.writer.start_tls(client, server_hostname="localhost")
    await visitor.line()
    if way == "STLS":
        assert (await visitor.ask("STLS")).startswith(b"+OK")
        await visitor.writer.start_tls(client, server_hostname="localhost")
    return visitor


@pytest.mark.req("P-023")
@pytest.mark.req("P-025")
@pytest.mark.parametrize("way", ["in clear", "implicit TLS", "STLS"])
def test_a_command_alone_is_answered_in_the_middle_of_a_neighbours_pipeline(authority: Authority, way: str) -> None:
    """Ten thousand lines in one go are many turns, and nothing is read of the sender in between."""

    async def scene() -> None:
        sessions: list[Recorded] = []
        context = None if way == "in clear" else tls_of(authority)
        session = partial(Recorded, made=sessions)
        async with stage(LIMITS, NOTE, tls=context, implicit_tls=way == "implicit TLS", session=session) as made:
            greedy, modest = await arrived(made, authority, way), await arrived(made, authority, way)
            for visitor in (greedy, modest):
                await visitor.ask(f"USER {made.maildrop.address}")
                assert (await visitor.ask("PASS secret")).startswith(b"+OK")
            before = sessions[0].lines
            greedy.writer.write(b"NOOP\r\n" * LINES)
            await until(lambda: sessions[0].lines > before)
            waiting = next(iter(made.server._connections))
            assert waiting._next_act is not None
            assert not waiting._reading
            assert await modest.ask("NOOP") == b"+OK\r\n"
            assert sessions[0].lines < before + LINES
            assert await greedy.exactly(5 * LINES) == b"+OK\r\n" * LINES

    on_the_loop(scene())


@pytest.mark.req("P-191")
def test_a_newcomer_is_greeted_in_the_middle_of_a_hundred_strangers_pipelines() -> None:
    async def scene() -> None:
        sessions: list[Recorded] = []
        async with stage(SMALL, NOTE, session=partial(Recorded, made=sessions)) as made:
            strangers = [await made.greeted() for _ in range(100)]
            for stranger in strangers:
                stranger.writer.write(b"CAPA\r\n" * LINES)
            await until(lambda: any(session.lines for session in sessions))
            await made.greeted()
            assert sum(session.lines for session in sessions) < 100 * 100  # of each a hundred are obeyed in the end
            await until(lambda: len(made.server) == 1)

    on_the_loop(scene())


@pytest.mark.req("P-191")
def test_strangers_who_pipeline_hold_up_nobody_who_has_signed_in() -> None:
    """Their turns are apart: a round of the one never waits for a round of the other."""

    async def scene() -> None:
        async with stage(LIMITS, NOTE) as made:
            session = await made.signed_in()
            (connection,) = made.server._connections
            assert connection._scheduler is made.server.members
            await made.greeted()
            assert [one._scheduler is made.server.strangers for one in made.server._connections] == [False, True]
            assert (await session.ask("NOOP")).startswith(b"+OK")

    on_the_loop(scene())


# --- buffers ------------------------------------------------------------------------------------------------------


def kernel_octets(connection: Connection, buffer: int) -> int:
    sock: socket.socket = connection._transport.get_extra_info("socket")
    return int(sock.getsockopt(socket.SOL_SOCKET, buffer))


@pytest.mark.parametrize("message", [WHOLE, LARGE], ids=["one write", "transfer"])
@pytest.mark.parametrize("way", ["in clear", "implicit TLS", "STLS"])
def test_a_stranger_has_small_buffers_and_a_user_gets_a_send_buffer_that_grows_with_the_first_long_reply(
    authority: Authority, way: str, message: StoredMessage
) -> None:
    async def scene() -> None:
        context = None if way == "in clear" else tls_of(authority)
        async with stage(SMALL, NOTE, message, tls=context, implicit_tls=way == "implicit TLS") as made:
            visitor = await arrived(made, authority, way)
            (connection,) = made.server._connections
            for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                assert kernel_octets(connection, buffer) == 2 * SMALL_OCTETS  # socket(7): the kernel doubles it
            await visitor.ask(f"USER {made.maildrop.address}")
            assert (await visitor.ask("PASS secret")).startswith(b"+OK")
            assert (await visitor.ask("RETR 1")).startswith(b"+OK")
            assert await visitor.exactly(len(NOTE.body) + 3) == NOTE.body + b".\r\n"
            assert kernel_octets(connection, socket.SO_SNDBUF) == 2 * SMALL_OCTETS
            assert (await visitor.ask("RETR 2")).startswith(b"+OK")
            assert kernel_octets(connection, socket.SO_SNDBUF) >= 2 * socket_buffers.FULL_SEND_OCTETS
            await visitor.exactly(len(message.body) + 3)
            assert kernel_octets(connection, socket.SO_RCVBUF) == 2 * SMALL_OCTETS

    on_the_loop(scene())


@pytest.mark.req("P-025")
def test_a_stranger_who_does_not_read_its_replies_is_cut_after_five_seconds() -> None:
    async def scene() -> None:
        async with stage(SMALL, NOTE) as made:
            with await deaf(made, commands=100):
                made.pass_time(STRANGER_STALL_SECONDS - 1)
                made.pass_time(1)
                assert len(made.server) == 1
                made.pass_time(1)
                assert [record.reason for record in made.journal.records] == ["reads nothing"]

    on_the_loop(scene())


def test_a_stranger_who_reads_slowly_is_not_cut() -> None:
    async def scene() -> None:
        async with stage(SMALL, NOTE) as made:
            with await deaf(made, commands=90) as slow:
                (connection,) = made.server._connections
                while unread := connection.unread_octets():
                    made.pass_time(STRANGER_STALL_SECONDS)
                    await until(lambda unread=unread: reads(slow) or connection.unread_octets() < unread)
                assert len(made.server) == 1

    on_the_loop(scene())


async def deaf(made: Stage, *, commands: int) -> socket.socket:
    """A stranger with tiny buffers whose commands are answered, and who has not read a reply."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, made.sock.getsockname())
    await asyncio.get_running_loop().sock_sendall(sock, b"CAPA\r\n" * commands)
    await until(lambda: len(made.server) == 1)
    (connection,) = made.server._connections
    await until(lambda: connection.octets_in == 6 * commands and connection._next_act is None)
    assert connection.unread_octets() > socket_buffers.FEW_OCTETS
    return sock


def reads(sock: socket.socket) -> bool:
    """Read a little, where there is something; never enough."""
    with contextlib.suppress(BlockingIOError):
        sock.recv(1024)
    return False
