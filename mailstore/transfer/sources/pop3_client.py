"""A POP3 client for moving in: it signs in, tells the messages of a mailbox, and reads them. It removes nothing.

Blocking, for threads and processes of their own. Every read is bounded: in time, in the length of a line, in the number
of messages, and in the octets of a message.

OldServerError
├── PasswordRefused   the server does not take this user and password
├── Lost              the connection was cut, took too long, or the server asks to come again: try again later
└── Unusable          no trusted TLS, no UIDL, or replies that are no POP3; another try ends alike
"""

from __future__ import annotations

import base64
import math
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from mailstore.policy.old_server import OldServer

CONNECT_SECONDS = 15
LINE_SECONDS = 60  # for a reply of one line; some servers index a large mailbox before they answer PASS
QUIT_SECONDS = 5  # nothing depends on the reply
REPLY_SECONDS = 600  # for a list or a message, as a whole
LINE_OCTETS = 2048  # RFC 2449 §4: 512 for a reply; some servers exceed it
MOST_MESSAGES = 1_000_000
LIST_OCTETS = 80 * MOST_MESSAGES  # RFC 1939 §7: a UIDL has 70 octets at most
TEXT_CHARACTERS = 200  # of a reply, in our errors
CHUNK_OCTETS = 64 * 1024
WINDOW = 100  # RETR commands under way: 1 KB at most, which any buffer takes, so neither side can block the other

_END = b"\r\n.\r\n"
_LATER = ("[SYS/TEMP]", "[SYS/PERM]", "[IN-USE]", "[LOGIN-DELAY")  # RFC 2449 §8.1, RFC 3206: not the password's fault


class Flaw(Enum):
    """Why an old server cannot be used."""

    NO_TLS = "it offers no TLS"
    BAD_CERTIFICATE = "its certificate is not trusted"
    TLS_FAILED = "TLS failed"
    NO_UIDL = "it has no UIDL"
    NOT_POP3 = "its reply is not POP3"
    TOO_MANY = "it has too many messages"


class OldServerError(Exception):
    """The base of all. The text says what happened, with the words of the server."""


class PasswordRefused(OldServerError):
    """The server does not take this user and password."""


class Lost(OldServerError):
    """The server cannot be reached, was cut off, or is busy. A later try may succeed."""


class Unusable(OldServerError):
    """Another try would end alike."""

    def __init__(self, flaw: Flaw, detail: str = "") -> None:
        super().__init__(f"{flaw.value}: {detail}" if detail else flaw.value)
        self.flaw = flaw
        self.detail = detail


class NotGiven(OSError):
    """The server does not give this one message, or it is too large."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where to sign in, and as whom. `ca_file` has the certificates to trust; None: those that the machine trusts.

    `plaintext`: a server without TLS is used as it is. Otherwise the password leaves only inside TLS.
    """

    server: OldServer
    user: str
    password: str = field(repr=False)
    ca_file: Path | None = None
    plaintext: bool = False

    def __str__(self) -> str:
        return f"{self.server} as {self.user}"


@dataclass(frozen=True, slots=True)
class Listed:
    """A message as the server lists it: its number in this session, its UIDL as it is, its size."""

    number: int
    uidl: str
    octets: int


