"""Endpoints know whether somebody listens there, without a connection."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from popadmin.up.endpoints import Endpoint
from popadmin.up.errors import UpError


@pytest.mark.parametrize(
    ("family", "bound", "written"),
    [
        (socket.AF_INET, "127.0.0.1", "127.0.0.1"),
        (socket.AF_INET, "127.0.0.1", "localhost"),
        (socket.AF_INET, "0.0.0.0", "0.0.0.0"),
        (socket.AF_INET6, "::1", "[::1]"),
        (socket.AF_INET6, "::", "[::]"),
    ],
)
def test_a_listener_is_seen_from_its_first_moment_to_its_last_and_gets_no_visitor(
    family: int, bound: str, written: str
) -> None:
    with socket.socket(family) as listener:
        listener.bind((bound, 0))
        endpoint = Endpoint("WEB_LISTEN", f"{written}:{listener.getsockname()[1]}")
        assert not endpoint.listened_on()
        listener.listen()
        assert endpoint.listened_on()
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert not endpoint.listened_on()


def test_a_listener_on_another_address_of_the_same_port_is_not_ours() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not Endpoint("WEB_LISTEN", f"127.0.0.2:{listener.getsockname()[1]}").listened_on()


def test_a_path_is_seen_while_somebody_listens_and_a_left_over_file_is_free(tmp_path: Path) -> None:
    endpoint = Endpoint("LMTP_LISTEN", f"unix:{tmp_path}/a socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/a socket")
        assert not endpoint.listened_on()
        listener.listen()
        assert endpoint.listened_on()
        with pytest.raises(UpError, match="in use"):
            endpoint.require_free()
    assert (tmp_path / "a socket").is_socket()
    assert not endpoint.listened_on()
    endpoint.require_free()
