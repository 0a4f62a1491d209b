"""Refused names are counted in bounded memory: a flood costs a constant number of counts, and loses no try."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mailstore.policy.refused_names import NAMES_OF_A_NETWORK, ROWS_AT_MOST, Alike, RefusedCounts, Tries

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def flooded(names: int, networks: int) -> RefusedCounts:
    counts = RefusedCounts()
    for place in range(networks):
        for number in range(names):
            client = f"198.{place // 250}.{place % 250}.{number % 250}"
            counts.add("unknown", client, "pop3", NOON, name=f"n{number}@example.org")
    return counts


def test_tries_that_are_alike_are_one_count_with_their_times() -> None:
    counts = RefusedCounts()
    for minutes, host in ((5, 7), (0, 8), (9, 9)):
        at = NOON + timedelta(minutes=minutes)
        counts.add("account", f"192.0.2.{host}", "pop3", at, name="ann@example.org", until=at)
    last = NOON + timedelta(minutes=9)
    alike = Alike("192.0.2.0/24", "account", "ann@example.org", "pop3")
    assert counts.take() == {alike: Tries(3, NOON, last, last)}
    assert counts.take() == {}


def test_a_network_has_room_for_some_names_and_its_others_are_one_count() -> None:
    taken = flooded(500, 1).take()
    assert len(taken) == NAMES_OF_A_NETWORK + 1
    assert taken[Alike("198.0.0.0/24", "unknown", "", "pop3")].count == 500 - NAMES_OF_A_NETWORK


def test_many_networks_are_one_count_above_the_bound() -> None:
    taken = flooded(3, 1000).take()
    assert len(taken) <= ROWS_AT_MOST + 1
    assert sum(tries.count for tries in taken.values()) == 3000
    assert taken[Alike("", "unknown", "", "pop3")].count > 2000


def test_what_is_taken_back_joins_what_came_since_within_the_bounds() -> None:
    counts = flooded(100, 1)
    taken = counts.take()
    counts.add("unknown", "198.0.0.1", "pop3", NOON, name="n1@example.org")
    counts.take_back(taken)
    again = counts.take()
    assert len(again) == NAMES_OF_A_NETWORK + 1
    assert sum(tries.count for tries in again.values()) == 101
    assert again[Alike("198.0.0.0/24", "unknown", "n1@example.org", "pop3")].count == 2


def test_devices_of_one_network_have_a_count_for_each_version_and_room_for_some_addresses() -> None:
    counts = RefusedCounts()
    for host in range(100):
        for version in ("TLS 1.0", "TLS 1.1"):
            counts.add("tls-version", f"192.0.2.{host}", "pop3", NOON, name=f"192.0.2.{host}", version=version)
    taken = counts.take()
    assert len(taken) == NAMES_OF_A_NETWORK + 2
    others = [taken[Alike("192.0.2.0/24", "tls-version", "", "pop3", version)] for version in ("TLS 1.0", "TLS 1.1")]
    assert sum(tries.count for tries in others) == 200 - NAMES_OF_A_NETWORK
