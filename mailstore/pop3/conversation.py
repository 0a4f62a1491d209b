"""Turn-taking with a peer: each line has its turn when the last one is answered; it knows no command."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from mailstore.errors import MailError
from mailstore.pop3.commands import SASL_LINE_OCTETS, TLS_RECORD_START
from mailstore.ports import Message
from mailstore.wire.lines import NEED_MORE, OVERLONG, LineBuffer, Step

if TYPE_CHECKING:
    from mailstore.ports import Done, OpenBody, Peer

T = TypeVar("T")

HELD_OCTETS = 16 * 1024  # replies of one turn that leave in one write: a write each would take most of the turn
PENDING_OCTETS = 64 * 1024  # lines that wait for their turn: thousands of them; above it nothing more is read


class Waiting(Enum):
    """What keeps the next line from its turn."""

    NOTHING = auto()
    ANSWER = auto()
    BODY = auto()
    HANDSHAKE = auto()


# Bound once: Python 3.11 takes a tenth of a microsecond to find a member through its class, several times a line.
_NOTHING, _ANSWER, _BODY, _HANDSHAKE = Waiting


class Conversation(ABC):
    """The half of `ports.Session` that moves octets; `proceed` is never called while a body is still on its way."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._say: Callable[[bytes], None] = peer.write
        self._lines = LineBuffer(SASL_LINE_OCTETS)
        self._held: list[bytes] = []  # replies to a pipeline
        self._held_octets = 0
        self._waiting: Waiting = _NOTHING
        self._working = False
        self._receipts = 0  # how many times octets came
        self._obeyed = 0  # the receipt that the last line obeyed came in
        self._half_closed = False
        self._closing = False
        self._gone = False
        self._reason: str | None = None  # why this side ended it
        self._then: Callable[[Any], None]  # these two once something was asked
        self._failed: Callable[[MailError], None]

    # --- driven by the connection ----------------------------------------------------------------------------------

    def receive(self, data: bytes) -> bool:
        self._receipts += 1
        if self._waiting is _NOTHING and not (self._closing or self._peer.congested):
            line = self._lines.only_line(data)
            if line is not None:  # and so nothing else waits, before its turn or behind it
                self._take_turn(line)
                return True
        elif self._waiting is _HANDSHAKE:
            # CVE-2011-0411: what came in clear before the handshake is never taken for what comes after it.
            self._end("clear text behind STLS")
        if not self._closing:
            self._lines.feed(data)
            self._work()
        return self.wants_input()

    def proceed(self) -> None:
        if self._waiting is _BODY:
            self._waiting = _NOTHING
            self._sent()
        self._work()

    def tls_started(self, version: str) -> None:
        """Nothing waits here: octets behind STLS, or before the handshake, have ended the conversation."""
        if self._waiting is _HANDSHAKE:
            self._waiting = _NOTHING

    def half_closed(self) -> None:
        self._half_closed = True
        self._work()

    def wants_input(self) -> bool:
        return len(self._lines) < PENDING_OCTETS

    def _work(self) -> None:
        """Give waiting lines their turns. An answer that comes at once comes back here: the outer call goes on."""
        pipeline = False
        while not (self._working or self._closing or self._peer.congested) and self._waiting is _NOTHING:
            if len(self._lines):
                if not self._peer.has_turn(self._work):
                    break
                pipeline = True
                self._say = self._hold
            line = self._lines.next_line()
            if line is NEED_MORE:
                self._run_dry()
                break
            self._take_turn(line)
        if pipeline:
            self._release()
            self._say = self._peer.write

    def _take_turn(self, line: bytes | Literal[Step.OVERLONG]) -> None:
        self._working = True
        self._obeyed = self._receipts
        try:
            if line is OVERLONG:
                self._overlong()
            else:
                self._obey(line)
        except Exception:
            self._give_up()
        finally:
            self._working = False

    def _hold(self, reply: bytes) -> None:
        """Say it with the others of this turn."""
        self._held.append(reply)
        self._held_octets += len(reply)
        if self._held_octets >= HELD_OCTETS:
            self._release()

    def _release(self) -> None:
        if self._held:
            held, self._held, self._held_octets = self._held, [], 0
            self._peer.write(b"".join(held))

    def _run_dry(self) -> None:
        # RFC 1939 §3: a command ends with its line, so what is left of one at the end is none.
        if self._half_closed:
            self._end("half-closed")
        elif self._lines.starts_with(TLS_RECORD_START):
            self._foreign()

    # --- asked by the protocol -------------------------------------------------------------------------------------

    @abstractmethod
    def _obey(self, line: bytes) -> None:
        """Answer one line, or begin to wait."""

    @abstractmethod
    def _overlong(self) -> None:
        """A line was too long, and is dropped."""

    @abstractmethod
    def _foreign(self) -> None:
        """The peer speaks TLS where POP3 in clear is expected."""

    @abstractmethod
    def _sent(self) -> None:
        """What `_send` began is out, whole."""

    def _answer_to(self, then: Callable[[T], None], failed: Callable[[MailError], None]) -> Done[T]:
        """What a port that is asked now calls with its answer; no line has its turn before that."""
        self._waiting = _ANSWER
        self._then = then
        self._failed = failed
        return self._answered

    def _answered(self, answer: object) -> None:
        if self._gone:
            if isinstance(answer, Message):
                answer.body.close()
            return
        self._waiting = _NOTHING
        try:
            if isinstance(answer, MailError):
                self._failed(answer)
            else:
                self._then(answer)
        except Exception:
            self._give_up()
        if not self._working:
            self._work()

    def _leave(self) -> None:
        """The connection is gone: an answer is not heard any more, and what waited for it is let go."""
        self._gone = self._closing = True
        self._then = self._failed = _unheard

    def _send(self, head: bytes, body: OpenBody, count: int, tail: bytes) -> None:
        self._waiting = _BODY
        self._release()
        if self._peer.send_body(head, body, count, tail):
            self._waiting = _NOTHING
            self._sent()

    def _begin_tls(self) -> None:
        self._waiting = _HANDSHAKE
        self._release()
        self._peer.start_tls()

    def _give_up(self) -> None:
        """A bug of ours, while its exception is handled: the peer is told by the end, instead of waiting in silence."""
        self._closing = True
        self._waiting = _NOTHING
        self._release()  # what was said before it is true
        self._peer.fail()

    def _end(self, reason: str) -> None:
        self._closing = True
        self._reason = reason
        self._release()
        self._peer.close()


def _unheard(_answer: object) -> None:
    """For whoever left before the answer came."""