class Session:
    """One session of an account that has signed in. Close it; without `quit` the server may count it as cut off."""

    def __init__(self, account: Account, *, sign_in_seconds: float | None = None) -> None:
        """Connect and sign in, within so many seconds if they are given. Raises PasswordRefused, Lost and Unusable."""
        self._limit = None if sign_in_seconds is None else time.monotonic() + sign_in_seconds
        self._socket = _connected(account.server, min(CONNECT_SECONDS, sign_in_seconds or CONNECT_SECONDS))
        self._buffer = bytearray()
        self._capabilities: dict[str, list[str]] = {}
        self.closed = False
        self._deadline = self._limit or math.inf
        try:
            self._begin(account)
        except BaseException:
            self.close()
            raise
        self._limit = None

    @property
    def pipelining(self) -> bool:
        """Return whether the server takes commands before it has answered those before."""
        return "PIPELINING" in self._capabilities

    def listing(self) -> list[Listed]:
        """Return the messages in the server's order. Raises Lost and Unusable."""
        octets = dict(self._numbered("LIST", Flaw.NOT_POP3))
        uidls = self._numbered("UIDL", Flaw.NO_UIDL)
        return [Listed(number, uidl, _number(octets.get(number, ""), digits=18)) for number, uidl in uidls]

    def ask(self, numbers: list[int]) -> None:
        """Send a RETR for each. `retrieve` then reads the replies in the same order. Raises Lost."""
        self._send("".join(f"RETR {number}\r\n" for number in numbers))

    def retrieve(self, most_octets: int) -> Iterator[bytes]:
        """Yield the next message that was asked for, without the dots of the wire.

        Raises Lost, Unusable, and NotGiven if the server refuses it. A message above `most_octets` raises NotGiven too;
        the session is closed then.
        """
        answer = self._reply(REPLY_SECONDS)
        if not _good(answer):
            raise NotGiven(f"the server refuses it: {_text(answer)}")
        count = 0
        for chunk in self._payload():
            count += len(chunk)
            if count > most_octets:
                self.close()
                raise NotGiven(f"it has more than {most_octets} octets")
            yield chunk

    def quit(self) -> None:
        """End the session as POP3 wants it. No error is raised, since nothing depends on it."""
        with suppress(OldServerError):
            self._send("QUIT\r\n")
            self._reply(QUIT_SECONDS)
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.closed = True
        self._socket.close()

    # --- sign-in ------------------------------------------------------------------------------------------------

    def _begin(self, account: Account) -> None:
        if account.server.implicit_tls:
            self._encrypt(account)
        greeting = self._reply(LINE_SECONDS)
        if not _good(greeting):
            raise Lost(_text(greeting))
        self._capabilities = self._ask_capabilities()
        if not account.server.implicit_tls:
            self._begin_tls(account)
        self._sign_in(account)

    def _begin_tls(self, account: Account) -> None:
        # RFC 2595 §4
        if "STLS" not in self._capabilities:
            if account.plaintext:
                return
            raise Unusable(Flaw.NO_TLS)
        if not _good(answer := self._command("STLS")):
            raise Unusable(Flaw.NO_TLS, _text(answer))
        if self._buffer:
            raise Unusable(Flaw.TLS_FAILED, "the server sent more before TLS began")
        self._encrypt(account)
        self._capabilities = self._ask_capabilities()  # those before TLS may have been forged

    def _encrypt(self, account: Account) -> None:
        self._socket.settimeout(self._seconds_left(CONNECT_SECONDS))
        try:
            context = ssl.create_default_context(cafile=None if account.ca_file is None else str(account.ca_file))
            self._socket = context.wrap_socket(self._socket, server_hostname=account.server.host)
        except ssl.SSLCertVerificationError as error:
            raise Unusable(Flaw.BAD_CERTIFICATE, error.verify_message) from error
        except ssl.SSLError as error:
            raise Unusable(Flaw.TLS_FAILED, error.reason or "") from error
        except OSError as error:
            raise Lost(str(error)) from error

    def _ask_capabilities(self) -> dict[str, list[str]]:
        # RFC 2449 §5; a server without CAPA has none
        if not _good(self._command("CAPA")):
            return {}
        words = [line.decode("latin-1").upper().split() for line in self._lines()]
        return {first: rest for first, *rest in filter(None, words)}

    def _sign_in(self, account: Account) -> None:
        user, password = account.user, account.password
        if not user or any(character in "\r\n\0" for character in user + password):
            raise PasswordRefused("a user name and a password are one line each")
        if "USER" not in self._capabilities and "PLAIN" in self._capabilities.get("SASL", ()):
            # RFC 5034 §4: with "=" the server asks for the response, which may be longer than a command
            answer = self._command("AUTH PLAIN")
            if answer.startswith(b"+ ") or answer.rstrip() == b"+":
                answer = self._command(base64.b64encode(f"\0{user}\0{password}".encode()).decode())
        elif _good(answer := self._command(f"USER {user}")):
            answer = self._command(f"PASS {password}")
        if not _good(answer):
            text = _text(answer)
            raise Lost(text) if any(code in text.upper() for code in _LATER) else PasswordRefused(text)

    # --- replies ------------------------------------------------------------------------------------------------

    def _numbered(self, command: str, flaw: Flaw) -> list[tuple[int, str]]:
        """Return the numbers of a list, each with what stands behind it."""
        answer = self._command(command, REPLY_SECONDS)
        if not _good(answer):
            raise Unusable(flaw, _text(answer))
        rows = []
        for line in self._lines():
            number, _space, value = line.decode("latin-1").strip().partition(" ")
            rows.append((_number(number, digits=9), value.strip().split(" ")[0]))
        return rows

    def _lines(self) -> Iterator[bytes]:
        rest, count, octets = b"", 0, 0
        for chunk in self._payload():
            octets += len(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LINE_OCTETS or max(map(len, lines), default=0) > LINE_OCTETS:
                raise Unusable(Flaw.NOT_POP3, "a line of a list is too long")
            count += len(lines)
            if count > MOST_MESSAGES or octets > LIST_OCTETS:
                raise Unusable(Flaw.TOO_MANY)
            yield from lines
        if rest:
            yield rest

    def _payload(self) -> Iterator[bytes]:
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

    def _command(self, command: str, seconds: float = LINE_SECONDS) -> bytes:
        self._send(f"{command}\r\n")
        return self._reply(seconds)

    def _send(self, commands: str) -> None:
        try:
            self._socket.settimeout(LINE_SECONDS)
            self._socket.sendall(commands.encode())
        except OSError as error:
            raise Lost(str(error)) from error

    def _reply(self, seconds: float) -> bytes:
        """Return the first line of a reply. All of it must come within so many seconds."""
        self._deadline = min(time.monotonic() + seconds, self._limit or math.inf)
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LINE_OCTETS:
                raise Unusable(Flaw.NOT_POP3, "the reply is too long")
            self._receive()
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        if not line.startswith((b"+", b"-ERR")) or len(line) > LINE_OCTETS:
            raise Unusable(Flaw.NOT_POP3, _text(line))
        return line

    def _receive(self) -> None:
        try:
            self._socket.settimeout(self._seconds_left(LINE_SECONDS))
            data = self._socket.recv(CHUNK_OCTETS)
        except TimeoutError as error:
            raise Lost("the server takes too long") from error
        except OSError as error:
            raise Lost(str(error)) from error
        if not data:
            raise Lost("the server closed the connection")
        self._buffer += data

    def _seconds_left(self, most_seconds: float) -> float:
        return max(0.001, min(most_seconds, self._deadline - time.monotonic()))


def _connected(server: OldServer, seconds: float) -> socket.socket:
    try:
        connected = socket.create_connection((server.host, server.port), timeout=seconds)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise Lost(str(error)) from error
    return connected


def _good(line: bytes) -> bool:
    return line.startswith(b"+OK")


def _number(text: str, *, digits: int) -> int:
    text = text.partition(" ")[0]
    if not (text.isascii() and text.isdigit() and len(text) <= digits):
        raise Unusable(Flaw.NOT_POP3, f"{text[:TEXT_CHARACTERS]!a} is not a number")
    return int(text)


def _text(line: bytes) -> str:
    """Return the words of a reply as they may stand in a log or on a page."""
    text = line.decode("ascii", "replace").removeprefix("-ERR").strip()
    return "".join(character if character.isprintable() else "?" for character in text)[:TEXT_CHARACTERS]
