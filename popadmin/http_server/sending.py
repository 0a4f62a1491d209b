"""An answer that is being sent: how much the peer has read, and the deadline for the rest."""

from __future__ import annotations

import socket
from enum import Enum, auto
from math import inf
from time import monotonic

from popadmin.http_server.exchange import Exchange
from popadmin.http_server.limits import WRITE_OCTETS, Limits


class State(Enum):
    MORE = auto()  # the peer is to take more
    STARVED = auto()  # the thread is to write more
    DONE = auto()


class Sending:
    """`deadline` is the time (monotonic clock) at which the peer has read too little of `exchange`."""

    def __init__(self, exchange: Exchange, limits: Limits) -> None:
        self.exchange = exchange
        self.deadline = inf
        self._limits = limits
        self._began = monotonic()

    def send(self, sock: socket.socket, *, whole: bool) -> State:
        """Send what the peer accepts now, at most one turn's worth. `whole`: the answer is complete. OSError."""
        exchange = self.exchange
        if exchange.sent_octets < exchange.octets and (self._sent_some(sock) or self.deadline == inf):
            self.deadline = monotonic() + self._limits.stall_seconds
        if exchange.sent_octets < exchange.octets:
            self.deadline = min(self.deadline, self._latest())
            return State.MORE
        self.deadline = inf
        return State.DONE if whole else State.STARVED

    def _sent_some(self, sock: socket.socket) -> bool:
        try:
            return self.exchange.send_to(sock, WRITE_OCTETS) > 0
        except BlockingIOError:
            return False

    def _latest(self) -> float:
        """Return the deadline for everything that is written so far."""
        seconds = self._limits.answer_seconds + self.exchange.octets / self._limits.answer_octets_a_second
        return self._began + seconds
