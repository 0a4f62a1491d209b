"""What stands on the other sides of a POP3 session in tests: a peer, accounts, maildrops, a journal. No sockets."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mailstore.errors import Abandoned, BadCredentials, MailError
from mailstore.pop3.protocol import Rules
from mailstore.pop3.session import Session
from mailstore.ports import Credentials, Done, Handled, Listing, Message, OpenBody, SessionRecord, WrongStart

BODY_CHUNK_OCTETS = 64 * 1024


class MemoryBody:
    """A body in memory. `error` is raised by every read from `fails_at` on; `reads` keeps (offset, count)."""

    def __init__(self, wire: bytes, error: MailError | None = None, fails_at: int = 0) -> None:
        self.wire = wire
        self.wire_octets = len(wire)
        self.error = error
        self.fails_at = fails_at
        self.reads: list[tuple[int, int]] = []
        self.closed = 0

    def read(self, offset: int, count: int) -> bytes:
        self.reads.append((offset, count))
        if self.error is not None and offset >= self.fails_at:
            raise self.error
        return self.wire[offset : offset + count]

    def descriptor(self) -> int | None:
        return None

    def close(self) -> None:
        self.closed += 1


class Answers:
    """Answers of a port: given at once, or kept back until `release` while `held` is True."""

    def __init__(self) -> None:
        self.held = False
        self._kept: list[Callable[[], None]] = []

    def give(self, done: Done[Any], answer: object) -> Callable[[], None] | None:
        """Returns what was kept back, if it was."""
        if not self.held:
            done(answer)
            return None
        self._kept.append(partial(done, answer))
        return self._kept[-1]

    def withdraw(self, kept: Callable[[], None]) -> bool:
        """Give that answer no more; False when it was given."""
        if kept not in self._kept:
            return False
        self._kept.remove(kept)
        return True

    @property
    def outstanding(self) -> int:
        return len(self._kept)

    def release(self) -> None:
        kept, self._kept = self._kept, []
        for give in kept:
            give()


@dataclass
class StoredMessage:
    """`body` is in wire form; `octets` is what a client ends with."""

    body: bytes
    uidl: str
    prefix: bytes = b""
    error: MailError | None = None
    fails_at: int | None = None  # None: the message cannot be opened; else reading fails there

    @property
    def octets(self) -> int:
        wire = b"\r\n" + self.prefix + self.body
        return len(wire) - 2 - wire.count(b"\r\n.")


class FakeMaildrop:
    """A maildrop in memory. Set `listing_error` or `remove_error` to make it fail, `answers.held` to make it wait.

    `on_remove` gets the messages that were removed.
    """

    def __init__(
        self,
        *stored: StoredMessage,
        address: str = "anna@example.org",
        device: str = "main",
        expire_days: int | None = None,
        on_remove: Callable[[list[StoredMessage]], None] = lambda _messages: None,
    ) -> None:
        self.address = address
        self._on_remove = on_remove
        self.device = device
        self.expire_days = expire_days
        self.stored = stored
        self.messages = len(stored)
        self.octets = sum(message.octets for message in stored)
        self.answers = Answers()
        self.listing_error: MailError | None = None
        self.remove_error: MailError | None = None
        self.listings = 0
        self.removed: list[list[int]] = []
        self.opened: list[MemoryBody] = []
        self.bar: Callable[[], None] | None = None  # call it: the device may use POP no more
        self.ends: list[tuple[SessionRecord, Handled]] = []

    def listing(self, done: Done[Listing]) -> None:
        self.listings += 1
        self.answers.give(done, self.listing_error or self._listing())

    def message(self, number: int, done: Done[Message]) -> None:
        stored = self.stored[number - 1]
        error = self.listing_error or (None if stored.fails_at is not None else stored.error)
        if error is not None:
            self.answers.give(done, error)
            return
        body = MemoryBody(stored.body, stored.error, stored.fails_at or 0)
        self.opened.append(body)
        self.answers.give(done, Message(stored.octets, stored.prefix, body))

    def remove(self, numbers: Sequence[int], done: Done[int]) -> None:
        self.removed.append(list(numbers))
        if self.remove_error is None:
            self._on_remove([self.stored[number - 1] for number in numbers])
        self.answers.give(done, self.remove_error or len(numbers))

    def watch(self, barred: Callable[[], None]) -> None:
        self.bar = barred

    def ended(self, record: SessionRecord, handled: Handled) -> None:
        self.bar = None
        self.ends.append((record, handled))

    def _listing(self) -> Listing:
        return Listing(
            keys=array("q", range(1, self.messages + 1)),
            arrivals=array("q", range(1, self.messages + 1)),
            octets=array("q", [message.octets for message in self.stored]),
            uidls=[message.uidl for message in self.stored],
        )


class FakeSignIn:
    """A sign-in; one whose answer is kept back has a check that has not begun."""

    def __init__(self, answers: Answers, kept: Callable[[], None] | None, done: Done[Any]) -> None:
        self._answers = answers
        self._kept = kept
        self._done = done
        self.gave_way = False

    def abandon(self) -> None:
        if self._kept is not None and self._answers.withdraw(self._kept):
            self._done(Abandoned("the client left"))

    def give_way(self) -> None:
        self.gave_way = True


Opens = FakeMaildrop | MailError | Callable[[], FakeMaildrop]


class FakeAccounts:
    """Accounts by address in any case; `asked` keeps every attempt. `error` is the answer to all while it is set."""

    def __init__(self) -> None:
        self.answers = Answers()
        self.asked: list[Credentials] = []
        self.sign_ins: list[FakeSignIn] = []
        self.malformed: list[tuple[str, str, str | None]] = []
        self.wrong_starts: list[tuple[WrongStart, str]] = []
        self.error: MailError | None = None
        self.expire: tuple[int | None, bool] | None = (None, False)
        self._known: dict[str, tuple[str, Opens]] = {}

    def add(self, address: str, secret: str, opens: Opens) -> None:
        """`opens` is what the right secret gives: a maildrop, what makes one, or an error such as PopSwitchedOff."""
        self._known[address.lower()] = (secret, opens)

    def sign_in(self, credentials: Credentials, done: Done[FakeMaildrop]) -> FakeSignIn:
        self.asked.append(credentials)
        secret, opens = self._known.get(credentials.address.lower(), (None, None))
        right = secret == credentials.secret
        given = opens() if right and callable(opens) else opens
        answer = self.error or (given if right else BadCredentials("unknown user or wrong password"))
        self.sign_ins.append(FakeSignIn(self.answers, self.answers.give(done, answer), done))
        return self.sign_ins[-1]

    def note_malformed(self, address: str, client: str, tls: str | None) -> None:
        self.malformed.append((address, client, tls))

    def note_wrong_start(self, start: WrongStart, client: str) -> None:
        self.wrong_starts.append((start, client))

    def site_expire_days(self) -> tuple[int | None, bool] | None:
        return self.expire


@dataclass
class FakeJournal:
    refused: list[tuple[str, str]] = field(default_factory=list)
    sign_ins_refused: list[tuple[str, str | None, str, str, str]] = field(default_factory=list)
    records: list[SessionRecord] = field(default_factory=list)
    troubles: list[tuple[MailError, str]] = field(default_factory=list)

    def cleartext_refused(self, client: str, command: str) -> None:
        self.refused.append((client, command))

    def sign_in_refused(self, client: str, proxy: str | None, address: str, *, mechanism: str, cause: str) -> None:
        self.sign_ins_refused.append((client, proxy, address, mechanism, cause))

    def session_ended(self, record: SessionRecord) -> None:
        self.records.append(record)

    def trouble(self, error: MailError, doing: str) -> None:
        self.troubles.append((error, doing))


class FakePeer:
    """A connection in memory that keeps what was sent.

    `full`: the other side does not read. `fills_up`: it stops reading after the next write. `slow`: a body waits for
    `deliver_body`. `was_cut`: the connection was cut, because a body failed under way or by the session.
    `turn_lines`: how many lines a turn has, as many as there are while it is None; then `turns` has what goes on.
    """

    def __init__(self, *, client: str = "192.0.2.7", loopback: bool = False, encrypted: bool = True) -> None:
        self.client = client
        self.proxy: str | None = None
        self.loopback = loopback
        self.encrypted = encrypted
        self.session: Session | None = None
        self.sent = bytearray()
        self.writes: list[bytes] = []
        self.full = False
        self.fills_up = False
        self.slow = False
        self.upgrading = False
        self.closed = False
        self.failures: list[BaseException | None] = []
        self.was_cut = False
        self.turns: list[Callable[[], None]] = []  # what waits for the next one
        self.turn_lines: int | None = None
        self.admitted = False
        self.called_name: str | None = None
        self.called_address: str | None = "192.0.2.1"
        self._lines_left = 0
        self._body: tuple[bytes, OpenBody, int, bytes] | None = None

    def server_name(self) -> str | None:
        return self.called_name

    def listener_address(self) -> str | None:
        return self.called_address

    @property
    def congested(self) -> bool:
        return self.full

    def write(self, data: bytes) -> None:
        assert self._body is None, "a write overtakes a body"
        if not self.closed:
            self.sent += data
            self.writes.append(data)
            self.full = self.full or self.fills_up

    def send_body(self, head: bytes, body: OpenBody, count: int, tail: bytes) -> bool:
        self._body = (head, body, count, tail)
        return not self.slow and self._send_waiting()

    def deliver_body(self) -> None:
        """Send the body that waits, whole."""
        assert self.session is not None
        if self._send_waiting():
            self.session.proceed()

    def _send_waiting(self) -> bool:
        assert self._body is not None
        head, body, count, tail = self._body
        self._body = None
        self.sent += head
        try:
            for offset in range(0, count, BODY_CHUNK_OCTETS):
                self.sent += body.read(offset, min(BODY_CHUNK_OCTETS, count - offset))
        except MailError:
            self.closed = self.was_cut = True
            return False
        finally:
            body.close()
        self.sent += tail
        return True

    def has_turn(self, act: Callable[[], None]) -> bool:
        if self.turn_lines is None:
            return True
        if self.turns:  # it waits already
            return False
        self._lines_left = (self._lines_left or self.turn_lines + 1) - 1
        if self._lines_left:
            return True
        self.turns.append(act)
        return False

    def take_turn(self) -> None:
        """Let what waits for a turn go on."""
        turns, self.turns = self.turns, []
        for act in turns:
            act()

    def admit(self) -> None:
        self.admitted = True

    def next_turn(self, act: Callable[[], None]) -> None:
        self.turns.append(act)

    def start_tls(self) -> None:
        self.upgrading = True

    def finish_tls(self) -> None:
        """The handshake is done."""
        assert self.session is not None
        self.upgrading = False
        self.encrypted = True
        self.session.tls_started("TLSv1.3")

    def close(self) -> None:
        self.closed = True

    def cut(self, reason: str) -> None:
        assert self.session is not None
        self.closed = self.was_cut = True
        self.session.ended(reason, 100, len(self.sent))

    def fail(self) -> None:
        self.failures.append(sys.exception())
        self.closed = True


TLS_ONLY = Rules(plaintext_login="never", tls_offered=True)


class Conversation:
    """A session with all its fakes, where anna@example.org has the password secret."""

    def __init__(self, *messages: StoredMessage, peer: FakePeer | None = None, rules: Rules = TLS_ONLY) -> None:
        self.peer = peer or FakePeer()
        self.maildrop = FakeMaildrop(*messages)
        self.accounts = FakeAccounts()
        self.accounts.add("anna@example.org", "secret", self.maildrop)
        self.journal = FakeJournal()
        self.session = Session(self.peer, self.accounts, self.journal, rules)
        self.peer.session = self.session
        self.session.connected()

    def send(self, data: bytes) -> bytes:
        """Receive octets, and return what was sent because of them."""
        before = len(self.peer.sent)
        self.session.receive(data)
        return bytes(self.peer.sent[before:])

    def say(self, line: str) -> str:
        """Receive one line, and return what was sent because of it."""
        return self.send(line.encode() + b"\r\n").decode()

    def sign_in(self, secret: str = "secret") -> str:
        self.say("USER anna@example.org")
        return self.say(f"PASS {secret}")

    def end(self, reason: str = "lost") -> SessionRecord:
        self.session.ended(reason, 100, len(self.peer.sent))
        return self.journal.records[-1]
