"""One client connection: it sends requests and reads whole replies. It parses only their end, and yes or no."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

READ_OCTETS = 256 * 1024
TIMEOUT_SECONDS = 60
END_OF_LINES = b"\r\n.\r\n"


class WrongAnswer(RuntimeError):
    """A server answered no, or something unexpected. The benchmark stops: its figures would be wrong."""


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Tls:
    """TLS for clients, without a check of the certificate; with `resume` it offers its last session again."""

    def __init__(self, *, resume: bool) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        self._resume = resume
        self._last: ssl.SSLSession | None = None
        self.resumed = 0

    def wrap(self, plain: socket.socket) -> ssl.SSLSocket:
        wrapped = self._context.wrap_socket(plain, session=self._last)
        self.resumed += bool(wrapped.session_reused)
        return wrapped

    def keep(self, wrapped: socket.socket) -> None:
        """Keep the session. Call it at the end of a connection: TLS 1.3 tickets have arrived by then."""
        if self._resume and isinstance(wrapped, ssl.SSLSocket):
            self._last = wrapped.session


class Client:
    """A connection that sends a request only after the last one was answered."""

    def __init__(self, address: Address, tls: Tls | None = None) -> None:
        plain = socket.create_connection((address.host, address.port), timeout=TIMEOUT_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._tls = tls
        self.socket: socket.socket = tls.wrap(plain) if tls else plain
        self._buffer = bytearray(READ_OCTETS)
        self._view = memoryview(self._buffer)
        self.octets_in = 0

    def line(self) -> bytes:
        """Read one reply of one line."""
        return self._until(b"\r\n", keep=True)

    def ask(self, request: bytes, *, lines: bool = False, keep: bool = False) -> bytes:
        """Send a POP3 request and read its whole reply; return all of it with `keep`, else only its last octets."""
        self.socket.sendall(request)
        return self._until(END_OF_LINES if lines else b"\r\n", keep=keep)

    def _until(self, end: bytes, *, keep: bool) -> bytes:
        kept: list[bytes] = []
        tail = b""
        first = True
        while not tail.endswith(end):
            count = self.socket.recv_into(self._buffer)
            if not count or (first and self._buffer[0] == ord("-")):
                raise WrongAnswer(bytes(self._view[:count]).decode("latin-1") or "the connection was closed")
            first = False
            self.octets_in += count
            tail = (tail + bytes(self._view[max(0, count - 5) : count]))[-5:]
            if keep:
                kept.append(bytes(self._view[:count]))
        return b"".join(kept) or tail

    def replies(self, codes: tuple[bytes, ...]) -> None:
        """Read one LMTP reply for each code and compare them; a reply may have several lines."""
        answer = self.line()
        while len(finals := _finals(answer)) < len(codes):
            answer += self.line()
        if [line[:3] for line in finals] != list(codes):
            raise WrongAnswer(answer.decode("latin-1"))

    def close(self) -> None:
        if self._tls:
            self._tls.keep(self.socket)
        self.socket.close()


def _finals(answer: bytes) -> list[bytes]:
    """RFC 5321 §4.2.1: the last line of a reply has a space after its code."""
    return [line for line in answer.split(b"\r\n") if line[3:4] == b" "]
