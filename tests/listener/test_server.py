"""Limits of time and of room, on a clock that the tests turn."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Coroutine
from functools import partial
from typing import Any

import pytest
import uvloop

from mailstore.listener.endpoint import Limits
from mailstore.listener.handshake import Context
from mailstore.pop3.session import Session
from tests.fakes.pop3 import StoredMessage
from tests.listener.local_listener import (
    BUSY,
    CROWDED,
    SECRET,
    SOCKET_BUFFER_OCTETS,
    WAIT_SECONDS,
    Stage,
    Visitor,
    stage,
    until,
)
from tests.listener.proxy_headers import version_1
from tests.listeners import Authority

LIMITS = Limits(connections=100, connections_per_ip=100, login_seconds=180, idle_seconds=600)
NOTE = StoredMessage(body=b"Subject: note\r\n\r\ntext\r\n", uidl="1")
LARGE = StoredMessage(body=b"Subject: large\r\n\r\n" + (b"x" * 70 + b"\r\n") * 120_000, uidl="2")  # 8 MB


def on_the_loop(test: Coroutine[object, object, None]) -> None:
    uvloop.run(test)


@pytest.mark.req("P-095")
@pytest.mark.req("P-069")
def test_a_session_may_be_silent_for_ten_minutes_and_any_command_starts_them_again() -> None:
    async def scene() -> None:
        async with stage(LIMITS, NOTE) as made:
            session = await made.signed_in()
            for _ in range(3):
                made.pass_time(599)
                assert (await session.ask("NOOP")).startswith(b"+OK")

    on_the_loop(scene())


@pytest.mark.req("P-096")
@pytest.mark.req("P-091")
@pytest.mark.req("P-095")
def test_a_session_silent_for_longer_ends_without_a_word_and_removes_nothing() -> None:
    async def scene() -> None:
        async with stage(LIMITS, NOTE) as made:
            session = await made.signed_in()
            assert (await session.ask("DELE 1")).startswith(b"+OK")
            made.pass_time(601)
            assert await session.rest() == b""
            assert made.maildrop.removed == []
            assert [record.reason for record in made.journal.records] == ["idle"]

    on_the_loop(scene())


@pytest.mark.req("P-097")
@pytest.mark.req("P-194")
def test_a_client_that_has_not_signed_in_at_the_deadline_is_ended_even_if_octets_drip_in() -> None:
    async def scene() -> None:
        async with stage(LIMITS, NOTE) as made:
            dripping = await made.greeted()
            for octet in b"USER anna@example.org\r\n":
                dripping.writer.write(bytes([octet]))
                made.pass_time(5)
            assert (await dripping.ask("")).startswith(b"+OK")
            made.pass_time(100)
            assert (await dripping.rest()).startswith(b"-ERR")  # to the empty line, sent before the deadline
            assert [record.reason for record in made.journal.records] == ["login deadline"]

    on_the_loop(scene())


@pytest.mark.req("P-098")
@pytest.mark.req("P-194")
def test_a_slow_reader_that_reads_is_not_idle() -> None:
    """Twenty minutes for one message: no sweep finds fault."""

    async def scene() -> None:
        async with stage(LIMITS, LARGE) as made:
            session = await made.signed_in()
            session.writer.write(b"RETR 1\r\n")
            received = 0
            for _ in range(8):
                before = out(made)
                received += len(await session.exactly(10 * SOCKET_BUFFER_OCTETS))
                await until(lambda before=before: out(made) > before)
                made.pass_time(150)
            received += len(await session.exactly(len(b"+OK 8640018 octets\r\n") + LARGE.octets + 3 - received))
            assert (await session.ask("NOOP")).startswith(b"+OK")

    on_the_loop(scene())


@pytest.mark.req("P-098")
@pytest.mark.req("P-194")
def test_a_reader_that_reads_nothing_is_dropped_without_a_terminator() -> None:
    async def scene() -> None:
        async with stage(LIMITS, LARGE) as made:
            session = await made.signed_in()
            session.writer.write(b"RETR 1\r\n")
            await session.exactly(1000)
            made.pass_time(400)
            made.pass_time(400)
            received = await session.rest()
            assert len(received) < LARGE.octets
            assert not received.endswith(b"\r\n.\r\n")
            assert made.maildrop.opened[0].closed

    on_the_loop(scene())


@pytest.mark.req("P-095")
def test_a_removal_under_way_is_not_idle() -> None:
    async def scene() -> None:
        async with stage(LIMITS, NOTE) as made:
            session = await made.signed_in()
            await session.ask("DELE 1")
            made.maildrop.answers.held = True
            session.writer.write(b"QUIT\r\n")
            await until(lambda: made.maildrop.answers.outstanding)
            made.pass_time(10_000)
            made.maildrop.answers.release()
            assert (await session.line()).startswith(b"+OK")

    on_the_loop(scene())


@pytest.mark.req("P-130")
def test_a_handshake_that_does_not_go_on_is_ended_and_told_once(authority: Authority) -> None:
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.cert_file, authority.key_file)
    limits = Limits(connections=100, connections_per_ip=100, login_seconds=180, idle_seconds=600, handshake_seconds=0.3)

    async def scene() -> None:
        async with stage(limits, NOTE, tls=context) as made:
            silent = [await made.dial(b"\x16\x03\x01") for _ in range(20)]
            for visitor in silent:
                assert await visitor.rest() == b""
            await until(lambda: len(made.server) == 0)
            assert len(made.journal.records) == 20
            assert {record.reason.partition(":")[0] for record in made.journal.records} == {"TLS handshake"}

    on_the_loop(scene())


@pytest.mark.req("P-130")
@pytest.mark.req("P-191")
def test_a_connection_cut_in_its_handshake_is_told_once_and_its_socket_closed(authority: Authority) -> None:
    """Long before its handshake's own time limit: what makes room must free what it held."""
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.cert_file, authority.key_file)
    limits = Limits(connections=1, connections_per_ip=100, login_seconds=180, idle_seconds=600, handshake_seconds=60)

    async def scene() -> None:
        async with stage(limits, NOTE, tls=context) as made:
            first = await made.dial(b"\x16")
            await until(lambda: len(made.server) == 1)
            second = await made.dial(b"\x16")
            assert await first.rest() == b""
            assert [record.reason for record in made.journal.records] == ["made room"]
            second.writer.close()
            await until(lambda: len(made.server) == 0)
            assert len(made.journal.records) == 2

    on_the_loop(scene())


