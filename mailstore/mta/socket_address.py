"""Where a part of popadmin listens, as its settings say it, in the forms that others want."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

UNIX = "unix:"
LAST_PORT = 65535
EVERY_ADDRESS = frozenset({"*", "0.0.0.0", "::"})  # noqa: S104 - compared with, never listened on


@dataclass(frozen=True, slots=True)
class SocketAddress:
    """A unix socket (`path`), or a host and a port."""

    path: Path | None = None
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        if self.path is not None:
            return f"{UNIX}{self.path}"
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def is_public(self) -> bool:
        """Return whether hosts of the internet may reach it. A name may lead anywhere, so it counts as public."""
        if self.path is not None or self.host == "localhost":
            return False
        if self.host in EVERY_ADDRESS:
            return True
        try:
            return not ipaddress.ip_address(self.host).is_private
        except ValueError:
            return True

    def reached(self) -> SocketAddress:
        """Return the address that a client on this machine connects to."""
        if self.path is not None or self.host not in EVERY_ADDRESS:
            return self
        return SocketAddress(host="::1" if self.host == "::" else "127.0.0.1", port=self.port)

    def connect(self, seconds: float) -> socket.socket:
        """Open a connection with this time limit for each step. Raises OSError."""
        if self.path is None:
            return socket.create_connection((self.host, self.port), seconds)
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(seconds)
        try:
            sock.connect(str(self.path))
        except OSError:
            sock.close()
            raise
        return sock


def parse(text: str) -> SocketAddress:
    """Read an address of a `*_LISTEN` setting, or HOST:PORT of the shell, or a port alone. Raises ValueError."""
    if text.startswith(UNIX):
        return SocketAddress(path=Path(text.removeprefix(UNIX)))
    host, _colon, port = text.rpartition(":")
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) <= LAST_PORT:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return SocketAddress(host=host.strip("[]"), port=int(port))


def best(addresses: Iterable[str], folder: Path) -> SocketAddress | None:
    """Return the address by which an MTA reaches a part: a unix socket below `folder` before a port before others."""
    found = [parse(address) for address in addresses]
    return min(found, key=lambda each: 1 if each.path is None else 0 if below(each.path, folder) else 2, default=None)


def below(path: Path, folder: Path) -> bool:
    return folder in path.parents
