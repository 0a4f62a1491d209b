"""The AUTHORIZATION state of a POP3 session: it finds out who the client is, by USER and PASS or by AUTH."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from mailstore.errors import Abandoned, MailError, Refused, Throttled
from mailstore.pop3 import commands, replies
from mailstore.ports import Credentials, WrongStart
from mailstore.wire import sasl_exchange

if TYPE_CHECKING:
    from mailstore.pop3.protocol import Rules
    from mailstore.ports import Accounts, Done, Journal, Maildrop, Peer, SessionRecord, SignIn
    from mailstore.wire.turn_taker import TurnTaker

_MECHANISMS_OF_VERBS = {b"USER": "USER", b"PASS": "USER", b"AUTH": "AUTH"}
SIGN_IN_CAPABILITIES = ("USER", "SASL " + " ".join(sasl_exchange.MECHANISMS))  # lines of CAPA


class Authorization:
    """Obeys the commands before sign-in. It calls `signed_in` with the maildrop, which answers the client."""

    def __init__(
        self,
        peer: Peer,
        turns: TurnTaker,
        accounts: Accounts,
        journal: Journal,
        *,
        rules: Rules,
        record: SessionRecord,
        signed_in: Callable[[Maildrop], None],
    ) -> None:
        self._peer = peer
        self._turns = turns
        self._accounts = accounts
        self._journal = journal
        self._rules = rules
        self._record = record
        self._signed_in = signed_in
        self._address: str | None = None  # as USER gave it
        self._exchange: sasl_exchange.Exchange | None = None
        self._sign_in: SignIn | None = None  # while its answer is awaited
        self.mechanism = "USER"  # of the last sign-in
        self._ends_in_clear = False  # the client wanted to sign in, may not in clear, and has not asked for TLS

    def leave(self) -> None:
        """Abandon a sign-in, since the connection is gone. Note a client that would have signed in without TLS."""
        if self._sign_in is not None:
            self._sign_in.abandon()
        if self._ends_in_clear:
            self._accounts.note_wrong_start(WrongStart.CLEAR, self._peer.client)

    def give_way(self) -> None:
        """Let other sign-ins go first, since the client sends no more and may be gone."""
        if self._sign_in is not None:
            self._sign_in.give_way()

    # --- the lines of a SASL exchange -----------------------------------------------------------------------------

    def in_exchange(self) -> bool:
        """Say whether the next line belongs to a SASL exchange, and so is no command."""
        return self._exchange is not None

    def continue_exchange(self, line: bytes) -> None:
        """Obey a line for which `in_exchange` is true."""
        assert self._exchange is not None  # noqa: S101 - the caller has asked
        self._take_step(self._exchange, sasl_exchange.answer(self._exchange, line))

    def _take_step(self, exchange: sasl_exchange.Exchange, step: sasl_exchange.Step) -> None:
        if isinstance(step, sasl_exchange.Challenge):
            self._turns.say(replies.challenge(step.data))
            return
        self._exchange = None
        if isinstance(step, sasl_exchange.Proof):
            self._start_sign_in(step.address, step.secret)
            return
        if step is sasl_exchange.Failure.BAD_RESPONSE:
            self._note_malformed(exchange.address, "the response is not well-formed")
        self._turns.say(replies.SASL_FAILURES[step])

    # --- what cannot be read ----------------------------------------------------------------------------------------

    def note_fault(self, line: bytes, fault: commands.Fault) -> None:
        """Leave a trace of a line that is no command, where it would have been part of a sign-in, or begins TLS."""
        if line.startswith(commands.TLS_RECORD_START):
            self.note_tls_first()
            return
        verb, _, rest = line.partition(b" ")
        mechanism = _MECHANISMS_OF_VERBS.get(verb.upper())
        if mechanism is None or (mechanism == "AUTH" and not rest.strip()):
            return
        command = verb.upper().decode()
        if self._password_may_pass():
            self.mechanism = mechanism
            self._note_malformed(self._address or "", f"{command}: {fault.name}")
        else:
            self._note_cleartext(command)

    def note_tls_first(self) -> None:
        """Leave a trace of a client that begins TLS without STLS."""
        if not self._peer.encrypted:
            self._accounts.note_wrong_start(WrongStart.TLS_FIRST, self._peer.client)

    def note_overlong_response(self) -> None:
        """Leave a trace of a response that is too long."""
        if self._exchange is not None:
            self._note_malformed(self._exchange.address, "the response is too long")

    def _note_malformed(self, address: str, why: str) -> None:
        peer, cause = self._peer, f"Malformed: {why}"
        self._journal.sign_in_refused(peer.client, peer.proxy, address, mechanism=self.mechanism, cause=cause)
        if address:
            self._accounts.note_malformed(self._completed(address), peer.client, self._record.tls)

    # --- commands -------------------------------------------------------------------------------------------------

    def user(self, address: str) -> None:
        if not self._refuses_cleartext("USER"):
            self._address = address
            self._turns.say(replies.SEND_PASS)

    def password(self, secret: str) -> None:
        """Obey PASS."""
        if self._refuses_cleartext("PASS"):
            return
        address, self._address = self._address, None
        if address is None:
            self._turns.say(replies.USER_FIRST)
        else:
            self.mechanism = "USER"
            self._start_sign_in(address, secret)

    def auth(self, mechanism: str | None = None, initial: bytes | None = None) -> None:
        if mechanism is None:
            self._turns.say(replies.mechanisms(sasl_exchange.MECHANISMS if self._password_may_pass() else ()))
        elif mechanism not in sasl_exchange.MECHANISMS:
            self._turns.say(replies.UNKNOWN_MECHANISM)
        elif not self._refuses_cleartext("AUTH"):
            self.mechanism = mechanism
            self._exchange = exchange = sasl_exchange.MECHANISMS[mechanism]()
            self._take_step(exchange, sasl_exchange.initial(exchange, initial))

    def stls(self) -> None:
        if not self._tls_may_begin():
            self._turns.say(replies.TLS_NOT_NOW)
        elif len(self._turns.lines):
            # CVE-2011-0411: octets behind STLS came in clear. None of them is kept, and no honest client sends them.
            self._turns.end("clear text behind STLS")
        else:
            self._address = None
            self._ends_in_clear = False
            self._turns.say(replies.BEGIN_TLS)
            self._turns.start_tls()

    def capa(self) -> None:
        sign_in = SIGN_IN_CAPABILITIES if self._password_may_pass() else ()
        self._ends_in_clear |= not sign_in
        site = self._accounts.site_expire_days()
        expires = None if site is None else replies.expire(site[0], differs=site[1])
        self._turns.say(replies.capabilities(sign_in, stls=self._tls_may_begin(), expires=expires))

    def utf8(self) -> None:
        self._turns.say(replies.UTF8_ON)

    def quit(self) -> None:
        self._turns.say(replies.GOODBYE)
        self._turns.end("quit")

    # --- a sign-in ------------------------------------------------------------------------------------------------

    def _start_sign_in(self, address: str, secret: str) -> None:
        peer = self._peer
        name = self._completed(address)
        credentials = Credentials(
            name, secret, peer.client, loopback=peer.loopback, tls=self._record.tls, bare=name != address
        )
        done: Done[Maildrop] = self._turns.answer_to(self._signed_in, self._refuse)
        sign_in = self._accounts.sign_in(credentials, partial(self._journal_refusal, address, done))
        if self._turns.waits_for_answer():
            self._sign_in = sign_in
            if self._turns.input_ended:
                sign_in.give_way()

    def _completed(self, address: str) -> str:
        peer = self._peer
        return self._rules.login_names.completed(address, (peer.server_name(), peer.listener_address()))

    def _journal_refusal(self, address: str, done: Done[Maildrop], answer: Maildrop | MailError) -> None:
        """Pass an answer on. A refusal goes to the journal also when the client did not wait for it."""
        self._sign_in = None
        if isinstance(answer, Refused | Throttled | Abandoned):
            cause = f"{type(answer).__name__}: {answer}"
            peer = self._peer
            self._journal.sign_in_refused(peer.client, peer.proxy, address, mechanism=self.mechanism, cause=cause)
        done(answer)

    def _refuse(self, error: MailError) -> None:
        if not isinstance(error, Refused | Throttled | Abandoned):
            self._journal.trouble(error, "signing in")
        self._turns.say(replies.error(error))

    # --- what may pass --------------------------------------------------------------------------------------------

    def _refuses_cleartext(self, command: str) -> bool:
        """Refuse a command that would send a password in clear where the rules forbid it, and tell the journal."""
        if self._password_may_pass():
            return False
        self._note_cleartext(command)
        self._turns.say(replies.TLS_FIRST)
        return True

    def _note_cleartext(self, command: str) -> None:
        self._ends_in_clear = True
        self._journal.cleartext_refused(self._peer.client, command)

    def _password_may_pass(self) -> bool:
        return self._rules.password_may_pass(encrypted=self._peer.encrypted, loopback=self._peer.loopback)

    def _tls_may_begin(self) -> bool:
        # RFC 2595 §4: only once, and not after sign-in (the table of commands sees to that).
        return self._rules.tls_offered and not self._peer.encrypted
