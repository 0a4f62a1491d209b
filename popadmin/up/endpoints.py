"""The addresses of the *_LISTEN settings: whether they are free, whether somebody listens there, how to print them."""

from __future__ import annotations

import errno
import ipaddress
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from mailstore.listener import sockets
from popadmin.up.errors import UpError

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "*": "127.0.0.1"}  # noqa: S104 - compared with, not bound to
TABLES = Path("/proc/net")  # proc(5): the sockets of the kernel
LISTEN = "0A"  # TCP_LISTEN of Linux, include/net/tcp_states.h
ACCEPTS = 1 << 16  # the flag of a unix socket that listens, include/linux/net.h
WORD_OCTETS = 4  # an address is written as words in the byte order of the machine

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of the setting `variable`: HOST:PORT, [IPV6]:PORT or unix:/path (settings.py checks the form)."""

    variable: str
    text: str

    @property
    def path(self) -> str | None:
        return self.text.removeprefix("unix:") if self.text.startswith("unix:") else None

    @property
    def port(self) -> int:
        return int(self.text.rpartition(":")[2])

    @property
    def host(self) -> str:
        return self.text.rpartition(":")[0].strip("[]")

    @property
    def local_host(self) -> str:
        """Return the host under which a program on this machine reaches it."""
        return EVERYWHERE.get(self.host, self.host)

    @property
    def local(self) -> str:
        """Return the address as a command on this machine needs it."""
        host = f"[{self.local_host}]" if ":" in self.local_host else self.local_host
        return self.path or f"{host}:{self.port}"

    def require_free(self) -> None:
        """Raise UpError if somebody already listens there, or if we are not allowed to."""
        if self.path:
            if self._path_answers(self.path):
                raise UpError(f"{self.variable}={self.text} is in use: set {self.variable} to another path")
            return
        try:
            sockets.free_addresses(self.text)
        except OSError as error:
            raise UpError(
                f"{self.variable}={self.text} {_reason(error)}: set {self.variable} to another address"
            ) from error

    def listened_on(self) -> bool:
        """Return True if somebody listens there. No connection is made."""
        if self.path:
            return self.path in _unix_paths()
        addresses = {ipaddress.ip_address(where[0]) for _family, where in sockets.resolve(self.text)}
        return any((address, self.port) in _tcp_addresses() for address in addresses)

    def _path_answers(self, path: str) -> bool:
        """Return True if somebody accepts connections. The path alone may be left over from a process that is gone."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(path) == 0


def endpoints(variable: str) -> tuple[Endpoint, ...]:
    """Return the addresses of a *_LISTEN setting."""
    return tuple(Endpoint(variable, text) for text in getattr(settings, variable))


def _reason(error: OSError) -> str:
    reasons = {
        errno.EADDRINUSE: "is in use",
        errno.EACCES: "needs a right this user does not have (ports below 1024)",
        errno.EADDRNOTAVAIL: "is not an address of this machine",
    }
    return reasons.get(error.errno or 0, f"cannot be listened on ({error.strerror or error})")


def _tcp_addresses() -> set[tuple[Address, int]]:
    """Return every address and port with a listening socket, as the kernel says it."""
    return {(_ip_address(host), int(port, 16)) for host, port in _local_ends()}


def _unix_paths() -> set[str]:
    """Return the path of every listening unix socket, as it was bound."""
    lines = (TABLES / "unix").read_text(errors="surrogateescape").splitlines()[1:]
    rows = (line.split(maxsplit=7) for line in lines)
    return {row[7] for row in rows if len(row) > 7 and int(row[3], 16) & ACCEPTS}


def _local_ends() -> Iterator[list[str]]:
    for table in (TABLES / "tcp", TABLES / "tcp6"):
        if not table.exists():  # a kernel without IPv6
            continue
        for line in table.read_text().splitlines()[1:]:
            _number, local, _remote, state, *_rest = line.split()
            if state == LISTEN:
                yield local.split(":")


def _ip_address(text: str) -> Address:
    octets = bytes.fromhex(text)
    words = [octets[start : start + WORD_OCTETS] for start in range(0, len(octets), WORD_OCTETS)]
    return ipaddress.ip_address(b"".join(int.from_bytes(word).to_bytes(WORD_OCTETS, sys.byteorder) for word in words))
