"""Which network an address is of, and which addresses are this machine."""

from __future__ import annotations

import pytest

from mailstore.policy.networks import is_loopback, network


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
