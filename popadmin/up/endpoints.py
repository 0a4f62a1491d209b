"""The addresses of the *_LISTEN settings, as seen from outside: free, listened on, and how to print them."""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass

from mailstore.listener import sockets
from popadmin.up import listening_sockets
from popadmin.up.errors import UpError

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "*": "127.0.0.1"}  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address that `variable` holds: HOST:PORT, [IPV6]:PORT or unix:/path (settings.py has checked its form)."""

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
        """How a program on this machine reaches it."""
        return EVERYWHERE.get(self.host, self.host)

    @property
    def local(self) -> str:
        """As a command on this machine writes it."""
        host = f"[{self.local_host}]" if ":" in self.local_host else self.local_host
        return self.path or f"{host}:{self.port}"

    def require_free(self) -> None:
        """Raise UpError when somebody listens there already, or we may not."""
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
        """True when connections are taken there; none is made."""
        if self.path:
            return self.path in listening_sockets.unix()
        addresses = {ipaddress.ip_address(where[0]) for _family, where in sockets.resolve(self.text)}
        return any((address, self.port) in listening_sockets.tcp() for address in addresses)

    def _path_answers(self, path: str) -> bool:
        """A path may be left over from a process that is gone: only a connection tells."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(path) == 0


def _reason(error: OSError) -> str:
    reasons = {
        errno.EADDRINUSE: "is in use",
        errno.EACCES: "needs a right this user does not have (ports below 1024)",
        errno.EADDRNOTAVAIL: "is not an address of this machine",
    }
    return reasons.get(error.errno or 0, f"cannot be listened on ({error.strerror or error})")
