"""One LMTP conversation: it obeys commands and remembers; it parses nothing, words nothing and knows no socket."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mailstore.errors import MailError, MessageTooLarge, QuotaDeferred, TryAgain
from mailstore.lmtp import commands, replies
from mailstore.lmtp.commands import Bare, Bdat, Command, Fault, Lhlo, Mail, Rcpt
from mailstore.lmtp.message_data import Chunks, Data, Kept, Reader, Skipped
from mailstore.lmtp.protocol import LEGAL, Rules, State
from mailstore.lmtp.reply_order import ReplyOrder
from mailstore.lmtp.transaction import Transaction
from mailstore.ports import Delivered, Recipient
from mailstore.wire.lines import NEED_MORE, OVERLONG, LineBuffer

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailstore.ports import Delivery, Journal, Peer

PENDING_OCTETS = 64 * 1024  # commands that wait for replies to others; above it nothing more is read


class Session:
    """Implements `ports.Session`. LMTP has no sign-in: whoever reaches the listener may deliver."""

    def __init__(self, peer: Peer, delivery: Delivery, journal: Journal, rules: Rules) -> None:
        self._peer = peer
        self._delivery = delivery
        self._journal = journal
        self._rules = rules
        self._lines = LineBuffer(commands.COMMAND_OCTETS)
        self._state = State.GREETED
        self._name = ""  # what LHLO said
        self._transaction = Transaction()
        self._turns = ReplyOrder()  # the RCPTs that wait for an answer, or the recipients of a message that do
        self._content: tuple[Reader, Callable[[], None]] | None = None  # while it comes; and what to do at its end
        self._waiting_command: Command | Fault | None = None  # parsed, but RCPTs before it have no answer yet
        self._undelivered: set[int] = set()  # recipients of a message that came, whom the store has not answered
        self._bad_in_a_row = 0
        self._out: list[bytes] = []
        self._working = False
        self._resting = False  # lines wait for the next turn
        self._half_closed = False
        self._closing = False
        self._gone = False

    # --- the connection's side (ports.Session) --------------------------------------------------------------------

    def connected(self) -> None:
        self._peer.write(replies.greeting(self._rules.hostname))

    def receive(self, data: bytes) -> bool:
        if not (self._closing or self._gone):
            self._take(data)
            self._work()
        return self.wants_input()

    def proceed(self) -> None:
        self._work()

    def tls_started(self, version: str) -> None:
        """TLS may lie around LMTP; nothing here depends on it."""

    def half_closed(self) -> None:
        self._half_closed = True
        self._work()

    def ended(self, reason: str, octets_in: int, octets_out: int) -> None:
        self._gone = True
        self._transaction.forget()

    def wants_input(self) -> bool:
        return not self._peer.congested and len(self._lines) <= PENDING_OCTETS

    def signed_in(self) -> bool:
        return self._state is not State.GREETED

    def updating(self) -> bool:
        return bool(self._undelivered)

    # --- the loop -------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        """Obey what waits, as far as it may be obeyed now; replies made meanwhile leave in one write."""
        if self._working or self._gone:
            return
        self._working = True
        self._resting = False
        try:
            self._obey_lines()
        except Exception:
            self._give_up()
        finally:
            self._working = False
        # RFC 2920 §3.2: the replies to an envelope leave together, once its recipients are decided.
        if self._undelivered or not self._turns:
            self._flush()
        if self._half_closed and not (self._turns or self._resting or self._peer.congested):
            self._close()

    def _obey_lines(self) -> None:
        while not (self._closing or self._content or self._undelivered or self._peer.congested) and self._step():
            pass

    def _step(self) -> bool:
        """Obey the next line; False when there is none, or it has to wait."""
        command = self._next_command()
        if command is None:
            return False
        if self._turns and not self._may_overtake(command):
            self._waiting_command = command
            return False
        self._obey(command)
        return True

    def _next_command(self) -> Command | Fault | None:
        if self._waiting_command is not None:
            command, self._waiting_command = self._waiting_command, None
            return command
        if len(self._lines) and not self._peer.has_turn(self._work):
            self._resting = True
            return None
        line = self._lines.next_line()
        if line is NEED_MORE:
            return None
        return Fault.TOO_LONG if line is OVERLONG else commands.parse(line)

    @staticmethod
    def _may_overtake(command: Command | Fault) -> bool:
        """RCPTs are asked together; anything else may depend on their answers."""
        return isinstance(command, Rcpt)

    def _obey(self, command: Command | Fault) -> None:
        if isinstance(command, Fault):
            self._refuse_line(command)
        elif command.verb in LEGAL[self._state]:
            self._bad_in_a_row = 0
            _HANDLERS[command.verb](self, command)
        else:
            self._refuse(command)

    def _refuse(self, command: Command) -> None:
        reply = replies.LHLO_FIRST if self._state is State.GREETED else replies.WRONG_STATE[command.verb]
        if isinstance(command, Bdat):
            self._expect(Skipped(command.octets), partial(self._say, reply))
        else:
            self._say(reply)

    def _refuse_line(self, fault: Fault) -> None:
        self._bad_in_a_row += fault in commands.NOT_COMMANDS
        if self._bad_in_a_row >= self._rules.max_bad_commands:
            self._say(replies.TOO_MANY_BAD_COMMANDS)
            self._close()
            return
        self._say(replies.FAULTS[fault])
        if fault is Fault.CHUNK_SIZE:
            # Nobody knows how many octets follow that are no commands.
            self._close()

    # --- commands -------------------------------------------------------------------------------------------------

    def _lhlo(self, command: Lhlo) -> None:
        # RFC 5321 §4.1.4: it also ends a transaction.
        self._reset()
        self._name = command.name
        self._state = State.READY
        self._say(replies.extensions(self._rules))

    def _mail(self, command: Mail) -> None:
        # RFC 1870 §6.1
        if command.octets is not None and command.octets > self._rules.max_message_octets:
            self._say(replies.ANSWERS[MessageTooLarge])
            return
        self._transaction = Transaction(command)
        self._turns = ReplyOrder()
        self._state = State.SENDER
        self._say(replies.SENDER_OK)

    def _rcpt(self, command: Rcpt) -> None:
        transaction = self._transaction
        number = self._turns.ask()
        if not (command.address.isascii() or transaction.mail.utf8):
            self._answer(number, replies.FAULTS[Fault.UTF8])
        elif len(transaction.accepted) + transaction.undecided >= self._rules.max_recipients:
            self._answer(number, replies.TOO_MANY_RECIPIENTS)
        else:
            transaction.undecided += 1
            answered = partial(self._recipient_answered, number)
            self._delivery.recipient(command.address, transaction.mail.octets, answered)

    def _recipient_answered(self, number: int, answer: Recipient | MailError) -> None:
        if self._gone:
            return
        try:
            self._decided(number, answer)
        except Exception:
            self._give_up()
        self._work()

    def _decided(self, number: int, answer: Recipient | MailError) -> None:
        self._transaction.undecided -= 1
        if isinstance(answer, Recipient):
            self._transaction.accepted[number] = answer
            self._state = State.RECIPIENTS
            self._answer(number, replies.RECIPIENT_OK)
        else:
            self._answer(number, self._error_reply(answer, "asking for a recipient"))

    def _data(self, _command: Bare) -> None:
        kept = self._begin_message()
        self._say(replies.GO_AHEAD)
        self._expect(Data(kept), partial(self._commit, kept))

    def _bdat(self, command: Bdat) -> None:
        chunks = self._transaction.chunks
        if chunks is None:
            chunks = self._transaction.chunks = Chunks(self._begin_message())
        chunks.announce(command.octets, last=command.last)
        self._state = State.CHUNKS
        self._expect(chunks, partial(self._commit if command.last else self._chunk_read, chunks.kept))

    def _chunk_read(self, kept: Kept) -> None:
        self._say(replies.ANSWERS[MessageTooLarge] if kept.too_large else replies.CHUNK_OK)

    def _rset(self, _command: Bare) -> None:
        self._reset()
        self._say(replies.OK)

    def _noop(self, _command: Bare) -> None:
        self._say(replies.OK)

    def _help(self, _command: Bare) -> None:
        self._say(replies.HELP)

    def _vrfy(self, _command: Bare) -> None:
        self._say(replies.NOT_VERIFIED)

    def _quit(self, _command: Bare) -> None:
        self._say(replies.GOODBYE)
        self._close()

    # --- a message ------------------------------------------------------------------------------------------------

    def _begin_message(self) -> Kept:
        envelope = self._transaction.envelope(self._name, self._peer)
        return self._transaction.begin(self._delivery.begin(envelope), self._rules.max_message_octets)

    def _expect(self, reader: Reader, at_end: Callable[[], None]) -> None:
        """Read what comes as content, beginning with what came already; then call `at_end`."""
        self._content = reader, at_end
        self._take(self._lines.take())

    def _take(self, data: bytes) -> None:
        """Hand octets to whom they are for: content while there is some to come, lines otherwise."""
        if self._content is None:
            self._lines.feed(data)
            return
        reader, at_end = self._content
        rest = reader.feed(data)
        if rest is not None:
            self._content = None
            self._lines.feed(rest)
            at_end()

    def _commit(self, kept: Kept) -> None:
        """All of the message came: one reply for each accepted recipient, in the order of the RCPTs (RFC 2033 §4.2)."""
        recipients = self._transaction.recipients()
        self._transaction.complete()
        self._turns = ReplyOrder()
        numbers = [self._turns.ask() for _ in recipients]
        self._undelivered = set(numbers)
        if not kept.too_large:
            kept.intake.commit(recipients, kept.octets, self._delivered)
            return
        for number in numbers:
            self._delivered(number, MessageTooLarge(f"above {self._rules.max_message_octets} octets"))

    def _delivered(self, number: int, answer: Delivered | MailError) -> None:
        if number not in self._undelivered:  # a store that failed halfway answers for all: the first answer was it
            return
        self._undelivered.discard(number)
        try:
            self._settle(number, answer)
        except Exception:
            self._give_up()
        self._work()

    def _settle(self, number: int, answer: Delivered | MailError) -> None:
        if isinstance(answer, Delivered):
            self._answer(number, replies.delivered(answer))
        else:
            self._answer(number, self._error_reply(answer, "delivering"))
        if not self._turns:
            self._reset()

    def _reset(self) -> None:
        self._transaction.forget()
        self._transaction = Transaction()
        if self._state is not State.GREETED:
            self._state = State.READY

    # --- replies --------------------------------------------------------------------------------------------------

    def _error_reply(self, answer: object, doing: str) -> bytes:
        """Return the reply to anything but success; what an operator should see goes to the journal."""
        error = answer if isinstance(answer, MailError) else TryAgain(f"not an answer: {answer!r}")
        reply = replies.of_error(error)
        if reply.startswith(b"4") and not isinstance(error, QuotaDeferred):
            self._journal.trouble(error, doing)
        return reply

    def _answer(self, number: int, reply: bytes) -> None:
        self._say(self._turns.answer(number, reply))

    def _say(self, reply: bytes) -> None:
        self._out.append(reply)

    def _flush(self) -> None:
        data = b"".join(self._out)
        self._out.clear()
        if data and not self._gone:
            self._peer.write(data)

    def _give_up(self) -> None:
        """A bug of ours, while its exception is handled: the MTA is told by the end, and tries the rest again."""
        self._closing = True
        self._flush()  # what was said before it is true
        self._peer.fail()

    def _close(self) -> None:
        self._closing = True
        self._transaction.forget()
        self._flush()
        self._peer.close()


_HANDLERS: dict[str, Callable[[Session, Any], None]] = {
    "LHLO": Session._lhlo,
    "MAIL": Session._mail,
    "RCPT": Session._rcpt,
    "DATA": Session._data,
    "BDAT": Session._bdat,
    "RSET": Session._rset,
    "NOOP": Session._noop,
    "HELP": Session._help,
    "VRFY": Session._vrfy,
    "QUIT": Session._quit,
}