@pytest.mark.req("P-096")
@pytest.mark.req("P-136")
@pytest.mark.req("P-194")
def test_an_overdue_client_that_never_answers_close_notify_holds_no_socket(authority: Authority) -> None:
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.cert_file, authority.key_file)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    channel = authority.context().wrap_bio(incoming, outgoing, server_hostname="localhost")

    async def scene() -> None:
        async with stage(LIMITS, NOTE, tls=context) as made:
            visitor = await made.dial()
            assert (await heard(visitor, channel, incoming, outgoing)).startswith(b"+OK")
            made.pass_time(181)
            async with asyncio.timeout(WAIT_SECONDS / 2):  # uvloop would wait for the answer twice as long
                incoming.write(await visitor.reader.read())
            assert channel.read() == b""  # close_notify, and not an octet of POP3 before it

    on_the_loop(scene())


async def heard(visitor: Visitor, channel: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> bytes:
    """Shake hands octet by octet, without a loop's help, and return the first line."""
    line = b""
    while not line.endswith(b"\r\n"):
        try:
            line += channel.read()
        except ssl.SSLWantReadError:
            visitor.writer.write(outgoing.read())
            incoming.write(await asyncio.wait_for(visitor.reader.read(SOCKET_BUFFER_OCTETS), WAIT_SECONDS))
    return line


@pytest.mark.req("P-078")
def test_a_long_top_is_searched_for_in_many_turns_and_comes_whole() -> None:
    async def scene() -> None:
        async with stage(LIMITS, LARGE) as made:
            session = await made.signed_in()
            session.writer.write(b"TOP 1 110000\r\nNOOP\r\n")
            assert (await session.line()).startswith(b"+OK")
            text = LARGE.body.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + (b"x" * 70 + b"\r\n") * 110_000
            assert await session.exactly(len(text)) == text
            assert await session.exactly(8) == b".\r\n+OK\r\n"

    on_the_loop(scene())


# --- a bug of ours ------------------------------------------------------------------------------------------------


class Faulty(Session):
    """A session with a bug in one of its entries."""

    def __init__(self, *given: Any, fails_in: str) -> None:
        super().__init__(*given)
        self._fails_in = fails_in

    def connected(self) -> None:
        self._fail_in("connected")
        super().connected()

    def tls_started(self, version: str) -> None:
        self._fail_in("tls_started")
        super().tls_started(version)

    def receive(self, data: bytes) -> bool:
        self._fail_in("receive")
        return super().receive(data)

    def half_closed(self) -> None:
        self._fail_in("half_closed")
        super().half_closed()

    def proceed(self) -> None:
        self._fail_in("proceed")
        super().proceed()

    def ended(self, reason: str, octets_in: int, octets_out: int) -> None:
        super().ended(reason, octets_in, octets_out)
        self._fail_in("ended")

    def _fail_in(self, entry: str) -> None:
        if entry == self._fails_in:
            raise RuntimeError(f"a bug in {entry}")


@pytest.mark.req("P-091")
@pytest.mark.parametrize("entry", ["connected", "receive", "half_closed", "proceed", "ended"])
def test_a_session_that_fails_ends_is_counted_no_more_and_leaves_nobody_waiting(entry: str) -> None:
    async def scene() -> None:
        async with stage(LIMITS, NOTE, session=partial(Faulty, fails_in=entry)) as made:
            visitor = await made.dial(f"USER {made.maildrop.address}\r\nPASS {SECRET}\r\nRETR 1\r\n".encode())
            visitor.writer.write_eof()
            await visitor.rest()
            await until(lambda: len(made.server) == 0)
            assert len(made.journal.records) == 1

    on_the_loop(scene())


@pytest.mark.req("P-129")
@pytest.mark.parametrize("implicit", [True, False], ids=["implicit", "STLS"])
def test_a_session_that_fails_behind_its_handshake_ends(authority: Authority, implicit: bool) -> None:
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.cert_file, authority.key_file)

    async def scene() -> None:
        faulty = partial(Faulty, fails_in="tls_started")
        async with stage(LIMITS, NOTE, tls=context, implicit_tls=implicit, session=faulty) as made:
            visitor = await made.dial()
            if not implicit:
                await visitor.line()
                assert (await visitor.ask("STLS")).startswith(b"+OK")
            with contextlib.suppress(ConnectionError):  # it may end before this side has seen the handshake's end
                await asyncio.wait_for(visitor.writer.start_tls(authority.context(), server_hostname="localhost"), 30)
            assert await visitor.rest() == b""
            assert [record.reason for record in made.journal.records] == ["failed"]

    on_the_loop(scene())


