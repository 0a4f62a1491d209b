"""Sockets to listen on, made once before the fork and kept over a worker's death, so that no connection is refused."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BACKLOG = 1024  # connections the kernel keeps while all workers are busy
UNIX_SOCKET_MODE = 0o660  # the MTA's group may be given to the folder


def listening(variable: str, address: str, count: int) -> list[socket.socket]:
    """Return `count` sockets on one address, one for each worker; the kernel spreads connections over them.

    A unix socket cannot be bound twice: its workers share one. Raises ImproperlyConfigured in one line.
    """
    try:
        if address.startswith("unix:"):
            return [_unix(Path(address.removeprefix("unix:")))] * count
        first = _tcp(address, 0)
        port = first.getsockname()[1]
        return [first, *(_tcp(address, port) for _ in range(count - 1))]
    except OSError as error:
        raise ImproperlyConfigured(
            f"{variable}={address}: cannot listen there ({error.strerror or error}); choose another address"
        ) from error


def _tcp(address: str, port: int) -> socket.socket:
    host, _, named = address.rpartition(":")
    host = host.strip("[]")
    family, kind, protocol, _, where = socket.getaddrinfo(
        host or None, port or int(named), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    _refuse_taken(family, where, shared=bool(port))
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind(where)
    sock.listen(BACKLOG)
    sock.setblocking(False)
    return sock


def _refuse_taken(family: int, where: tuple[object, ...], *, shared: bool) -> None:
    """SO_REUSEPORT would let a second listener of the same user in silently; a bind without it does not."""
    if shared:
        return
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(where)


def _unix(path: Path) -> socket.socket:
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                raise OSError(None, "another process listens there")
        path.unlink()
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    path.chmod(UNIX_SOCKET_MODE)
    sock.listen(BACKLOG)
    sock.setblocking(False)
    return sock
