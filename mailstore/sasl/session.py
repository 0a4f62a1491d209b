"""One connection of an MTA that asks about passwords: it takes a line to the method that obeys it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from mailstore.errors import Abandoned, MailError, Refused, Throttled, TryAgain
from mailstore.policy.addresses import BadAddress, normal_address
from mailstore.policy.networks import is_loopback
from mailstore.ports import Credentials, Sender
from mailstore.sasl import commands, replies
from mailstore.sasl.commands import Auth, Cancel, Continue, Fault, ProcessId, Version
from mailstore.sasl.protocol import MAJOR_VERSION, Identity, Rules, State
from mailstore.sasl.replies import Refusal
from mailstore.wire import sasl_exchange
from mailstore.wire.sasl_exchange import Challenge, Exchange, Failure, Proof, Step
from mailstore.wire.turn_taker import TurnTaker

if TYPE_CHECKING:
    from mailstore.ports import Journal, Peer, Senders, SignIn

LOCAL = "unix"  # the client of a sign-in for which the MTA told no address
TLS = "TLS"  # the MTA says that there was some, and not which version


@dataclass(slots=True)
class _Request:
    """A sign-in under way: an exchange, and then the check of its proof."""

    auth: Auth
    exchange: Exchange
    checking: bool = False
    sign_in: SignIn | None = None  # while the check waits for its answer

    @property
    def client(self) -> str:
        return self.auth.client or LOCAL

    @property
    def tls(self) -> str | None:
        return TLS if self.auth.secured else None


class Session:
    """Implements `ports.Session`. Whoever reaches the listener may tell the addresses of clients: it is an MTA."""

    def __init__(self, peer: Peer, senders: Senders, journal: Journal, rules: Rules, identity: Identity) -> None:
        self._senders = senders
        self._journal = journal
        self._rules = rules
        self._identity = identity
        self._turns = TurnTaker(peer, self, line_octets=commands.LINE_OCTETS)
        self._state = State.GREETED
        self._requests: dict[int, _Request] = {}  # by their ids, the oldest first
        self._checks = 0
        self._bad_in_a_row = 0

    # --- ports.Session --------------------------------------------------------------------------------------------

    def connected(self) -> None:
        self._turns.say(replies.greeting(sasl_exchange.MECHANISMS, self._identity))

    def receive(self, data: bytes) -> bool:
        return self._turns.receive(data)

    def proceed(self) -> None:
        self._turns.proceed()

    def tls_started(self, version: str) -> None:
        """Do nothing: no TLS is offered here."""

    def half_closed(self) -> None:
        self._turns.end_input()

    def wants_input(self) -> bool:
        return self._turns.wants_input()

    def signed_in(self) -> bool:
        # An MTA keeps its connection for hours, and loses nothing when it goes between two sign-ins.
        return self._checks > 0

    def updating(self) -> bool:
        return False

    def ended(self, reason: str, octets_in: int, octets_out: int) -> None:
        self._turns.leave()
        requests, self._requests = self._requests, {}
        for request in requests.values():
            if request.sign_in is not None:
                request.sign_in.abandon()

    # --- one line (wire.turn_taker.LineHandler) -------------------------------------------------------------------

    def obey(self, line: bytes) -> None:
        command = commands.parse(line)
        if isinstance(command, Fault):
            self._refuse_line(command)
        elif act := COMMANDS[self._state].get(command.verb):
            self._bad_in_a_row = 0
            act(self, command)
        else:
            self._turns.end(f"{command.verb} out of order")

    def obey_overlong(self) -> None:
        self._refuse_line(Fault.TOO_LONG)

    def out_of_lines(self) -> None:
        if self._turns.input_ended and not self._checks:
            self._turns.end("half-closed")

    def _refuse_line(self, fault: Fault) -> None:
        """Pass over a line, or end: the protocol has no answer to a line that it does not know."""
        self._bad_in_a_row += 1
        if fault is not Fault.UNKNOWN or self._bad_in_a_row >= self._rules.max_bad_commands:
            self._turns.end(f"bad command: {fault.name}")

    # --- commands -------------------------------------------------------------------------------------------------

    def _version(self, command: Version) -> None:
        if command.major != MAJOR_VERSION:
            self._turns.end(f"version {command.major}")
        self._state = State.READY

    def _process_id(self, _command: ProcessId) -> None:
        """Do nothing: the greeting of the client is over."""

    def _auth(self, command: Auth) -> None:
        mechanism = sasl_exchange.MECHANISMS.get(command.mechanism)
        if command.request_id in self._requests:
            self._turns.end("an id was used twice")
        elif mechanism is None:
            self._turns.say(replies.failure(command.request_id, replies.UNKNOWN_MECHANISM))
        else:
            self._make_room()
            request = self._requests[command.request_id] = _Request(command, mechanism())
            self._take_step(request, _first_step(request.exchange, command.response))

    def _continue(self, command: Continue) -> None:
        request = self._requests.get(command.request_id)
        if request is None or request.checking:
            self._turns.say(replies.failure(command.request_id, replies.CANCELLED))
        else:
            self._take_step(request, sasl_exchange.answer(request.exchange, command.response))

    def _cancel(self, command: Cancel) -> None:
        request = self._requests.get(command.request_id)
        if request is not None and request.sign_in is not None:
            request.sign_in.abandon()
        elif request is not None:
            self._fail(request, replies.CANCELLED)

    # --- an exchange ----------------------------------------------------------------------------------------------

    def _make_room(self) -> None:
        """End the oldest exchange where there are too many. Postfix gives one up without a word."""
        waiting = [request for request in self._requests.values() if not request.checking]
        if len(waiting) >= self._rules.max_exchanges:
            self._fail(waiting[0], replies.CANCELLED)

    def _take_step(self, request: _Request, step: Step) -> None:
        if isinstance(step, Challenge):
            self._turns.say(replies.challenge(request.auth.request_id, step.data))
        elif isinstance(step, Proof):
            self._start_sign_in(request, step)
        elif step is Failure.CANCELLED:
            self._fail(request, replies.CANCELLED)
        else:
            self._note_malformed(request)
            self._fail(request, replies.MALFORMED)

    def _note_malformed(self, request: _Request) -> None:
        address = request.exchange.address
        self._report(request, address, "Malformed: the response is not well-formed")
        if address:
            self._senders.note_malformed(self._completed(request, address), request.client, request.tls)

    def _fail(self, request: _Request, refusal: Refusal) -> None:
        del self._requests[request.auth.request_id]
        user = _log_name(request.exchange.address)
        self._turns.say(replies.failure(request.auth.request_id, refusal, user))

    # --- a check --------------------------------------------------------------------------------------------------

    def _start_sign_in(self, request: _Request, proof: Proof) -> None:
        name = self._completed(request, proof.address)
        credentials = Credentials(
            name,
            proof.secret,
            request.client,
            loopback=is_loopback(request.client),
            tls=request.tls,
            bare=name != proof.address,
        )
        request.checking = True
        self._checks += 1
        if self._checks >= self._rules.max_checks:
            self._turns.wait()
        sign_in = self._senders.sign_in(credentials, partial(self._answered, request))
        if request.checking:
            request.sign_in = sign_in

    def _completed(self, request: _Request, address: str) -> str:
        return self._rules.login_names.completed(address, (request.auth.listener,))

    def _answered(self, request: _Request, answer: Sender | MailError) -> None:
        request.checking, request.sign_in = False, None
        if isinstance(answer, Refused | Throttled | Abandoned):
            self._report(request, request.exchange.address, f"{type(answer).__name__}: {answer}")
        elif isinstance(answer, MailError):
            self._journal.trouble(answer, "signing in to send")
        if not self._turns.gone:
            self._turns.hear(partial(self._settle, request, answer))

    def _settle(self, request: _Request, answer: object) -> None:
        self._checks -= 1
        self._turns.resume()
        if self._turns.closing:
            return
        error = answer if isinstance(answer, MailError) else TryAgain(f"not an answer: {answer!r}")
        if isinstance(answer, Sender):
            del self._requests[request.auth.request_id]
            self._turns.say(replies.success(request.auth.request_id, answer))
        elif refusal := replies.REFUSALS.get(type(error)):
            self._fail(request, refusal)
        elif isinstance(error, Abandoned):  # by CANCEL
            self._fail(request, replies.CANCELLED)
        else:
            self._turns.end(f"no answer: {type(error).__name__}")

    def _report(self, request: _Request, address: str, cause: str) -> None:
        """Tell the log of a refusal."""
        mechanism = f"SMTP-{request.auth.mechanism}"
        self._journal.sign_in_refused(request.client, None, address, mechanism=mechanism, cause=cause)


def _first_step(exchange: Exchange, response: bytes | None) -> Step:
    return exchange.begin() if response is None else sasl_exchange.answer(exchange, response)


def _log_name(name: str) -> str | None:
    """Return the name if it is an address; None if not, since it may be a password in the wrong field."""
    try:
        return normal_address(name)
    except BadAddress:
        return None


_ALWAYS: dict[str, Callable[[Session, Any], None]] = {"VERSION": Session._version, "CPID": Session._process_id}
# Which command is legal in which state, and what obeys it. Postfix and Exim tell their version first.
COMMANDS: dict[State, dict[str, Callable[[Session, Any], None]]] = {
    State.GREETED: _ALWAYS,
    State.READY: _ALWAYS | {"AUTH": Session._auth, "CONT": Session._continue, "CANCEL": Session._cancel},
}
