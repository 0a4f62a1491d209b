"""Where a *_LISTEN setting listens: each family by itself, every address of a name, and nothing that somebody has."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.exceptions import ImproperlyConfigured

from mailstore.listener.sockets import listening, without_absent
from tests.up.programs import free_ports


@contextmanager
def listeners(*addresses: str, count: int = 1) -> Iterator[list[list[socket.socket]]]:
    found = [each for address in addresses for each in listening("POP3_LISTEN", address, count)]
    try:
        yield found
    finally:
        for sockets in found:
            for sock in sockets:
                sock.close()


def answers(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as client:
        return client.connect_ex((host, port)) == 0


@pytest.mark.parametrize("hosts", [("0.0.0.0", "[::]"), ("[::]", "0.0.0.0"), ("127.0.0.1", "[::1]")])
def test_both_families_listen_on_one_port_in_either_order(hosts: tuple[str, ...]) -> None:
    (port,) = free_ports(1)
    with listeners(*(f"{host}:{port}" for host in hosts), count=2) as found:
        assert [len(sockets) for sockets in found] == [2, 2]
        assert answers("127.0.0.1", port)
        assert answers("::1", port)


def test_the_ipv6_wildcard_takes_no_ipv4_connection() -> None:
    (port,) = free_ports(1)
    with listeners(f"[::]:{port}"):
        assert answers("::1", port)
        assert not answers("127.0.0.1", port)


def test_a_star_is_every_address_of_both_families() -> None:
    (port,) = free_ports(1)
    with listeners(f"*:{port}"):
        assert answers("127.0.0.1", port)
        assert answers("::1", port)


def test_a_name_listens_on_every_address_it_has() -> None:
    (port,) = free_ports(1)
    known = {entry[4][0] for entry in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM)}
    with listeners(f"localhost:{port}") as found:
        assert {sock.getsockname()[0] for (sock,) in found} == known
        assert all(answers(str(host), port) for host in known)


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "*", "localhost"])
def test_an_address_that_somebody_listens_on_is_refused_in_one_line(address: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refusal = rf"POP3_LISTEN={address.replace('*', '[*]')}:{port}: cannot listen there \(Address already in use\)"
        with pytest.raises(ImproperlyConfigured, match=refusal):
            listening("POP3_LISTEN", f"{address}:{port}", 1)


def test_an_address_that_this_machine_does_not_have_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"POP3_LISTEN=192\.0\.2\.1:1110: cannot listen there"):
        listening("POP3_LISTEN", "192.0.2.1:1110", 1)


def test_of_several_addresses_those_that_this_machine_does_not_have_are_passed_over() -> None:
    """As with `localhost` where IPv6 is switched off."""
    here, elsewhere = (int(socket.AF_INET), ("127.0.0.1", 0)), (int(socket.AF_INET), ("192.0.2.1", 0))
    assert without_absent([elsewhere, here]) == [here]
    with pytest.raises(OSError, match="Cannot assign"):
        without_absent([elsewhere, elsewhere])
