"""The connection of one peer: its step, what the step waits for, and the deadline. Runs only on the poller.

Nothing here blocks. A socket event, a finished thread or the clock starts each step.
"""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from http import HTTPStatus
from math import inf
from selectors import EVENT_READ, EVENT_WRITE
from time import monotonic
from typing import Any

from popadmin.http_server.admission import BodyAllowance
from popadmin.http_server.connection_step import Step
from popadmin.http_server.exchange import Exchange, Progress, Sending
from popadmin.http_server.incoming import Incoming
from popadmin.http_server.limits import DRAIN_OCTETS, READ_OCTETS
from popadmin.http_server.shared_parts import READY, SharedParts

log = logging.getLogger("popadmin.http_server")

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
RESET = struct.pack("ii", 1, 0)  # struct linger of socket(7): close drops what was not sent
NOTHING = 0  # waits for no socket event


class Connection:
    """`sock` does not block. `deadline` is the time (monotonic clock) at which `expire` must be called."""

    step: Step
    deadline: float

    def __init__(self, shared: SharedParts, sock: socket.socket, *, peer: Any, server: Any, address: str) -> None:
        self.shared, self.sock = shared, sock
        self.peer, self.server, self.address = peer, server, address
        self.events = NOTHING
        self.incoming = Incoming(shared.cfg)
        self._limits = shared.limits
        self._exchange: Exchange | None = None
        self._future: Future[bool] | None = None
        rooms = {"anonymous_room": shared.anonymous_room, "upload_room": shared.upload_room}
        self._allowance = BodyAllowance(shared.limits, **rooms)
        self._rest = b""  # arrived after the request
        self._sending: Sending | None = None
        self._keep = self._whole = False
        self._drained_octets = 0
        self._await(Step.HEAD, EVENT_READ, self._limits.head_seconds)

    # --- what begins a step ---------------------------------------------------------------------------------------

    def ready(self, _sock: object) -> None:
        """Handle a socket that can be read or written."""
        handlers = {Step.ANSWERING: self._write, Step.LINGERING: self._drain, Step.CLOSED: self.close}
        self._try(handlers.get(self.step, self._read))

    def expire(self) -> None:
        """Handle a deadline that has passed."""
        handlers = {
            Step.HEAD: self._give_up_reading,
            Step.BODY: self._give_up_reading,
            Step.CHECKING: self._give_up_waiting,
            Step.WORKING: self._give_up_waiting,
            Step.ANSWERING: self.reset,
        }
        self._try(handlers.get(self.step, self.close))

    def sign_in_checked(self, answer: Future[bool]) -> None:
        """Handle the result of a thread that has checked whether the peer is signed in."""
        if self.step is Step.CHECKING:
            self._try(partial(self._handle_sign_in, answer))

    def answer_grown(self, exchange: Exchange) -> None:
        """Handle more of a large answer that a thread has written."""
        if exchange is self._exchange:
            self._try(self._answer)

    def answer_finished(self, exchange: Exchange, answer: Future[bool]) -> None:
        """Handle the end of an answer: a thread has written all of it, or as much as it could."""
        if exchange is self._exchange:
            self._try(partial(self._finish, exchange, answer))
        else:
            exchange.discard()

    def wind_down(self, deadline: float) -> None:
        """Wait no longer than this for a request to start: the process is stopping."""
        if self.step in (Step.IDLE, Step.HEAD):
            self.deadline = min(self.deadline, deadline)

    # --- how it ends ----------------------------------------------------------------------------------------------

    def refuse(self, status: HTTPStatus, cause: str) -> None:
        """Answer with a page that gives the reason, and end the connection."""
        self.shared.report(self, "request refused", status=int(status), cause=cause)
        self._drop_request()
        self._exchange = self.shared.exchange(self, b"")
        self._exchange.sendall(self.shared.refusal(self.incoming, status))
        self.incoming.drop()
        self._keep, self._whole = False, True
        self._answer()

    def reset(self) -> None:
        """Reset the connection, so that the system drops what the peer has not read yet."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close()

    def close(self) -> None:
        """Close the connection now."""
        if self.step is Step.CLOSED:
            return
        self.shared.watch(self, NOTHING)
        self.step = Step.CLOSED
        self._drop_request()
        self.sock.close()
        self.shared.closed(self)

    @property
    def held_octets(self) -> int:
        """Return how many octets of an answer this peer keeps in memory."""
        return self._sending.exchange.held_octets if self._sending else 0

    # --- the request ----------------------------------------------------------------------------------------------

    def _handle_sign_in(self, answer: Future[bool]) -> None:
        if answer.exception():
            log.warning("nobody can say who sends much: %s", answer.exception())
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, "nobody can say who sends it")
        elif answer.result():
            self._allow_body(signed_in=True)
        else:
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "nobody is signed in")

    def _read(self) -> None:
        data = self.sock.recv(READ_OCTETS)
        if not data:
            self.close()
            return
        if self.step is Step.IDLE:
            self._await(Step.HEAD, EVENT_READ, self._limits.head_seconds)
        self.incoming.feed(data)
        self._advance()

    def _advance(self) -> None:
        """Go as far as the octets received so far allow."""
        incoming = self.incoming
        if incoming.malformed:
            self._work()
        elif not incoming.has_head:
            if incoming.octets > self._limits.head_octets:
                self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is too long")
        elif incoming.body_octets > self._allowance.octets:
            self._check_size(incoming.body_octets)
        elif incoming.complete:
            self._work()
        elif self.step is not Step.BODY:
            self._begin_body()

    def _begin_body(self) -> None:
        if self.incoming.expects_continue:
            self.sock.send(CONTINUE)  # a few octets: an empty buffer accepts them
        self._await(Step.BODY, EVENT_READ, self._allowance.seconds)

    def _check_size(self, octets: int) -> None:
        """Check a request that is larger than any connection may send without permission."""
        limits = self._limits
        if octets <= limits.anonymous_octets:
            self._allow_body(signed_in=False)
        elif octets > limits.upload_octets or not self.incoming.header("cookie"):
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "it is too large")
        else:
            self._await(Step.CHECKING, NOTHING, limits.queue_seconds)
            self.shared.check_sign_in(self)

    def _allow_body(self, *, signed_in: bool) -> None:
        """Allow this request, if there is room for it among all connections."""
        octets = None if self.incoming.chunked else self.incoming.body_octets
        if self._allowance.extend(octets, signed_in=signed_in):
            self._advance()
        else:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, "others send much already")

    def _work(self) -> None:
        """Give the request to a thread. The poller itself answers a request for health alone, so it never waits."""
        request, self._rest = self.incoming.take()
        self._exchange = self.shared.exchange(self, request)
        is_ready = self.incoming.path == READY
        self._await(Step.WORKING, NOTHING, self._limits.ready_seconds if is_ready else self._limits.queue_seconds)
        self._future = self.shared.work(self, self._exchange)

    def _give_up_reading(self) -> None:
        if self.incoming.octets:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT, "it did not come in time")
        else:
            self.close()

    def _give_up_waiting(self) -> None:
        """No thread was free in time. If one has started, wait on, except for /readyz: silence is an answer there."""
        begun = self._future is not None and not self._future.cancel()
        if begun and self.incoming.path != READY:
            self.deadline = inf
        else:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, "no answer in time" if begun else "no thread was free in time")

    # --- the answer -----------------------------------------------------------------------------------------------

    def _finish(self, exchange: Exchange, answer: Future[bool]) -> None:
        self._allowance.give_back()
        exchange.end_request()
        self._keep, self._whole = answer.result(), True
        if not (exchange.refusal or exchange.broken):
            self._answer() if exchange.octets else self.close()
        elif exchange.sent_octets:
            self.shared.report(self, "answer cut", cause=exchange.refusal or "it broke off")
            self.reset()  # its head promised more octets than it has
        elif exchange.refusal:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, exchange.refusal)
        else:
            self.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "the answer broke off")

    def _answer(self) -> None:
        if self._exchange and not self._sending:
            self._sending = Sending(self._exchange, self._limits)
            self.step = Step.ANSWERING
        self._write()

    def _write(self) -> None:
        if not self._sending:
            return
        progress = self._sending.send(self.sock, whole=self._whole)
        self.deadline = self._sending.deadline
        if progress is Progress.DONE:
            self._end_answer()
        else:
            self.shared.watch(self, EVENT_WRITE if progress is Progress.MORE else NOTHING)

    def _end_answer(self) -> None:
        self._drop_request()
        if self._keep:
            self._begin_next()
        else:
            self.sock.shutdown(socket.SHUT_WR)
            self._await(Step.LINGERING, EVENT_READ, self._limits.linger_seconds)

    def _begin_next(self) -> None:
        self.incoming, rest = Incoming(self.shared.cfg), self._rest
        self._allowance.reset()
        self._rest, self._whole = b"", False
        self.shared.note_waiting(self)
        if not rest:
            self._await(Step.IDLE, EVENT_READ, self.shared.cfg.keepalive)
            return
        self._await(Step.HEAD, NOTHING, self._limits.head_seconds)
        self.incoming.feed(rest)
        self.shared.later(self._go_on)

    def _go_on(self) -> None:
        """Handle the next request, which arrived together with the last one."""
        if self.step is Step.HEAD:
            self.shared.watch(self, EVENT_READ)
            self._try(self._advance)

    def _drain(self) -> None:
        data = self.sock.recv(DRAIN_OCTETS)
        self._drained_octets += len(data)
        if not data or self._drained_octets > self._limits.linger_octets:
            self.close()

    # --- common to all steps --------------------------------------------------------------------------------------

    def _await(self, step: Step, events: int, seconds: float) -> None:
        self.step = step
        self.shared.watch(self, events)
        self.deadline = monotonic() + seconds

    def _try(self, callback: Callable[[], None]) -> None:
        """Run a step; a peer that has gone ends only its own connection."""
        try:
            callback()
        except BlockingIOError:
            return
        except OSError:
            self.close()
        except Exception:  # our own bug must not end the whole process
            log.exception("a connection ended by a fault of the server")
            self.close()

    def _drop_request(self) -> None:
        self._allowance.give_back()
        if self._future:
            self._future.cancel()
            self._future = None
        if self._exchange:
            self._exchange.discard()
            self._exchange = self._sending = None
