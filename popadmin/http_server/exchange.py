"""The socket-like object that a thread reads a whole request from and writes its answer to. It never waits for a peer.

gunicorn's threaded worker reads, parses and writes through it as through a socket. The poller sends the answer.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Callable
from enum import Enum, auto
from math import inf
from time import monotonic
from typing import IO, Any

from popadmin.http_server.downloads import Downloads, NoRoom
from popadmin.http_server.limits import WRITE_OCTETS, Limits

RECV_OCTETS = 64 * 1024  # of the request, read at once: what gunicorn reads ahead it copies again and again
COPY_OCTETS = 1024 * 1024  # of a file, read at once
ANNOUNCED_OCTETS = 1024 * 1024  # so much more of a large answer is worth a turn of the poller


class Exchange:
    """One request and its answer.

    The thread uses the methods of a socket. The poller uses `send_to`, `discard` and the properties. The thread calls
    `on_growth`, with the exchange, whenever more of a large answer can be sent before the answer is complete.
    """

    def __init__(
        self,
        request: bytes,
        *,
        session: str,
        downloads: Downloads,
        memory_octets: int,
        on_growth: Callable[[Exchange], None],
    ) -> None:
        self._request = memoryview(request)
        self._read = 0
        self._session = session
        self._downloads = downloads
        self._memory_octets = memory_octets
        self._on_growth = on_growth
        self._lock = threading.Lock()  # the poller may discard an answer while a thread writes it
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._discarded = False
        self._announced_octets = 0
        self.octets = 0  # written by the thread
        self.sent_octets = 0
        self.refusal = ""  # why there is no room for the answer
        self.broken = False  # the answer ended in the middle

    # --- as a socket, for the thread ------------------------------------------------------------------------------

    def recv(self, octets: int) -> bytes:
        """Return octets that the peer sent; nothing at the end of the request, as if the peer had closed."""
        data = bytes(self._request[self._read : self._read + min(octets, RECV_OCTETS)])
        self._read += len(data)
        return data

    def send(self, data: bytes) -> int:
        """Ignore the interim response (100 Continue): the body has already arrived."""
        return len(data)

    def sendall(self, data: bytes) -> None:
        with self._lock:
            if self._discarded:
                raise BrokenPipeError(errno.EPIPE, "the peer is gone")
            try:
                self._keep(data)
            except NoRoom as refusal:
                self.refusal = refusal.cause
                raise
            has_grown = self._file is not None and self.octets - self._announced_octets >= ANNOUNCED_OCTETS
        if has_grown:
            self._announced_octets = self.octets
            self._on_growth(self)

    def sendfile(self, file: IO[bytes], offset: int, count: int) -> None:
        """Copy the file: its opener closes it after this call."""
        while count > 0 and (data := os.pread(file.fileno(), min(count, COPY_OCTETS), offset)):
            self.sendall(data)
            offset, count = offset + len(data), count - len(data)

    def shutdown(self, _how: int) -> None:
        """gunicorn calls this when an answer failed in the middle, and when it closes after an error."""
        self.broken = True
        raise OSError(errno.ENOTCONN, "there is no peer here")

    def gettimeout(self) -> float:
        return 0.0

    def setblocking(self, _blocks: bool) -> None:
        """Do nothing: nothing here blocks."""

    def close(self) -> None:
        """Do nothing: the poller closes the socket."""

    # --- for the poller -------------------------------------------------------------------------------------------

    @property
    def held_octets(self) -> int:
        """Return how much memory the answer uses, in octets."""
        return 0 if self._file else self.octets

    def send_to(self, sock: Any, most_octets: int) -> int:
        """Send some of what is not sent yet, without waiting; return the number of octets. BlockingIOError."""
        if self._file is not None:
            count = min(most_octets, self.octets - self.sent_octets)
            sent = os.sendfile(sock.fileno(), self._file.fileno(), self.sent_octets, count)
        else:
            sent = sock.send(memoryview(self._whole())[self.sent_octets : self.sent_octets + most_octets])
        self.sent_octets += sent
        return sent

    def end_request(self) -> None:
        """Release the body of the request. Called when the thread has finished and reads no more."""
        self._request = memoryview(b"")

    def discard(self) -> None:
        """Release what the answer uses; a thread that still writes sees a peer that has gone."""
        with self._lock:
            if self._discarded:
                return
            self._discarded = True
            self._request, self._pieces = memoryview(b""), []
            if self._file is not None:
                self._file.close()
                self._downloads.end(self._session, self.octets)

    def _whole(self) -> bytes:
        if len(self._pieces) > 1:
            self._pieces = [b"".join(self._pieces)]
        return self._pieces[0] if self._pieces else b""

    def _keep(self, data: bytes) -> None:
        if self._file is None and self.octets + len(data) <= self._memory_octets:
            self._pieces.append(data)
        else:
            self._keep_in_file(data)
        self.octets += len(data)

    def _keep_in_file(self, data: bytes) -> None:
        if self._file is None:
            self._move_to_file()
        self._downloads.grow(len(data))
        try:
            self._write(data)
        except NoRoom:
            self._downloads.grow(-len(data))
            raise

    def _move_to_file(self) -> None:
        file = self._downloads.begin(self._session)
        try:
            self._downloads.grow(self.octets)
        except NoRoom:
            file.close()
            self._downloads.end(self._session, 0)
            raise
        self._file = file
        self._write(self._whole())
        self._pieces = []

    def _write(self, data: bytes) -> None:
        assert self._file is not None  # noqa: S101 - for the type checker: every writer has made it
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise NoRoom(f"the folder of downloads: {error.strerror}") from error


class Progress(Enum):
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

    def send(self, sock: socket.socket, *, whole: bool) -> Progress:
        """Send what the peer accepts now, at most one turn's worth. `whole`: the answer is complete. OSError."""
        exchange = self.exchange
        if exchange.sent_octets < exchange.octets and (self._sent_some(sock) or self.deadline == inf):
            self.deadline = monotonic() + self._limits.stall_seconds
        if exchange.sent_octets < exchange.octets:
            self.deadline = min(self.deadline, self._latest())
            return Progress.MORE
        self.deadline = inf
        return Progress.DONE if whole else Progress.STARVED

    def _sent_some(self, sock: socket.socket) -> bool:
        try:
            return self.exchange.send_to(sock, WRITE_OCTETS) > 0
        except BlockingIOError:
            return False

    def _latest(self) -> float:
        """Return the deadline for everything that is written so far."""
        seconds = self._limits.answer_seconds + self.exchange.octets / self._limits.answer_octets_a_second
        return self._began + seconds
