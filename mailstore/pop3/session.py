"""One POP3 session: it obeys commands and remembers; it parses nothing, words nothing and moves no octets itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from mailstore.errors import MailError
from mailstore.pop3 import commands, replies, sasl_login
from mailstore.pop3.authorization import Authorization
from mailstore.pop3.conversation import Waiting
from mailstore.pop3.fetched import Fetched
from mailstore.pop3.marks import Marks
from mailstore.pop3.protocol import BAD_COMMANDS_IN_A_ROW, COMMANDS_BEFORE_SIGN_IN, LEGAL, Rules, State
from mailstore.ports import Handled
from mailstore.wire import top_range

if TYPE_CHECKING:
    from mailstore.ports import Accounts, Done, Journal, Listing, Maildrop, Message, OpenBody, Peer

    Slice = tuple[bytes, int]  # of a prefix, and how many octets of the body behind it

_SIGN_IN = ("USER", "SASL " + " ".join(sasl_login.MECHANISMS))  # what CAPA says of it
_AUTHORIZATION = State.AUTHORIZATION  # bound once: it is asked for with each line


class Session(Authorization):
    """Implements `ports.Session`. Where TLS comes before the first octet, `tls_started` comes before `connected`."""

    _maildrop: Maildrop  # these three from TRANSACTION on
    _marks: Marks
    _fetched: Fetched
    _number: int  # of the message that was asked for last

    def __init__(self, peer: Peer, accounts: Accounts, journal: Journal, rules: Rules) -> None:
        super().__init__(peer, accounts, journal, rules)
        self._become(State.AUTHORIZATION)
        self._bad_in_a_row = 0
        self._commands_left = COMMANDS_BEFORE_SIGN_IN
        self._listing: Listing | None = None

    # --- ports.Session ---------------------------------------------------------------------------------------------

    def connected(self) -> None:
        self._say(replies.GREETING)

    def signed_in(self) -> bool:
        return self._state is not State.AUTHORIZATION

    def updating(self) -> bool:
        return self._state is State.UPDATE and self._waiting is Waiting.ANSWER

    def ended(self, reason: str, octets_in: int, octets_out: int) -> None:
        self._leave()
        self._record.reason = self._reason or reason
        self._record.octets_in = octets_in
        self._record.octets_out = octets_out
        if not self.updating():
            self._tell_the_end()

    def _tell_the_end(self) -> None:
        """Once, when the connection is gone and nothing more can come of it."""
        self._journal.session_ended(self._record)
        if self.signed_in():
            self._maildrop.ended(self._record, self._handled())

    def _handled(self) -> Handled:
        fetched, record = self._fetched, self._record
        quitted = record.reason == "quit" or self._state is State.UPDATE
        return Handled(
            fetched=fetched.numbers,
            confirmed=len(fetched.numbers) if quitted else fetched.confirmed(self._obeyed),
            removed=sorted(self._marks.numbers) if record.removed else (),
        )

    def _become(self, state: State) -> None:
        self._state = state
        self._handlers = _HANDLERS[state]

    # --- one line --------------------------------------------------------------------------------------------------

    def _obey(self, line: bytes) -> None:
        if self._exchange is not None:
            self._advance(sasl_login.answer(self._exchange, line))
            return
        if self._state is _AUTHORIZATION and not self._may_ask():
            return
        command = commands.parse(line)
        if isinstance(command, commands.Fault):
            self._fault(command)
            return
        handler = self._handlers.get(command.verb)
        if handler is None:
            self._bad(replies.WRONG_STATE[self._state])
            return
        self._bad_in_a_row = 0
        handler(self, *command.arguments)

    def _may_ask(self) -> bool:
        """Whether a stranger has commands left; the lines of a SASL exchange are none."""
        if self._commands_left:
            self._commands_left -= 1
            return True
        self._say(replies.TOO_MANY_COMMANDS)
        self._end("too many commands")
        return False

    def _fault(self, fault: commands.Fault) -> None:
        if fault is commands.Fault.OTHER_PROTOCOL:
            self._foreign()
        else:
            self._bad(replies.FAULTS[fault])

    def _bad(self, reply: bytes) -> None:
        self._bad_in_a_row += 1
        self._say(reply)
        if self._bad_in_a_row >= BAD_COMMANDS_IN_A_ROW[self._state]:
            self._end("bad commands")

    def _overlong(self) -> None:
        if self._exchange is None:
            self._bad(replies.LINE_TOO_LONG)
        else:
            self._say(replies.SASL_TOO_LONG)
            self._end("response too long")

    def _foreign(self) -> None:
        self._say(replies.FAULTS[commands.Fault.OTHER_PROTOCOL])
        self._end("not POP3")

    # --- in both states --------------------------------------------------------------------------------------------

    def _capa(self) -> None:
        sign_in = _SIGN_IN if self._password_may_pass() else ()
        self._say(replies.capabilities(sign_in, stls=self._tls_may_begin(), expires=self._expires()))

    def _expires(self) -> str | None:
        if self.signed_in():
            return replies.expire(self._maildrop.expire_days, differs=False)
        known = self._accounts.site_expire_days()
        return None if known is None else replies.expire(known[0], differs=known[1])

    def _utf8(self) -> None:
        self._say(replies.UTF8_ON)

    def _quit(self) -> None:
        if not self.signed_in() or not self._marks.numbers:
            self._say(replies.GOODBYE)
            self._end("quit")
            return
        # RFC 1939 §6: the UPDATE state; the answer waits until the removal is durable.
        self._become(State.UPDATE)
        self._waiting = Waiting.ANSWER
        self._maildrop.remove(sorted(self._marks.numbers), self._removed)

    def _removed(self, answer: int | MailError) -> None:
        self._waiting = Waiting.NOTHING
        try:
            self._conclude(answer)
        except Exception:
            self._give_up()

    def _conclude(self, answer: int | MailError) -> None:
        if isinstance(answer, MailError):
            self._journal.trouble(answer, f"removing messages of {self._maildrop.address}")
            self._say(replies.NOT_REMOVED)
        else:
            self._record.removed = answer
            self._say(replies.GOODBYE)
        if self._gone:
            self._tell_the_end()
        else:
            self._end("quit")

    # --- TRANSACTION -----------------------------------------------------------------------------------------------

    def _enter(self, maildrop: Maildrop) -> None:
        self._address = None
        self._maildrop = maildrop
        self._marks = Marks(maildrop)
        self._fetched = Fetched()
        record = self._record
        record.address, record.device, record.mechanism = maildrop.address, maildrop.device, self._mechanism
        record.messages = maildrop.messages
        maildrop.watch(self._bar)
        self._become(State.TRANSACTION)
        self._peer.admit()
        self._say(replies.signed_in(maildrop.messages, maildrop.octets))

    def _bar(self) -> None:
        """The device may use POP no more. What is said of an UPDATE under way is its own answer."""
        if not self.updating():
            self._closing = True
            self._peer.cut("barred")

    def _stat(self) -> None:
        self._say(replies.stat(self._marks.messages_left, self._marks.octets_left))

    def _noop(self) -> None:
        self._say(replies.OK)

    def _rset(self) -> None:
        self._marks.unmark_all()
        self._say(replies.UNMARKED)

    def _list(self, number: int | None = None) -> None:
        if number is None:
            self._with_listing(lambda listing: self._say(replies.scan_listing(listing, self._marks.numbers)))
        elif self._found(number):
            self._with_listing(lambda listing: self._say(replies.scan_line(listing, number)))

    def _uidl(self, number: int | None = None) -> None:
        if number is None:
            self._with_listing(self._say_unique_ids)
        elif self._found(number):
            self._with_listing(lambda listing: self._say(replies.unique_id_line(listing, number)))

    def _say_unique_ids(self, listing: Listing) -> None:
        self._record.uidl_digest = replies.unique_id_digest(listing)
        self._say(replies.unique_id_listing(listing, self._marks.numbers))

    def _dele(self, number: int) -> None:
        if self._found(number):
            self._with_listing(partial(self._mark, number))

    def _mark(self, number: int, listing: Listing) -> None:
        self._marks.mark(number, listing)
        self._record.dele += 1
        self._say(replies.MARKED)

    def _retr(self, number: int) -> None:
        self._open(number, self._send_whole)

    def _send_whole(self, message: Message) -> None:
        self._record.retr += 1
        self._fetched.begin(self._number)
        head = replies.message_follows(message.octets) + message.prefix
        self._send(head, message.body, message.body.wire_octets, replies.END)

    def _sent(self) -> None:
        self._fetched.sent(self._receipts)

    def _top(self, number: int, lines: int) -> None:
        self._open(number, partial(self._begin_top, lines))

    def _begin_top(self, lines: int, message: Message) -> None:
        search = top_range.top(message.prefix, message.body, lines)
        done: Done[Slice] = self._answer_to(partial(self._send_top, message), self._not_opened)
        self._search(search, message.body, done)

    def _search(self, search: Iterator[Slice | None], body: OpenBody, done: Done[Slice]) -> None:
        """One turn of looking for the end of what TOP sends; a long message takes several."""
        try:
            found = None if self._gone else next(search)
        except MailError as error:
            body.close()
            done(error)
            return
        if found is not None:
            done(found)
        elif self._gone:
            body.close()
        else:
            self._peer.next_turn(partial(self._search, search, body, done))

    def _send_top(self, message: Message, found: Slice) -> None:
        prefix, count = found
        self._record.top += 1
        self._send(replies.HEADER_FOLLOWS + prefix, message.body, count, replies.END)

    def _open(self, number: int, then: Callable[[Message], None]) -> None:
        if self._found(number):
            self._number = number
            self._maildrop.message(number, self._answer_to(then, self._not_opened))

    def _not_opened(self, error: MailError) -> None:
        self._fail(f"message {self._number}", error)

    def _found(self, number: int) -> bool:
        """Whether the client may name this message; if not it was told so."""
        if number <= self._maildrop.messages and number not in self._marks.numbers:
            return True
        self._say(replies.NO_SUCH_MESSAGE)
        return False

    def _with_listing(self, then: Callable[[Listing], None]) -> None:
        """Ask for the list once in a session."""
        if self._listing is None:
            self._maildrop.listing(self._answer_to(partial(self._keep_listing, then), partial(self._fail, "the list")))
        else:
            then(self._listing)

    def _keep_listing(self, then: Callable[[Listing], None], listing: Listing) -> None:
        self._listing = listing
        then(listing)

    def _fail(self, what: str, error: MailError) -> None:
        self._journal.trouble(error, f"opening {what} of {self._maildrop.address}")
        self._say(replies.error(error))


# The table of protocol.py says what is legal; each of its commands has a method of its name.
_HANDLERS: dict[State, dict[str, Callable[..., None]]] = {
    state: {verb: getattr(Session, f"_{verb.lower()}") for verb in verbs} for state, verbs in LEGAL.items()
}
