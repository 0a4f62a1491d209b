"""A POP3 connection to an old server: commands out, replies in, TLS around both. It knows no mailbox.

Blocking. Every wait is bounded in time, every line in its length.
"""

from __future__ import annotations

import math
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

from mailstore.policy.old_server import OldServer
from mailstore.transfer.sources.old_server_error import Flaw, Lost, Unusable

CONNECT_SECONDS = 15
LINE_SECONDS = 60  # for a reply of one line; some servers index a large mailbox before they answer PASS
LINE_OCTETS = 2048  # RFC 2449 §4: 512 for a reply; some servers exceed it
TEXT_CHARACTERS = 200  # of a reply, in our errors
CHUNK_OCTETS = 64 * 1024

_END = b"\r\n.\r\n"


class Wire:
    """A connection. All that is done before `lift_limit` ends within `limit_seconds`, if they are given."""

    def __init__(self, server: OldServer, *, limit_seconds: float | None = None) -> None:
        """Connect. Raises Lost."""
        self._host = server.host
        self._limit = math.inf if limit_seconds is None else time.monotonic() + limit_seconds
        self._deadline = min(self._limit, time.monotonic() + CONNECT_SECONDS)
        self._buffer = bytearray()
        self._socket = self._connected(server)

    def lift_limit(self) -> None:
        """Let what follows take as long as each reply may."""
        self._limit = math.inf

    def close(self) -> None:
        self._socket.close()

    def encrypt(self, ca_file: Path | None) -> None:
        """Begin TLS, and trust `ca_file`, or without it what the machine trusts. Raises Unusable and Lost."""
        if self._buffer:
            raise Unusable(Flaw.TLS_FAILED, "the server sent more before TLS began")
        self._socket.settimeout(_seconds_until(self._deadline, CONNECT_SECONDS))
        try:
            context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
            self._socket = context.wrap_socket(self._socket, server_hostname=self._host)
        except ssl.SSLCertVerificationError as error:
            raise Unusable(Flaw.BAD_CERTIFICATE, error.verify_message) from error
        except ssl.SSLError as error:
            raise Unusable(Flaw.TLS_FAILED, error.reason or "") from error
        except OSError as error:
            raise Lost(str(error)) from error

    def command(self, command: str, seconds: float = LINE_SECONDS) -> bytes:
        """Send a command and return the first line of its reply."""
        self.send(f"{command}\r\n")
        return self.reply(seconds)

    def send(self, commands: str) -> None:
        """Send whole lines. Raises Lost."""
        try:
            self._socket.settimeout(_seconds_until(self._limit, LINE_SECONDS))
            self._socket.sendall(commands.encode())
        except OSError as error:
            raise Lost(str(error)) from error

    def reply(self, seconds: float) -> bytes:
        """Return the first line of a reply, all of which must come within so many seconds. Raises Lost and Unusable."""
        self._deadline = min(time.monotonic() + seconds, self._limit)
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LINE_OCTETS:
                raise Unusable(Flaw.NOT_POP3, "the reply is too long")
            self._receive()
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        if not line.startswith((b"+", b"-ERR")) or len(line) > LINE_OCTETS:
            raise Unusable(Flaw.NOT_POP3, text(line))
        return line

    def payload(self) -> Iterator[bytes]:
        """Yield what follows a first line, without the dots of the wire, up to the line of one dot (RFC 1939 §3)."""
        buffer = self._buffer
        buffer[:0] = b"\r\n"  # so that the first line is like any other; it is cut off again
        begin, seen = 2, 0
        while (end := buffer.find(_END, seen)) < 0:
            if len(buffer) >= CHUNK_OCTETS:
                cut = buffer.rfind(b"\r\n")
                if cut <= 0:  # a very long line
                    cut = len(buffer) - 4
                yield bytes(buffer[:cut].replace(b"\r\n.", b"\r\n")[begin:])
                del buffer[:cut]
                begin = 0
            seen = max(0, len(buffer) - len(_END) + 1)
            self._receive()
        content = bytes(buffer[: end + 2].replace(b"\r\n.", b"\r\n")[begin:])
        del buffer[: end + len(_END)]
        if content:
            yield content

    def _connected(self, server: OldServer) -> socket.socket:
        """Try the addresses of the host, each for its share of the time that is left."""
        try:
            addresses = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Lost(str(error)) from error
        failure: OSError | None = None
        for left, (family, kind, protocol, _name, address) in zip(range(len(addresses), 0, -1), addresses, strict=True):
            connected = socket.socket(family, kind, protocol)
            try:
                connected.settimeout(_seconds_until(self._deadline, CONNECT_SECONDS) / left)
                connected.connect(address)
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                connected.close()
                failure = error
            else:
                return connected
        raise Lost(str(failure)) from failure

    def _receive(self) -> None:
        try:
            self._socket.settimeout(_seconds_until(self._deadline, LINE_SECONDS))
            data = self._socket.recv(CHUNK_OCTETS)
        except TimeoutError as error:
            raise Lost("the server takes too long") from error
        except OSError as error:
            raise Lost(str(error)) from error
        if not data:
            raise Lost("the server closed the connection")
        self._buffer += data


def _seconds_until(deadline: float, most_seconds: float) -> float:
    return max(0.001, min(most_seconds, deadline - time.monotonic()))


def good(line: bytes) -> bool:
    """Return whether a reply says that the command was carried out."""
    return line.startswith(b"+OK")


def text(line: bytes) -> str:
    """Return the words of a reply as they may stand in a log or on a page."""
    words = line.decode("ascii", "replace").removeprefix("-ERR").strip()
    return "".join(character if character.isprintable() else "?" for character in words)[:TEXT_CHARACTERS]
