"""A POP3 client for moving in: it signs in, tells the messages of a mailbox, and reads them. It removes nothing.

Blocking, for threads and processes of their own. Every read is bounded: in time, in the length of a line, in the number
of messages, and in the octets of a message.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mailstore.policy.old_server import OldServer
from mailstore.transfer.sources.old_server_error import (
    Flaw,
    Lost,
    NotGiven,
    OldServerError,
    PasswordRefused,
    Unusable,
)
from mailstore.transfer.sources.pop3_wire import LINE_OCTETS, LINE_SECONDS, TEXT_CHARACTERS, Wire, good, text

QUIT_SECONDS = 5  # nothing depends on the reply
REPLY_SECONDS = 600  # for a list or a message, as a whole
MOST_MESSAGES = 1_000_000
LIST_OCTETS = 80 * MOST_MESSAGES  # RFC 1939 §7: a UIDL has 70 octets at most
WINDOW = 100  # RETR commands under way: 1 KB at most, which any buffer takes, so neither side can block the other

_LATER = ("[SYS/TEMP]", "[SYS/PERM]", "[IN-USE]", "[LOGIN-DELAY")  # RFC 2449 §8.1, RFC 3206: not the password's fault


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
        self._wire = Wire(account.server, limit_seconds=sign_in_seconds)
        self._capabilities: dict[str, list[str]] = {}
        self.closed = False
        try:
            self._begin(account)
        except BaseException:
            self.close()
            raise
        self._wire.lift_limit()

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
        self._wire.send("".join(f"RETR {number}\r\n" for number in numbers))

    def retrieve(self, most_octets: int) -> Iterator[bytes]:
        """Yield the next message that was asked for, without the dots of the wire.

        Raises Lost, Unusable, and NotGiven if the server refuses it. A message above `most_octets` raises NotGiven too;
        the session is closed then.
        """
        answer = self._wire.reply(REPLY_SECONDS)
        if not good(answer):
            raise NotGiven(f"the server refuses it: {text(answer)}")
        count = 0
        for chunk in self._wire.payload():
            count += len(chunk)
            if count > most_octets:
                self.close()
                raise NotGiven(f"it has more than {most_octets} octets")
            yield chunk

    def quit(self) -> None:
        """End the session as POP3 wants it. No error is raised, since nothing depends on it."""
        with suppress(OldServerError):
            self._wire.send("QUIT\r\n")
            self._wire.reply(QUIT_SECONDS)
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.closed = True
        self._wire.close()

    # --- sign-in ------------------------------------------------------------------------------------------------

    def _begin(self, account: Account) -> None:
        if account.server.implicit_tls:
            self._wire.encrypt(account.ca_file)
        greeting = self._wire.reply(LINE_SECONDS)
        if not good(greeting):
            raise Lost(text(greeting))
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
        if not good(answer := self._wire.command("STLS")):
            raise Unusable(Flaw.NO_TLS, text(answer))
        self._wire.encrypt(account.ca_file)
        self._capabilities = self._ask_capabilities()  # those before TLS may have been forged

    def _ask_capabilities(self) -> dict[str, list[str]]:
        # RFC 2449 §5; a server without CAPA has none
        if not good(self._wire.command("CAPA")):
            return {}
        words = [line.decode("latin-1").upper().split() for line in self._lines()]
        return {first: rest for first, *rest in filter(None, words)}

    def _sign_in(self, account: Account) -> None:
        user, password = account.user, account.password
        if not user or any(character in "\r\n\0" for character in user + password):
            raise PasswordRefused("a user name and a password are one line each")
        if "USER" not in self._capabilities and "PLAIN" in self._capabilities.get("SASL", ()):
            # RFC 5034 §4: with "=" the server asks for the response, which may be longer than a command
            answer = self._wire.command("AUTH PLAIN")
            if answer.startswith(b"+ ") or answer.rstrip() == b"+":
                answer = self._wire.command(base64.b64encode(f"\0{user}\0{password}".encode()).decode())
        elif good(answer := self._wire.command(f"USER {user}")):
            answer = self._wire.command(f"PASS {password}")
        if not good(answer):
            words = text(answer)
            raise Lost(words) if any(code in words.upper() for code in _LATER) else PasswordRefused(words)

    # --- replies ------------------------------------------------------------------------------------------------

    def _numbered(self, command: str, flaw: Flaw) -> list[tuple[int, str]]:
        """Return the numbers of a list, each with what stands behind it."""
        answer = self._wire.command(command, REPLY_SECONDS)
        if not good(answer):
            raise Unusable(flaw, text(answer))
        rows = []
        for line in self._lines():
            number, _space, value = line.decode("latin-1").strip().partition(" ")
            rows.append((_number(number, digits=9), value.strip().split(" ")[0]))
        return rows

    def _lines(self) -> Iterator[bytes]:
        rest, count, octets = b"", 0, 0
        for chunk in self._wire.payload():
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


def _number(value: str, *, digits: int) -> int:
    digits_only = value.partition(" ")[0]
    if not (digits_only.isascii() and digits_only.isdigit() and len(digits_only) <= digits):
        raise Unusable(Flaw.NOT_POP3, f"{digits_only[:TEXT_CHARACTERS]!a} is not a number")
    return int(digits_only)
