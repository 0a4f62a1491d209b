"""A client whose address has too many connections is told so behind its handshake, within a budget."""

from __future__ import annotations

import asyncio
import ssl

import pytest
import trustme

from mailstore.listener.endpoint import Limits
from mailstore.listener.handshake import Context
from mailstore.listener.refusal_budget import A_SECOND, AT_ONCE, RefusalBudget
from tests.listener.local_listener import CROWDED, Stage, Visitor, stage, until
from tests.listener.proxy_headers import version_1
from tests.listener.test_server import on_the_loop
from tests.listener.tls_records import ECDHE_CBC, PROTOCOL_VERSION, TLS_1_1, fatal_alert, old_hello

GREEDY = version_1("192.0.2.2")
LIMITS = Limits(
    connections=50, connections_per_ip=1, login_seconds=180, idle_seconds=600, trusted_proxies=("127.0.0.1/32",)
)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def context(authority: trustme.CA) -> Context:
    made = Context(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    authority.issue_cert("localhost").configure_cert(made)
    return made


async def start_tls(visitor: Visitor, authority: trustme.CA) -> Visitor:
    client = ssl.create_default_context()
    authority.configure_trust(client)
    await visitor.writer.start_tls(client, server_hostname="localhost")
    return visitor


async def crowd(made: Stage, authority: trustme.CA) -> Visitor:
    """Take the only place of the address."""
    visitor = await start_tls(await made.dial(GREEDY), authority)
    assert (await visitor.line()).startswith(b"+OK")
    return visitor


def test_a_refused_client_gets_one_line_inside_tls_and_the_other_goes_on(
    authority: trustme.CA, context: Context
) -> None:
    async def scene() -> None:
        async with stage(LIMITS, tls=context) as made:
            first = await crowd(made, authority)
            refused = await start_tls(await made.dial(GREEDY), authority)
            assert await refused.rest() == CROWDED
            assert (await first.ask("CAPA")).startswith(b"+OK")
            assert len(made.server) == 1

    on_the_loop(scene())


def test_above_the_budget_clients_are_cut_off_without_a_word_until_the_next_second(
    authority: trustme.CA, context: Context
) -> None:
    async def scene() -> None:
        async with stage(LIMITS, tls=context) as made:
            await crowd(made, authority)
            for _ in range(A_SECOND):
                refused = await start_tls(await made.dial(GREEDY), authority)
                assert await refused.rest() == CROWDED
            assert await (await made.dial(GREEDY)).rest() == b""
            made.pass_time(1)
            refused = await start_tls(await made.dial(GREEDY), authority)
            assert await refused.rest() == CROWDED

    on_the_loop(scene())


def test_clients_that_are_silent_in_their_handshake_take_up_no_more_than_the_places_there_are(
    authority: trustme.CA, context: Context
) -> None:
    async def scene() -> None:
        async with stage(LIMITS, tls=context) as made:
            await crowd(made, authority)
            tasks = len(made.server._tasks)
            for _ in range(AT_ONCE):
                await made.dial(GREEDY)
                made.pass_time(1)
                await asyncio.sleep(0)
            await until(lambda: len(made.server._tasks) == tasks + AT_ONCE)
            made.pass_time(1)
            assert await (await made.dial(GREEDY)).rest() == b""

    on_the_loop(scene())


def test_a_refused_client_whose_tls_is_too_old_gets_the_alert(authority: trustme.CA, context: Context) -> None:
    async def scene() -> None:
        async with stage(LIMITS, tls=context) as made:
            await crowd(made, authority)
            refused = await made.dial(GREEDY)
            refused.writer.write(old_hello(TLS_1_1, (ECDHE_CBC,)))
            assert await refused.rest() == fatal_alert(TLS_1_1, PROTOCOL_VERSION)

    on_the_loop(scene())


def test_the_budget_gives_what_is_left_of_a_second_and_of_the_places() -> None:
    budget = RefusalBudget()
    assert [budget.take() for _ in range(A_SECOND + 1)] == [True] * A_SECOND + [False]
    budget.renew()
    taken = [budget.take() for _ in range(AT_ONCE)]
    assert taken.count(True) == min(A_SECOND, AT_ONCE - A_SECOND)
    budget.renew()
    assert not budget.take()
    budget.give_back()
    assert budget.take()
