"""The addresses on which a listener listens: bound before the fork, and opened by each worker."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mailstore.listener.endpoint import Endpoint
from mailstore.listener.handshake import Context
from mailstore.listener.server import Server
from mailstore.listener.sockets import listening
from mailstore.ports import Peer, Session

log = logging.getLogger("popadmin.listener")


@dataclass(frozen=True, slots=True)
class BoundAddress:
    """One listening address, with a socket for each worker. `legacy`: old versions of TLS are taken there."""

    sockets: list[socket.socket]
    implicit_tls: bool
    proxied: bool
    legacy: bool

    def name(self, index: int) -> str:
        """Return where a socket is bound. It may differ from the setting: for port 0 the kernel chooses a free one."""
        where = self.sockets[index].getsockname()
        if isinstance(where, str):
            return f"unix:{where}"
        host, port = where[:2]
        return f"{f'[{host}]' if ':' in host else host}:{port}"

    def note(self) -> str:
        """Return what is special there, for the log."""
        return " with PROXY" * self.proxied + " with TLS" * self.implicit_tls + " from 1.0" * self.legacy


@dataclass(frozen=True, slots=True)
class Face:
    """What a protocol shows to clients: its sessions, and its replies where there is no room."""

    session: Callable[[Peer], Session]
    busy: bytes
    crowded: bytes


def bind(
    variable: str,
    addresses: Sequence[str],
    workers: int,
    *,
    implicit_tls: bool = False,
    proxied: bool = False,
    legacy: bool = False,
) -> list[BoundAddress]:
    """Listen on the addresses of a setting. Raises ImproperlyConfigured with one line that names it."""
    found = [sockets for address in addresses for sockets in listening(variable, address, workers)]
    return [BoundAddress(sockets, implicit_tls, proxied, legacy) for sockets in found]


def listen(
    server: Server, index: int, bound: Sequence[BoundAddress], face: Face, *, legacy_tls: Context | None = None
) -> None:
    """Let the server of one worker accept on its sockets. `legacy_tls` is for the addresses with old versions."""
    for address in bound:
        mine = address.sockets[index]
        # An open socket of another worker would get connections here that nobody accepts.
        for other in address.sockets:
            if other is not mine:
                other.close()
        server.listen(
            Endpoint(
                mine,
                address.implicit_tls,
                face.session,
                face.busy,
                face.crowded,
                proxied=address.proxied,
                tls=legacy_tls if address.legacy else None,
            )
        )
    named = (f"{address.name(index)}{address.note()}" for address in bound)
    log.info("worker %d listens on %s", index, ", ".join(named))