# --- room ---------------------------------------------------------------------------------------------------------


@pytest.mark.req("P-191")
def test_where_all_places_are_taken_the_oldest_stranger_is_told_and_goes_and_users_stay() -> None:
    limits = Limits(connections=3, connections_per_ip=100, login_seconds=180, idle_seconds=600)

    async def scene() -> None:
        async with stage(limits, NOTE) as made:
            session = await made.signed_in()
            older, younger = await made.greeted(), await made.greeted()
            await made.signed_in()
            assert await older.rest() == BUSY
            assert (await younger.ask("CAPA")).startswith(b"+OK")
            assert (await session.ask("NOOP")).startswith(b"+OK")

    on_the_loop(scene())


@pytest.mark.req("P-191")
@pytest.mark.req("P-121")
def test_where_everybody_signed_in_a_newcomer_is_told_and_sent_away() -> None:
    limits = Limits(connections=2, connections_per_ip=100, login_seconds=180, idle_seconds=600)

    async def scene() -> None:
        async with stage(limits, NOTE) as made:
            sessions = [await made.signed_in() for _ in range(2)]
            assert await (await made.dial()).rest() == BUSY
            for session in sessions:
                assert (await session.ask("NOOP")).startswith(b"+OK")

    on_the_loop(scene())


@pytest.mark.req("P-190")
@pytest.mark.req("P-191")
def test_an_address_above_its_own_limit_is_sent_away_and_costs_nobody_else_a_place() -> None:
    limits = Limits(
        connections=2, connections_per_ip=1, login_seconds=180, idle_seconds=600, trusted_proxies=("127.0.0.1/32",)
    )

    async def scene() -> None:
        async with stage(limits, NOTE) as made:
            bystander = await made.greeted(version_1("192.0.2.1"))
            greedy = await made.greeted(version_1("192.0.2.2"))
            assert await (await made.dial(version_1("192.0.2.2"))).rest() == CROWDED
            assert (await bystander.ask("CAPA")).startswith(b"+OK")
            assert (await greedy.ask("QUIT")).startswith(b"+OK")
            await greedy.rest()
            await until(lambda: len(made.server) == 1)
            await made.greeted(version_1("192.0.2.2"))

    on_the_loop(scene())


