"""Limits on connections of an address and on memory."""

from __future__ import annotations

import pytest

from popadmin.http_server.admission import LOOPBACK, Addresses, Room


def addresses(most: int = 2) -> Addresses:
    return Addresses(most, [*LOOPBACK, "192.0.2.0/24", "2001:db8:5::/48"])


@pytest.mark.parametrize(
    ("first", "other"),
    [
        (("198.51.100.1", 1), ("198.51.100.2", 1)),
        (("2001:db8:1:2::1", 1, 0, 0), ("2001:db8:1:3::1", 1, 0, 0)),
        (("::ffff:198.51.100.1", 1, 0, 0), ("198.51.100.2", 1)),
        (("fe80::1%eth0", 1, 0, 2), ("198.51.100.2", 1)),
    ],
)
def test_an_address_has_so_many_connections_and_another_has_its_own(first: object, other: object) -> None:
    counted = addresses()
    keys = [counted.enter(first) for _ in range(3)]
    assert keys[2] is None
    assert counted.enter(other) is not None
    assert keys[0] is not None
    counted.leave(keys[0])
    assert counted.enter(first) is not None


def test_an_ipv6_network_is_one_address_and_a_mapped_address_is_its_ipv4() -> None:
    counted = addresses()
    assert counted.enter(("2001:db8::1", 1, 0, 0)) == counted.enter(("2001:db8::2", 1, 0, 0))
    assert counted.enter(("2001:db8::3", 1, 0, 0)) is None
    assert counted.enter(("::ffff:198.51.100.1", 1, 0, 0)) == counted.enter(("198.51.100.1", 1))


@pytest.mark.parametrize(
    "peer",
    [
        ("127.0.0.1", 1),
        ("::1", 1, 0, 0),
        ("::ffff:127.0.0.1", 1, 0, 0),
        ("192.0.2.7", 1),
        ("2001:db8:5::1", 1, 0, 0),
        "",
    ],
)
def test_this_machine_and_the_trusted_proxies_have_any_number(peer: object) -> None:
    counted = addresses()
    assert all(counted.enter(peer) == "" for _ in range(10))


def test_room_that_is_given_back_can_be_taken_again() -> None:
    room = Room(10)
    assert room.take(10)
    assert not room.take(1)
    room.give(10)
    assert room.take(10)
