"""Make the listening sockets, once before the fork. They outlive a dead worker, so no connection is refused."""

from __future__ import annotations

import errno
import socket
import stat
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BACKLOG = 1024  # connections that the kernel keeps while all workers are busy
UNIX_SOCKET_MODE = 0o660  # the folder may have the group of the MTA
NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})  # not an address of this machine; no such family here

Where = tuple[str, int] | tuple[str, int, int, int]  # a socket address of IPv4 or IPv6


def listening(
    variable: str, address: str, count: int, *, unix_mode: int = UNIX_SOCKET_MODE
) -> list[list[socket.socket]]:
    """Listen on each address that `address` names, with `count` sockets each: one for each worker.

    The kernel spreads connections over them. A unix socket cannot be bound twice, so the workers share one. Raises
    ImproperlyConfigured with one line that names `variable`.
    """
    try:
        if address.startswith("unix:"):
            return [[_unix(Path(address.removeprefix("unix:")), unix_mode)] * count]
        return [_tcp(family, where, count) for family, where in free_addresses(address)]
    except OSError as error:
        raise ImproperlyConfigured(
            f"{variable}={address}: cannot listen there ({error.strerror or error}); choose another address"
        ) from error


def resolve(address: str) -> list[tuple[int, Where]]:
    """Return family and socket address of each address that HOST:PORT names; a name may have several.

    `*` means every address of this machine, of both families.
    """
    host, _, port = address.rpartition(":")
    found = socket.getaddrinfo(
        None if host == "*" else host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    internet = (entry for entry in found if entry[0] in {socket.AF_INET, socket.AF_INET6})
    return list(dict.fromkeys((int(family), where) for family, *_, where in internet))  # type: ignore[misc]  # the stubs add AF_PACKET's address


def free_addresses(address: str) -> list[tuple[int, Where]]:
    """Return the addresses of HOST:PORT that are free to listen on. Raises OSError where one is taken, or none is left.

    Addresses that this machine does not have are left out: `localhost` often has an IPv6 address where IPv6 is off.
    """
    return without_absent(resolve(address))


def without_absent(addresses: list[tuple[int, Where]]) -> list[tuple[int, Where]]:
    """Return the addresses that this machine has; all are free. Raises OSError where one is taken, or none is left."""
    found, errors = [], []
    for family, where in addresses:
        try:
            _require_free(family, where)
        except OSError as error:
            if error.errno not in NOT_HERE:
                raise
            errors.append(error)
        else:
            found.append((family, where))
    if not found:
        raise errors[0]
    return found


def _tcp(family: int, where: Where, count: int) -> list[socket.socket]:
    first = _bind(family, where)
    where = (where[0], first.getsockname()[1], *where[2:])  # port 0: the kernel chose one
    sockets = [first, *(_bind(family, where) for _ in range(count - 1))]
    for sock in sockets:
        sock.listen(BACKLOG)
        sock.setblocking(False)
    return sockets


def _bind(family: int, where: Where) -> socket.socket:
    """Bind one worker's socket."""
    sock = _new(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(where)
    return sock


def _require_free(family: int, where: Where) -> None:
    """Raise OSError if another listener has the address. With SO_REUSEPORT alone, both would listen silently."""
    with _new(family) as probe:
        probe.bind(where)


def _new(family: int) -> socket.socket:
    """Make a socket for one family only. Otherwise `[::]` would take the IPv4 addresses too, and `0.0.0.0` fail."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return sock


def _unix(path: Path, mode: int) -> socket.socket:
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                raise OSError(None, "another process listens there")
        path.unlink()
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    path.chmod(mode)
    sock.listen(BACKLOG)
    sock.setblocking(False)
    return sock
