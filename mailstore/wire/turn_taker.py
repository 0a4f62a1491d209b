"""Give each line of a peer its turn, once the line before it has its answer. It knows no command and no reply.

Both protocols compose it: a session owns one `TurnTaker`, and is the `LineHandler` that it calls.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from mailstore.errors import MailError
from mailstore.ports import Message
from mailstore.wire.lines import NEED_MORE, OVERLONG, LineBuffer, Step
from mailstore.wire.reply_buffer import ReplyBuffer

if TYPE_CHECKING:
    from mailstore.ports import Done, OpenBody, Peer

T = TypeVar("T")

HELD_OCTETS = 16 * 1024  # replies of one turn that leave in one write: a write each would take most of the turn
PENDING_OCTETS = 64 * 1024  # of lines that wait for their turn, some thousands; above it the listener stops reading


class LineHandler(Protocol):
    """What a protocol does with its lines."""

    def obey(self, line: bytes) -> None:
        """Answer one line, or begin to wait for an answer."""

    def obey_overlong(self) -> None:
        """Answer a line that was above the limit; its octets are gone."""

    def out_of_lines(self) -> None:
        """No whole line is left, and nothing keeps the next one from its turn. Half a line may be there."""


class ContentReader(Protocol):
    """What reads octets that are not lines."""

    def feed(self, chunk: bytes) -> bytes | None:
        """Return the octets behind the end of the content; None while more is to come."""


class Waiting(Enum):
    """What keeps the next line from its turn."""

    NOTHING = auto()
    ANSWER = auto()  # of a port
    BODY = auto()  # on its way out
    CONTENT = auto()  # on its way in
    HANDSHAKE = auto()


# Bound once: Python 3.11 takes a tenth of a microsecond to find a member through its class, several times a line.
_NOTHING, _ANSWER, _BODY, _CONTENT, _HANDSHAKE = Waiting


class TurnTaker:
    """The half of `ports.Session` that moves octets.

    `say` writes a reply. The replies to a pipeline wait until its turn ends, and then leave in one write. `lines` has
    the octets that wait for their turn.

    `receipt_count` is how many times octets came, `obeyed_receipt` the receipt in which the last obeyed line came.
    `input_ended`: the peer sends no more. `closing`: no line has a turn any more. `gone`: the connection is lost.
    `end_reason` says why this side ended the session; None while it did not.

    `flush`, where given, is called when the lines have had their turns for now, and before the end. A session that
    says its replies needs none.
    """

    __slots__ = (
        "_content", "_failed", "_flush", "_handler", "_held", "_peer", "_sent", "_then", "_waiting", "_working",
        "closing", "end_reason", "gone", "input_ended", "lines", "obeyed_receipt", "receipt_count", "say",
    )  # fmt: skip

    def __init__(
        self, peer: Peer, handler: LineHandler, *, line_octets: int, flush: Callable[[], None] | None = None
    ) -> None:
        self._peer = peer
        self._handler = handler
        self._flush = flush
        self.say: Callable[[bytes], None] = peer.write
        self._held = ReplyBuffer(self.say, limit_octets=HELD_OCTETS)  # replies to a pipeline
        self.lines = LineBuffer(line_octets)
        self._waiting: Waiting = _NOTHING
        self._working = False
        self.closing = False
        self.gone = False
        self.input_ended = False
        self.end_reason: str | None = None
        self.receipt_count = 0
        self.obeyed_receipt = 0
        self._then: Callable[[Any], None]  # these two are set by `answer_to`
        self._failed: Callable[[MailError], None]
        self._sent: Callable[[], None]  # set by `send_body`
        self._content: tuple[ContentReader, Callable[[], None]] | None = None  # and what to call at its end

    # --- called by the session, for the connection ----------------------------------------------------------------

    def receive(self, data: bytes) -> bool:
        """Take octets from the peer, and return what `wants_input` says then."""
        self.receipt_count += 1
        if self._waiting is _NOTHING and not (self.closing or self._peer.congested):
            line = self.lines.only_line(data)
            if line is not None:  # nothing waits before it and nothing comes behind it
                self._take_turn(line)
                if self._flush is not None:
                    self._flush()
                return True
        elif self._waiting is _HANDSHAKE:
            # CVE-2011-0411: octets that came in clear before the handshake never count as sent after it.
            self.end("clear text behind STLS")
        if not self.closing:
            if self._content is not None:
                self.hear(partial(self._take_content, *self._content, data))
            else:
                self.lines.feed(data)
                self.work()
        return self.wants_input()

    def proceed(self) -> None:
        """Go on: the peer reads again, or the body is out."""
        if self._waiting is _BODY:
            self._waiting = _NOTHING
            self._sent()
        self.work()

    def tls_started(self) -> None:
        """End the wait for a handshake. No line waits here: octets that came before it have ended the session."""
        if self._waiting is _HANDSHAKE:
            self._waiting = _NOTHING

    def end_input(self) -> None:
        """Learn that the peer sends no more. The lines that came keep their turns."""
        self.input_ended = True
        if self._content is None or self.closing:
            self.work()
        else:
            self._react(self._handler.out_of_lines)

    def wants_input(self) -> bool:
        """Say whether there is room for more lines."""
        return len(self.lines) < PENDING_OCTETS

    def leave(self) -> None:
        """Learn that the connection is gone. Later answers are dropped, and the session is let go.

        The session and its turn-taker refer to each other; so neither has to wait for the garbage collector.
        """
        self.gone = self.closing = True
        self._then = self._failed = _ignore
        self._sent = _do_nothing
        self._flush = self._content = None
        del self._handler

    # --- called by the session, for itself ------------------------------------------------------------------------

    def wait(self) -> None:
        """Keep the next line from its turn until `resume`."""
        self._waiting = _ANSWER

    def resume(self) -> None:
        """End a `wait`. The next line has its turn when the running call returns."""
        self._waiting = _NOTHING

    def answer_to(self, then: Callable[[T], None], failed: Callable[[MailError], None]) -> Done[T]:
        """Wait for the answer of a port, and return what the port calls with it.

        `then` gets a value, `failed` a MailError. No line has its turn before that.
        """
        self._waiting = _ANSWER
        self._then = then
        self._failed = failed
        return self._answered

    def waits_for_answer(self) -> bool:
        return self._waiting is _ANSWER

    def hear(self, act: Callable[[], None]) -> None:
        """Run `act`, the reaction to an answer, and then give the lines their turns. An exception ends the session."""
        self._react(act)
        self.work()

    def send_body(self, head: bytes, body: OpenBody, count: int, tail: bytes, *, sent: Callable[[], None]) -> None:
        """Send head, `count` octets of the body and tail; then call `sent`. No line has its turn before that."""
        self._waiting = _BODY
        self._sent = sent
        self._held.release()
        if self._peer.send_body(head, body, count, tail):
            self._waiting = _NOTHING
            sent()

    def read_content(self, reader: ContentReader, at_end: Callable[[], None]) -> None:
        """Give the octets from here on to `reader`, those that came already first. At its end call `at_end`."""
        self._waiting = _CONTENT
        self._content = reader, at_end
        self._take_content(reader, at_end, self.lines.take())

    def start_tls(self) -> None:
        """Begin the handshake. No line has its turn before its end."""
        self._waiting = _HANDSHAKE
        self._held.release()
        self._peer.start_tls()

    def end(self, reason: str) -> None:
        """Close the connection behind what was written; no further line has a turn."""
        self.closing = True
        self.end_reason = reason
        self._held.release()
        if self._flush is not None:
            self._flush()
        self._peer.close()

    def cut(self, reason: str) -> None:
        """End the connection at once; no further line has a turn."""
        self.closing = True
        self._peer.cut(reason)

    def give_up(self) -> None:
        """End after a bug of ours, while its exception is handled, so that the peer does not wait in silence."""
        self.closing = True
        self._waiting = _NOTHING
        self._held.release()  # what was said before the bug is true
        if self._flush is not None:
            self._flush()
        self._peer.fail()

    def work(self) -> None:
        """Give waiting lines their turns. An answer that comes at once gets here too: then the outer call goes on."""
        if self._working:
            return
        while self._waiting is _NOTHING and not (self.closing or self._peer.congested):
            if len(self.lines):
                if not self._peer.has_turn(self.work):
                    break
                self.say = self._held.add
            line = self.lines.next_line()
            if line is NEED_MORE:
                self._react(self._handler.out_of_lines)
                break
            self._take_turn(line)
        self._held.release()
        self.say = self._peer.write
        if self._flush is not None:
            self._flush()

    # --- inside ---------------------------------------------------------------------------------------------------

    def _take_turn(self, line: bytes | Literal[Step.OVERLONG]) -> None:
        self._working = True
        self.obeyed_receipt = self.receipt_count
        try:
            if line is OVERLONG:
                self._handler.obey_overlong()
            else:
                self._handler.obey(line)
        except Exception:
            self.give_up()
        finally:
            self._working = False

    def _take_content(self, reader: ContentReader, at_end: Callable[[], None], data: bytes) -> None:
        rest = reader.feed(data)
        if rest is not None:
            self._waiting = _NOTHING
            self._content = None
            self.lines.feed(rest)
            at_end()

    def _answered(self, answer: object) -> None:
        if self.gone:
            if isinstance(answer, Message):
                answer.body.close()
            return
        self._waiting = _NOTHING
        self._react(self._failed if isinstance(answer, MailError) else self._then, answer)
        self.work()

    def _react(self, act: Callable[..., None], *answer: object) -> None:
        """Run a part of the session. No line has its turn while it runs. An exception ends the session."""
        nested, self._working = self._working, True
        try:
            act(*answer)
        except Exception:
            self.give_up()
        finally:
            self._working = nested


def _ignore(_answer: object) -> None:
    """Take an answer that came after the end."""


def _do_nothing() -> None:
    """Follow a body whose connection is gone."""
