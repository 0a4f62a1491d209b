"""Listeners that the folder's tests share beside the ordinary ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.listeners import Daemon, daemon

PROXY = "127.0.0.3"  # the address of a trusted proxy in these tests
FOR_PROXIES = {
    "TRUSTED_PROXIES": f"{PROXY}/32",
    "POP3_PROXY_LISTEN": "127.0.0.1:0",
    "POP3S_PROXY_LISTEN": "127.0.0.1:0",
}


@pytest.fixture(scope="session")
def proxied(django_db_setup: None, tls_settings: dict[str, str]) -> Iterator[Daemon]:
    """A listener behind a trusted proxy, with few connections for each address and few in all."""
    with daemon(
        "pop3d",
        **FOR_PROXIES,
        POP3_MAX_CONNECTIONS="12",
        POP3_MAX_CONNECTIONS_PER_IP="3",
        PLAINTEXT_LOGIN="always",
        **tls_settings,
    ) as started:
        yield started
