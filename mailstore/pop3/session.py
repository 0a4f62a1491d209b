"""One POP3 session: it obeys commands and remembers; it parses nothing, words nothing and moves no octets itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from mailstore.errors import MailError, Refused, Throttled
from mailstore.pop3 import commands, replies, sasl_login
from mailstore.pop3.conversation import Conversation, Waiting
from mailstore.pop3.fetched import Fetched
from mailstore.pop3.marks import Marks
from mailstore.pop3.protocol import BAD_COMMANDS_IN_A_ROW, LEGAL, Rules, State
from mailstore.ports import Credentials, Handled, SessionRecord
from mailstore.wire import slices

if TYPE_CHECKING:
    from mailstore.ports import Accounts, Done, Journal, Listing, Maildrop, Message, OpenBody, Peer

    Slice = tuple[bytes, int]  # of a prefix, and how many octets of the body behind it


class Session(Conversation):
    """Implements `ports.Session`. Where TLS comes before the first octet, `tls_started` comes before `connected`."""

    _maildrop: Maildrop  # these three from TRANSACTION on
    _marks: Marks
    _fetched: Fetched
    _number: int  # of the message that was asked for last

    def __init__(self, peer: Peer, accounts: Accounts, journal: Journal, rules: Rules) -> None:
        super().__init__(peer)
        self._accounts = accounts
        self._journal = journal
        self._rules = rules
        self._record = SessionRecord(client=peer.client, proxy=peer.proxy)
        self._become(State.AUTHORIZATION)
        self._bad_in_a_row = 0
        self._address: str | None = None  # what USER said
        self._exchange: sasl_login.Exchange | None = None
        self._mechanism = "USER"  # of the sign-in under way
        self._listing: Listing | None = None

    # --- ports.Session ---------------------------------------------------------------------------------------------

    def connected(self) -> None:
        self._say(replies.GREETING)

    def tls_started(self, version: str) -> None:
        super().tls_started(version)
        self._record.tls = version

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
        sign_in = ["USER", "SASL " + " ".join(sasl_login.MECHANISMS)] if self._password_may_pass() else []
        self._say(replies.capabilities(sign_in, stls=self._tls_may_begin(), expires=self._expires()))

    def _expires(self) -> str:
        if self.signed_in():
            return replies.expire(self._maildrop.expire_days, differs=False)
        days, differs = self._accounts.site_expire_days()
        return replies.expire(days, differs=differs)

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

    # --- AUTHORIZATION ---------------------------------------------------------------------------------------------

    def _password_may_pass(self) -> bool:
        return self._rules.password_may_pass(encrypted=self._peer.encrypted, loopback=self._peer.loopback)

    def _tls_may_begin(self) -> bool:
        # RFC 2595 §4: only before sign-in, and only once.
        return self._rules.tls_offered and not self._peer.encrypted and not self.signed_in()

    def _refuses_cleartext(self, command: str) -> bool:
        """Refuse, and tell the journal, where a password must not pass as it is."""
        if self._password_may_pass():
            return False
        self._journal.cleartext_refused(self._peer.client, command)
        self._say(replies.TLS_FIRST)
        return True

    def _user(self, address: str) -> None:
        if not self._refuses_cleartext("USER"):
            self._address = address
            self._say(replies.SEND_PASS)

    def _pass(self, secret: str) -> None:
        if self._refuses_cleartext("PASS"):
            return
        address, self._address = self._address, None
        if address is None:
            self._say(replies.USER_FIRST)
        else:
            self._sign_in(address, secret, "USER")

    def _auth(self, mechanism: str | None = None, initial: bytes | None = None) -> None:
        if mechanism is None:
            self._say(replies.mechanisms(sasl_login.MECHANISMS if self._password_may_pass() else ()))
        elif mechanism not in sasl_login.MECHANISMS:
            self._say(replies.UNKNOWN_MECHANISM)
        elif not self._refuses_cleartext("AUTH"):
            self._mechanism = mechanism
            self._exchange = sasl_login.MECHANISMS[mechanism]()
            self._advance(sasl_login.initial(self._exchange, initial))

    def _advance(self, step: sasl_login.Step) -> None:
        if isinstance(step, sasl_login.Challenge):
            self._say(step.line)
            return
        self._exchange = None
        if isinstance(step, sasl_login.Proof):
            self._sign_in(step.address, step.secret, self._mechanism)
        else:
            self._say(replies.SASL_FAILURES[step])

    def _sign_in(self, address: str, secret: str, mechanism: str) -> None:
        self._mechanism = mechanism
        peer = self._peer
        credentials = Credentials(address, secret, peer.client, loopback=peer.loopback, tls=self._record.tls)
        done: Done[Maildrop] = self._answer_to(self._enter, self._refuse)
        self._accounts.sign_in(credentials, partial(self._tried, address, done))

    def _tried(self, address: str, done: Done[Maildrop], answer: Maildrop | MailError) -> None:
        """A refusal is told also when whoever tried did not wait for it."""
        if isinstance(answer, Refused | Throttled):
            cause = f"{type(answer).__name__}: {answer}"
            peer = self._peer
            self._journal.sign_in_refused(peer.client, peer.proxy, address, mechanism=self._mechanism, cause=cause)
        done(answer)

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
        self._say(replies.signed_in(maildrop.messages, maildrop.octets))

    def _bar(self) -> None:
        """The device may use POP no more. What is said of an UPDATE under way is its own answer."""
        if not self.updating():
            self._closing = True
            self._peer.cut("barred")

    def _refuse(self, error: MailError) -> None:
        if not isinstance(error, Refused | Throttled):
            self._journal.trouble(error, "signing in")
        self._say(replies.error(error))

    def _stls(self) -> None:
        if not self._tls_may_begin():
            self._say(replies.TLS_NOT_NOW)
        elif len(self._lines):
            # CVE-2011-0411: octets behind STLS came in clear; nothing of them is kept, and nobody honest sends them.
            self._end("clear text behind STLS")
        else:
            self._address = None
            self._say(replies.BEGIN_TLS)
            self._begin_tls()

    # --- TRANSACTION -----------------------------------------------------------------------------------------------

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
        search = slices.top(message.prefix, message.body, lines)
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
