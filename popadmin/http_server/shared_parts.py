"""What a connection needs from its process: the poller, the threads and the limits that all connections share."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from http import HTTPStatus
from typing import Any, Protocol

from popadmin.http_server.admission import Room
from popadmin.http_server.exchange import Exchange
from popadmin.http_server.incoming import Incoming
from popadmin.http_server.limits import Limits

HEALTH, READY = "/healthz", "/readyz"  # are answered beside the threads of the pages


class SharedParts(Protocol):
    """The process as a connection sees it; `connection` is always the calling one."""

    cfg: Any
    limits: Limits
    anonymous_room: Room
    upload_room: Room

    def watch(self, connection: Any, events: int) -> None:
        """Call `ready` at these events of the socket."""

    def note_waiting(self, connection: Any) -> None:
        """Note that it waits for a request from now on."""

    def later(self, callback: Callable[..., None], *arguments: object) -> None:
        """Call it on the poller, after the other connections had their turn."""

    def exchange(self, connection: Any, request: bytes) -> Exchange: ...

    def work(self, connection: Any, exchange: Exchange) -> Future[bool]:
        """Let a thread answer; `answer_finished` is called on the poller."""

    def check_sign_in(self, connection: Any) -> None:
        """Let a thread find out whether the peer is signed in; `sign_in_checked` is called on the poller."""

    def refusal(self, incoming: Incoming, status: HTTPStatus) -> bytes: ...

    def report(self, connection: Any, event: str, **data: object) -> None:
        """Write a line of the log about this connection."""

    def closed(self, connection: Any) -> None: ...
