"""One LMTP session: it takes a line to the method that obeys it. It parses nothing, words nothing, moves nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from mailstore.errors import MailError, MessageTooLarge, QuotaDeferred, TryAgain
from mailstore.lmtp import commands, replies
from mailstore.lmtp.answer_report import NO_MESSAGE, AnswerReport, MessageFacts
from mailstore.lmtp.commands import Bare, Bdat, Command, Fault, Lhlo, Mail, Rcpt, Xforward
from mailstore.lmtp.message_data import ChunkReader, ChunkSkipper, DataReader, IncomingMessage
from mailstore.lmtp.protocol import Rules, State
from mailstore.lmtp.transaction import ReplyOrder, Transaction
from mailstore.ports import Delivered, Recipient, Unfit
from mailstore.wire.reply_buffer import ReplyBuffer
from mailstore.wire.turn_taker import TurnTaker

if TYPE_CHECKING:
    from mailstore.ports import Delivery, Journal, Peer, Trace


class Session:
    """Implements `ports.Session`. LMTP has no sign-in: every client that reaches the listener may deliver."""

    def __init__(self, peer: Peer, delivery: Delivery, journal: Journal, trace: Trace, rules: Rules) -> None:
        self._peer = peer
        self._delivery = delivery
        self._journal = journal
        self._report = AnswerReport(trace, peer.client)
        self._rules = rules
        self._turns = TurnTaker(peer, self, line_octets=commands.COMMAND_OCTETS, flush=self._flush)
        self._state = State.GREETED
        self._client_name = ""  # as LHLO gave it
        self._transaction = Transaction()
        self._replies = ReplyOrder()  # to the RCPTs without an answer, or to the recipients of a message without one
        self._held_command: Command | Fault | None = None  # while RCPTs before it have no answer
        self._undelivered: set[int] = set()  # places in `_replies` of recipients whose delivery has no answer
        self._message = NO_MESSAGE  # the one whose delivery has no answer
        self._bad_in_a_row = 0
        self._unwritten = ReplyBuffer(peer.write)

    # --- ports.Session --------------------------------------------------------------------------------------------

    def connected(self) -> None:
        self._peer.write(replies.greeting(self._rules.hostname))

    def receive(self, data: bytes) -> bool:
        return self._turns.receive(data) and not self._peer.congested

    def proceed(self) -> None:
        self._turns.proceed()

    def tls_started(self, version: str) -> None:
        """Do nothing: TLS may lie around LMTP, and nothing here depends on it."""

    def half_closed(self) -> None:
        self._turns.end_input()

    def wants_input(self) -> bool:
        return self._turns.wants_input() and not self._peer.congested

    def signed_in(self) -> bool:
        return self._state is not State.GREETED

    def updating(self) -> bool:
        return bool(self._undelivered)

    def ended(self, reason: str, octets_in: int, octets_out: int) -> None:
        self._turns.leave()
        self._transaction.forget()
        self._report.transaction_ended()

    # --- one line (wire.turn_taker.LineHandler) -------------------------------------------------------------------

    def obey(self, line: bytes) -> None:
        command = commands.parse(line)
        if command is Fault.RECIPIENT:
            self._refuse_recipient(commands.recipient_text(line), Unfit.ADDRESS, replies.FAULTS[command])
        self._obey_command(command)

    def obey_overlong(self) -> None:
        self._obey_command(Fault.TOO_LONG)

    def out_of_lines(self) -> None:
        if self._turns.input_ended and not self._replies:
            self._end("half-closed")

    def _obey_command(self, command: Command | Fault) -> None:
        if self._replies and not (isinstance(command, Rcpt) and len(self._replies) <= self._rules.max_recipients):
            # RCPTs are asked together, but no more than a message may have; other commands may depend on their answers.
            self._held_command = command
            self._turns.wait()
        elif isinstance(command, Fault):
            self._refuse_line(command)
        elif (act := COMMANDS[self._state].get(command.verb)) is not None:
            self._bad_in_a_row = 0
            act(self, command)
        else:
            self._refuse_in_state(command)

    def _refuse_in_state(self, command: Command) -> None:
        reply = replies.LHLO_FIRST if self._state is State.GREETED else replies.WRONG_STATE[command.verb]
        if isinstance(command, Rcpt):
            self._report.recipient_out_of_order(command.address)
        if isinstance(command, Bdat):
            self._turns.read_content(ChunkSkipper(command.octets), partial(self._reply, reply))
        else:
            self._reply(reply)

    def _refuse_line(self, fault: Fault) -> None:
        self._bad_in_a_row += fault in commands.NOT_COMMANDS
        if self._bad_in_a_row >= self._rules.max_bad_commands:
            self._reply(replies.TOO_MANY_BAD_COMMANDS)
            self._end("bad commands")
            return
        self._reply(replies.FAULTS[fault])
        if fault is Fault.CHUNK_SIZE:
            # It is unknown how many octets follow that are no commands.
            self._end("bad chunk size")

    # --- commands -------------------------------------------------------------------------------------------------

    def _lhlo(self, command: Lhlo) -> None:
        # RFC 5321 §4.1.4: it also ends a transaction.
        self._reset()
        self._client_name = command.name
        self._state = State.READY
        self._reply(replies.extensions(self._rules))

    def _mail(self, command: Mail) -> None:
        self._report.transaction_ended()
        # RFC 1870 §6.1
        if command.size_octets is not None and command.size_octets > self._rules.max_message_octets:
            self._report.too_large_at_mail(command)
            self._reply(replies.ANSWERS[MessageTooLarge])
            return
        self._transaction = Transaction(command)
        self._replies = ReplyOrder()
        self._state = State.SENDER
        self._reply(replies.SENDER_OK)

    def _rcpt(self, command: Rcpt) -> None:
        transaction = self._transaction
        place = self._replies.ask()
        if not (command.address.isascii() or transaction.mail.utf8):
            self._reply_at(place, self._refuse_recipient(command.address, Unfit.UTF8, replies.FAULTS[Fault.UTF8]))
        elif len(transaction.recipients_by_place) + transaction.undecided_count >= self._rules.max_recipients:
            self._reply_at(place, self._refuse_recipient(command.address, Unfit.MANY, replies.TOO_MANY_RECIPIENTS))
        else:
            transaction.undecided_count += 1
            answered = partial(self._recipient_answered, place, command.address)
            self._delivery.recipient(command.address, transaction.mail.size_octets, answered)

    def _recipient_answered(self, place: int, address: str, answer: Recipient | MailError) -> None:
        if not self._turns.gone:
            self._turns.hear(partial(self._decide, place, address, answer))

    def _decide(self, place: int, address: str, answer: Recipient | MailError) -> None:
        self._transaction.undecided_count -= 1
        if isinstance(answer, Recipient):
            self._transaction.recipients_by_place[place] = answer
            self._state = State.RECIPIENTS
            self._reply_at(place, replies.RECIPIENT_OK)
        else:
            reply = self._error_reply(answer, "asking for a recipient")
            self._reply_at(place, self._refuse_recipient(address, _error(answer), reply))
        if not self._replies and self._held_command is not None:
            command, self._held_command = self._held_command, None
            self._turns.resume()
            self._obey_command(command)

    def _data(self, _command: Bare) -> None:
        message = self._begin_message()
        self._reply(replies.GO_AHEAD)
        self._turns.read_content(DataReader(message), partial(self._commit, message))

    def _bdat(self, command: Bdat) -> None:
        chunks = self._transaction.chunks
        if chunks is None:
            chunks = self._transaction.chunks = ChunkReader(self._begin_message())
        chunks.begin_chunk(command.octets, last=command.last)
        self._state = State.CHUNKS
        self._turns.read_content(chunks, partial(self._commit if command.last else self._chunk_read, chunks.message))

    def _chunk_read(self, message: IncomingMessage) -> None:
        self._reply(replies.ANSWERS[MessageTooLarge] if message.too_large else replies.CHUNK_OK)

    def _xforward(self, command: Xforward) -> None:
        self._report.forwarded(command.forwarded)
        self._reply(replies.OK)

    def _rset(self, _command: Bare) -> None:
        self._reset()
        self._reply(replies.OK)

    def _noop(self, _command: Bare) -> None:
        self._reply(replies.OK)

    def _help(self, _command: Bare) -> None:
        self._reply(replies.HELP)

    def _vrfy(self, _command: Bare) -> None:
        self._reply(replies.NOT_VERIFIED)

    def _quit(self, _command: Bare) -> None:
        self._reply(replies.GOODBYE)
        self._end("quit")

    # --- a message ------------------------------------------------------------------------------------------------

    def _begin_message(self) -> IncomingMessage:
        envelope = self._transaction.envelope(self._client_name, self._peer)
        return self._transaction.begin_message(self._delivery.begin(envelope), self._rules.max_message_octets)

    def _commit(self, message: IncomingMessage) -> None:
        """Commit a message that came whole.

        RFC 2033 §4.2: each accepted recipient gets a reply of its own, in the order of the RCPTs.
        """
        recipients = self._transaction.recipients()
        self._message = MessageFacts(recipients, message.octets, message.intake.marks())
        self._transaction.release_message()
        self._replies = ReplyOrder()
        places = [self._replies.ask() for _ in recipients]
        self._undelivered = set(places)
        self._turns.wait()
        if not message.too_large:
            message.intake.commit(recipients, message.octets, self._delivered)
            return
        for place in places:
            self._delivered(place, MessageTooLarge(f"above {self._rules.max_message_octets} octets"))

    def _delivered(self, place: int, answer: Delivered | MailError) -> None:
        if place not in self._undelivered:  # a store that failed halfway answers for all: the first answer counts
            return
        self._undelivered.discard(place)
        if self._turns.gone:  # nobody hears the reply, but what was done was done
            self._report.after_message(self._transaction.mail, self._message, place, _outcome(answer), b"")
        else:
            self._turns.hear(partial(self._settle, place, answer))

    def _settle(self, place: int, answer: Delivered | MailError) -> None:
        reply = replies.delivered(answer) if isinstance(answer, Delivered) else self._error_reply(answer, "delivering")
        self._report.after_message(self._transaction.mail, self._message, place, _outcome(answer), reply)
        self._reply_at(place, reply)
        if not self._replies:
            self._reset()
            self._turns.resume()

    def _reset(self) -> None:
        self._transaction.forget()
        self._report.transaction_ended()
        self._report.forget_forwarded()
        self._transaction = Transaction()
        if self._state is not State.GREETED:
            self._state = State.READY

    # --- replies --------------------------------------------------------------------------------------------------

    def _error_reply(self, answer: object, doing: str) -> bytes:
        """Return the reply to anything but success, and tell the journal what an operator should see."""
        error = _error(answer)
        reply = replies.of_error(error)
        if reply.startswith(b"4") and not isinstance(error, QuotaDeferred):
            self._journal.trouble(error, doing)
        return reply

    def _refuse_recipient(self, address: str, outcome: MailError | Unfit, reply: bytes) -> bytes:
        """Report that a recipient is not accepted; return the reply."""
        self._report.at_rcpt(self._transaction.mail, address, outcome, reply)
        return reply

    def _reply_at(self, place: int, reply: bytes) -> None:
        self._reply(self._replies.answer(place, reply))

    def _reply(self, reply: bytes) -> None:
        self._unwritten.add(reply)

    def _flush(self) -> None:
        # RFC 2920 §3.2: the replies to an envelope leave together, once its recipients are decided.
        if self._undelivered or self._turns.closing or not self._replies:
            self._unwritten.release()

    def _end(self, reason: str) -> None:
        self._transaction.forget()
        self._turns.end(reason)


def _error(answer: object) -> MailError:
    return answer if isinstance(answer, MailError) else TryAgain(f"not an answer: {answer!r}")


def _outcome(answer: object) -> Delivered | MailError:
    return answer if isinstance(answer, Delivered) else _error(answer)


_ALWAYS: dict[str, Callable[[Session, Any], None]] = {
    "HELP": Session._help,
    "LHLO": Session._lhlo,
    "NOOP": Session._noop,
    "QUIT": Session._quit,
    "RSET": Session._rset,
    "VRFY": Session._vrfy,
}
# Which command is legal in which state, and what obeys it: RFC 5321 §4.1.4 with LHLO in the place of EHLO (RFC 2033
# §4.1); BDAT: RFC 3030 §2; XFORWARD: its README.
COMMANDS: dict[State, dict[str, Callable[[Session, Any], None]]] = {
    State.GREETED: _ALWAYS,
    State.READY: _ALWAYS | {"MAIL": Session._mail, "XFORWARD": Session._xforward},
    # RFC 2033 §4.2: without a recipient DATA is refused; that includes BDAT.
    State.SENDER: _ALWAYS | {"RCPT": Session._rcpt},
    State.RECIPIENTS: _ALWAYS | {"RCPT": Session._rcpt, "DATA": Session._data, "BDAT": Session._bdat},
    State.CHUNKS: _ALWAYS | {"BDAT": Session._bdat},
}