@pytest.mark.req("P-190")
def test_the_addresses_of_one_ipv6_network_share_one_limit_and_another_network_has_its_own() -> None:
    limits = Limits(
        connections=10, connections_per_ip=2, login_seconds=180, idle_seconds=600, trusted_proxies=("127.0.0.1/32",)
    )

    async def scene() -> None:
        async with stage(limits, NOTE) as made:
            first = await made.greeted(version_1("2001:db8:0:1::1"))
            await made.greeted(version_1("2001:db8:0:1:ffff::2"))
            assert await (await made.dial(version_1("2001:db8:0:1::3"))).rest() == CROWDED
            await made.greeted(version_1("2001:db8:0:2::1"))
            assert (await first.ask("QUIT")).startswith(b"+OK")
            await first.rest()
            await until(lambda: len(made.server) == 2)
            await made.greeted(version_1("2001:db8:0:1::4"))

    on_the_loop(scene())


FROM_PROXIES = Limits(
    connections=3, connections_per_ip=100, login_seconds=180, idle_seconds=600, trusted_proxies=("127.0.0.1/32",)
)


@pytest.mark.req("P-178")
@pytest.mark.req("P-191")
def test_no_more_connections_wait_for_their_proxy_header_than_may_come_in_and_the_oldest_goes() -> None:
    """The harm: a proxy that sends no header could open connections until no descriptor was left."""

    async def scene() -> None:
        async with stage(FROM_PROXIES, NOTE) as made:
            oldest, *others = [await made.dial() for _ in range(4)]
            assert await oldest.rest() == b""
            for waiting in others:
                waiting.writer.write(version_1("192.0.2.1"))
                assert (await waiting.line()).startswith(b"+OK")

    on_the_loop(scene())


def test_a_connection_that_waits_for_its_proxy_header_does_not_come_in_after_the_listener_stopped() -> None:
    async def scene() -> None:
        async with stage(FROM_PROXIES, NOTE) as made:
            waiting = await made.dial()
            await until(lambda: made.server._tasks)
            made.server.stop_listening()
            waiting.writer.write(version_1("192.0.2.1"))
            assert await waiting.rest() == b""

    on_the_loop(scene())


def out(made: Stage) -> int:
    """Octets that left the server for its only connection."""
    (connection,) = made.server._connections
    return connection.octets_out


def test_a_listening_socket_that_the_loop_gave_up_is_opened_again() -> None:
    """As uvloop does at an error of accept; no test can make the kernel give one."""

    async def scene() -> None:
        async with stage(LIMITS) as made:
            old = await made.greeted()
            (acceptor,) = made.server._acceptors
            assert acceptor._listening is not None
            acceptor._listening.close()
            made.pass_time(1.0)
            await made.greeted()
            assert (await old.ask("CAPA")).startswith(b"+OK")

    on_the_loop(scene())
