"""The AUTHORIZATION state of a POP3 session: who the client is, by USER and PASS or by AUTH, behind STLS if need be."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING

from mailstore.errors import Abandoned, MailError, Refused, Throttled
from mailstore.pop3 import replies, sasl_login
from mailstore.pop3.conversation import Conversation, Waiting
from mailstore.ports import Credentials, SessionRecord

if TYPE_CHECKING:
    from mailstore.pop3.protocol import Rules
    from mailstore.ports import Accounts, Done, Journal, Maildrop, Peer, SignIn


class Authorization(Conversation):
    """A conversation that asks who is there; `_enter` begins what comes behind it."""

    def __init__(self, peer: Peer, accounts: Accounts, journal: Journal, rules: Rules) -> None:
        super().__init__(peer)
        self._accounts = accounts
        self._journal = journal
        self._rules = rules
        self._record = SessionRecord(client=peer.client, proxy=peer.proxy)
        self._address: str | None = None  # what USER said
        self._exchange: sasl_login.Exchange | None = None
        self._mechanism = "USER"  # of the sign-in under way
        self._under_way: SignIn | None = None

    def half_closed(self) -> None:
        if self._under_way is not None:
            self._under_way.give_way()
        super().half_closed()

    def tls_started(self, version: str) -> None:
        super().tls_started(version)
        self._record.tls = version

    @abstractmethod
    def signed_in(self) -> bool:
        """Whether this state is over."""

    @abstractmethod
    def _enter(self, maildrop: Maildrop) -> None:
        """The client is who he says; the answer to his sign-in is still to be given."""

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
        under_way = self._accounts.sign_in(credentials, partial(self._tried, address, done))
        if self._waiting is Waiting.ANSWER:
            self._under_way = under_way
            if self._half_closed:
                under_way.give_way()

    def _leave(self) -> None:
        super()._leave()
        if self._under_way is not None:
            self._under_way.abandon()

    def _tried(self, address: str, done: Done[Maildrop], answer: Maildrop | MailError) -> None:
        """A refusal is told also when the client did not wait for it."""
        self._under_way = None
        if isinstance(answer, Refused | Throttled | Abandoned):
            cause = f"{type(answer).__name__}: {answer}"
            peer = self._peer
            self._journal.sign_in_refused(peer.client, peer.proxy, address, mechanism=self._mechanism, cause=cause)
        done(answer)

    def _refuse(self, error: MailError) -> None:
        if not isinstance(error, Refused | Throttled | Abandoned):
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
