"""A POP3 client that normalises nothing: octets as they are on the wire. It judges nothing; tests do."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterable
from types import TracebackType

LONGEST_WAIT_SECONDS = 30.0
CHUNK_OCTETS = 65536
END = b".\r\n"


class Pop3Client:
    """One connection. Every read is bounded in time; EOF and a reset both read as b""."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(LONGEST_WAIT_SECONDS)
        self.sock = sock
        self._kept = bytearray()

    def __enter__(self) -> Pop3Client:
        return self

    def __exit__(self, _type: type | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.sock.close()

    # --- octets -----------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def line(self) -> bytes:
        """One line with its end; what came before the end of the connection when there is no more."""
        while b"\n" not in self._kept:
            if not self._more():
                return self._take(len(self._kept))
        return self._take(self._kept.index(b"\n") + 1)

    def payload(self) -> bytes:
        """The rest of a multi-line reply, dot-stuffed as it came, with its terminator; short at EOF."""
        while not (self._kept.startswith(END) or b"\r\n" + END in self._kept):
            if not self._more():
                return self._take(len(self._kept))
        end = 0 if self._kept.startswith(END) else self._kept.index(b"\r\n" + END) + 2
        return self._take(end + len(END))

    def exactly(self, count: int) -> bytes:
        """`count` octets, fewer at EOF."""
        while len(self._kept) < count and self._more():
            pass
        return self._take(min(count, len(self._kept)))

    def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        while self._more():
            pass
        return self._take(len(self._kept))

    def take_in(self) -> None:
        """Read from the connection once; what came is there for the next reader."""
        self._more()

    def _more(self) -> bool:
        try:
            data = self.sock.recv(CHUNK_OCTETS)
        except (ConnectionError, ssl.SSLEOFError):
            return False
        self._kept += data
        return bool(data)

    def _take(self, count: int) -> bytes:
        taken = bytes(self._kept[:count])
        del self._kept[:count]
        return taken

    # --- commands ---------------------------------------------------------------------------------------------

    def ask(self, command: bytes | str) -> bytes:
        """Send one command line; return the first line of its reply, without CRLF."""
        self.send((command.encode() if isinstance(command, str) else command) + b"\r\n")
        return self.line().removesuffix(b"\r\n")

    def rows(self, command: bytes | str) -> list[bytes]:
        """The lines of a multi-line reply, without first line and terminator."""
        first = self.ask(command)
        assert first.startswith(b"+OK"), first
        whole = self.payload()
        assert whole.endswith(END), whole
        return whole.removesuffix(END).split(b"\r\n")[:-1]

    def message(self, number: int) -> bytes:
        """RETR: the octets a client ends with, unstuffed."""
        first = self.ask(f"RETR {number}")
        assert first.startswith(b"+OK"), first
        return unstuffed(self.payload())

    def uidls(self) -> list[bytes]:
        return [row.split(b" ")[1] for row in self.rows("UIDL")]

    def sign_in(self, address: str, password: str) -> Pop3Client:
        assert self.ask(f"USER {address}").startswith(b"+OK")
        reply = self.ask(f"PASS {password}")
        assert reply.startswith(b"+OK"), reply
        return self

    def quit(self) -> bytes:
        """QUIT and see the connection end; returns the reply."""
        reply = self.ask("QUIT")
        assert self.rest() == b""
        self.sock.close()
        return reply

    def start_tls(self, context: ssl.SSLContext, name: str = "localhost") -> Pop3Client:
        """STLS and the handshake."""
        reply = self.ask("STLS")
        assert reply.startswith(b"+OK"), reply
        assert not self._kept, "octets between the reply and the handshake"
        self.sock = context.wrap_socket(self.sock, server_hostname=name)
        return self


def connect_to(address: tuple[str, int], *, source: str | None = None, head: bytes = b"") -> Pop3Client:
    """Connect, from `source` when given, send `head` (a PROXY header) and return; the greeting is not read."""
    sock = socket.create_connection(address, LONGEST_WAIT_SECONDS, source_address=(source, 0) if source else None)
    client = Pop3Client(sock)
    if head:
        client.send(head)
    return client


def unstuffed(payload: bytes) -> bytes:
    """RFC 1939 §3 undone: no terminator, no stuffing."""
    assert payload.endswith(END), payload[-80:]
    lines = payload.removesuffix(END).split(b"\r\n")
    return b"\r\n".join(line.removeprefix(b".") for line in lines)


def plain_response(parts: Iterable[str]) -> str:
    """The base64 of a SASL PLAIN message (RFC 4616)."""
    return base64.b64encode("\0".join(parts).encode()).decode()
