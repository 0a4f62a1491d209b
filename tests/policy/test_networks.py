"""Networks: the one of an address, which addresses are this machine, and what a worker remembers. `now` is ours."""

from __future__ import annotations

import pytest

from mailstore.policy.networks import NOTED_SECONDS, TABLE_LIMIT, KnownPairs, is_loopback, network

ANN, HERE, THERE = "ann@example.org", "192.0.2.0/24", "198.51.100.0/24"


def test_a_network_is_named_by_its_prefix_and_other_peers_by_themselves() -> None:
    assert network("192.0.2.7") == "192.0.2.0/24"
    assert network("2001:db8:1:2::7") == "2001:db8:1::/48"
    assert network("::ffff:192.0.2.7") == "192.0.2.0/24"
    assert network("unix") == "unix"


@pytest.mark.parametrize("client", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "unix"])
def test_this_machine_is_known_by_any_of_its_own_addresses(client: str) -> None:
    assert is_loopback(client)


@pytest.mark.parametrize("client", ["192.0.2.7", "12.7.0.1", "::2", "::ffff:192.0.2.7", "2001:db8::1", ""])
def test_no_other_address_is_this_machine(client: str) -> None:
    assert not is_loopback(client)


def test_a_pair_is_remembered_for_a_day_so_that_the_database_hears_of_it_once_a_day() -> None:
    memory = KnownPairs()
    memory.note(ANN, HERE, 0.0)
    assert memory.has(ANN, HERE, NOTED_SECONDS - 1.0)
    assert not memory.has(ANN, THERE, 1.0)
    assert not memory.has("bob@example.org", HERE, 1.0)
    assert not memory.has(ANN, HERE, NOTED_SECONDS)


def test_what_is_remembered_is_bounded_and_the_oldest_goes() -> None:
    memory = KnownPairs()
    for n in range(TABLE_LIMIT + 1):
        memory.note(f"user{n}-{'x' * 900}", HERE, float(n) / 1000)
    assert len(memory._noted) == TABLE_LIMIT
    assert not memory.has(f"user0-{'x' * 900}", HERE, 1.0)
    assert max(map(len, memory._noted)) < 300


def test_a_pair_that_did_not_get_into_the_database_is_forgotten() -> None:
    memory = KnownPairs()
    memory.note(ANN, HERE, 0.0)
    memory.note(ANN, THERE, 0.0)
    memory.forget(ANN, HERE)
    assert not memory.has(ANN, HERE, 1.0)
    assert memory.has(ANN, THERE, 1.0)
