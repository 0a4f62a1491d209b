"""Limits of time and of room, on a clock that the tests turn."""

from __future__ import annotations

import ssl
from collections.abc import Coroutine

import pytest
import uvloop

from mailstore.listener.server import Limits
from tests.fakes.pop3 import StoredMessage
from tests.listener.inside import BUSY, SOCKET_BUFFER_OCTETS, Stage, stage, until
from tests.listener.proxy_headers import version_1
from tests.running import Authority

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
def test_whoever_has_not_signed_in_at_the_deadline_is_ended_also_when_octets_drip_in() -> None:
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
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.cert_file, authority.key_file)
    limits = Limits(connections=100, connections_per_ip=100, login_seconds=180, idle_seconds=600, handshake_seconds=0.3)

    async def scene() -> None:
        async with stage(limits, NOTE, tls=context) as made:
            silent = [await made.dial(b"\x16\x03\x01") for _ in range(20)]
            for visitor in silent:
                assert await visitor.rest() == b""
            await until(lambda: len(made.server) == 0)
            assert len(made.journal.records) == 20
            assert {record.reason.partition(":")[0] for record in made.journal.records} == {"handshake"}

    on_the_loop(scene())


@pytest.mark.req("P-130")
@pytest.mark.req("P-191")
def test_a_connection_cut_in_its_handshake_is_told_once_and_its_socket_closed(authority: Authority) -> None:
    """Long before its handshake's own time limit: what makes room must free what it held."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
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


# --- room ---------------------------------------------------------------------------------------------------------


@pytest.mark.req("P-191")
def test_where_all_places_are_taken_the_oldest_stranger_goes_and_whoever_signed_in_stays() -> None:
    limits = Limits(connections=3, connections_per_ip=100, login_seconds=180, idle_seconds=600)

    async def scene() -> None:
        async with stage(limits, NOTE) as made:
            session = await made.signed_in()
            older, younger = await made.greeted(), await made.greeted()
            await made.signed_in()
            assert await older.rest() == b""
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
def test_an_address_above_its_own_limit_is_sent_away_and_costs_nobody_his_place() -> None:
    limits = Limits(
        connections=2, connections_per_ip=1, login_seconds=180, idle_seconds=600, trusted_proxies=("127.0.0.1/32",)
    )

    async def scene() -> None:
        async with stage(limits, NOTE) as made:
            bystander = await made.greeted(version_1("192.0.2.1"))
            greedy = await made.greeted(version_1("192.0.2.2"))
            assert await (await made.dial(version_1("192.0.2.2"))).rest() == BUSY
            assert (await bystander.ask("CAPA")).startswith(b"+OK")
            assert (await greedy.ask("QUIT")).startswith(b"+OK")
            await greedy.rest()
            await until(lambda: len(made.server) == 1)
            await made.greeted(version_1("192.0.2.2"))

    on_the_loop(scene())


def out(made: Stage) -> int:
    """Octets that left the server for its only connection."""
    (connection,) = made.server._connections
    return connection.octets_out
