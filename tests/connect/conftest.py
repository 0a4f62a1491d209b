"""A DNS server for the tests of what is looked up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.dns_server import FakeDns, dns_server

WEB, MX = "panel.hoster.example", "mx.hoster.example"


@pytest.fixture
def name_server(settings) -> Iterator[FakeDns]:
    """DNS of a site whose pages, MX and POP3 server are hosts of hoster.example; it knows them, and no customer yet."""
    settings.PUBLIC_URL, settings.PUBLIC_MX_HOSTNAMES = f"https://{WEB}", [MX]
    settings.PUBLIC_POP3S_PORT, settings.PUBLIC_POP3_PORT = 995, 110
    with dns_server() as server:
        settings.DNS_SERVERS = [server.address]
        server.put(WEB, "A", "192.0.2.1")
        server.put(WEB, "AAAA", "2001:db8::1")
        yield server
