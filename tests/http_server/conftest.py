"""Web ports that run as long as the test worker; a test with other needs starts its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.http_server.web_process import LONGEST_WAIT_SECONDS, Port, request, serving


@pytest.fixture(scope="session")
def port(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """With short waits."""
    with serving(tmp_path_factory.mktemp("web")) as started:
        yield started


@pytest.fixture(scope="session")
def patient(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """With the waits of a site."""
    with serving(tmp_path_factory.mktemp("web"), worker="Patient") as started:
        yield started


class Hold:
    """Pages that wait for the test, each in a thread of the web port."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(LONGEST_WAIT_SECONDS)
        self._held: list[socket.socket] = []
        self.query = f"hold={self._listener.getsockname()[1]}"

    def take(self, port: Port, path: str = "/octets/") -> socket.socket:
        """Ask for a page that waits; returns once a thread has it."""
        sock = port.dial(request("GET", path if "?" in path else f"{path}?{self.query}"))
        self._held.append(self._listener.accept()[0])
        return sock

    def release(self) -> None:
        for each in self._held:
            each.close()
        self._held.clear()

    def close(self) -> None:
        self.release()
        self._listener.close()


@pytest.fixture
def hold() -> Iterator[Hold]:
    held = Hold()
    yield held
    held.close()
