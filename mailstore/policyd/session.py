"""One connection of an MTA that asks for policies: it collects the attributes of a request, asks, and answers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mailstore.errors import MailError, Unavailable
from mailstore.policyd import commands, replies
from mailstore.policyd.answer_report import AnswerReport
from mailstore.policyd.commands import Attribute, Fault, MayReceive, Question
from mailstore.policyd.protocol import State
from mailstore.wire.turn_taker import TurnTaker

if TYPE_CHECKING:
    from mailstore.ports import Done, Gatekeeper, Journal, Peer, Trace


class Session:
    """Implements `ports.Session`. A connection carries many requests; each waits for the answer to the one before."""

    def __init__(self, peer: Peer, gatekeeper: Gatekeeper, journal: Journal, trace: Trace) -> None:
        self._gatekeeper = gatekeeper
        self._journal = journal
        self._report = AnswerReport(trace, peer.client)
        self._turns = TurnTaker(peer, self, line_octets=commands.LINE_OCTETS)
        self._attributes: dict[str, str] = {}  # those that matter
        self._attribute_count = 0

    @property
    def state(self) -> State:
        return State.REQUEST if self._attribute_count else State.BETWEEN

    # --- ports.Session --------------------------------------------------------------------------------------------

    def connected(self) -> None:
        """Do nothing: the client speaks first."""

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
        # Between two requests an MTA loses nothing when its connection ends: it connects again.
        return self._turns.waits_for_answer()

    def updating(self) -> bool:
        return False

    def ended(self, reason: str, octets_in: int, octets_out: int) -> None:
        self._turns.leave()

    # --- one line (wire.turn_taker.LineHandler) -------------------------------------------------------------------

    def obey(self, line: bytes) -> None:
        read = commands.parse(line)
        if isinstance(read, Fault):
            self._end(read)
        elif isinstance(read, Attribute):
            self._keep(read)
        elif self.state is State.REQUEST:  # an empty line that ends nothing is passed over
            self._ask()

    def obey_overlong(self) -> None:
        self._end(Fault.TOO_LONG)

    def out_of_lines(self) -> None:
        # Half a request at the end of the input is none.
        if self._turns.input_ended:
            self._turns.end("half-closed")

    # --- a request ------------------------------------------------------------------------------------------------

    def _keep(self, attribute: Attribute) -> None:
        """Keep an attribute that matters; the first counts where a name comes twice."""
        self._attribute_count += 1
        if self._attribute_count > commands.ATTRIBUTES_MOST:
            self._end(Fault.TOO_LONG)
        elif attribute.name in commands.KEPT:
            self._attributes.setdefault(attribute.name, attribute.value)

    def _ask(self) -> None:
        question = commands.question(self._attributes)
        self._attributes, self._attribute_count = {}, 0
        if question is None:
            self._turns.say(replies.DUNNO)
            return
        done: Done[None] = self._turns.answer_to(self._grant, partial(self._refuse, question))
        if isinstance(question, MayReceive):
            self._gatekeeper.may_receive(question.address, question.octets, done)
        else:
            self._gatekeeper.may_send(question.login, done)

    def _grant(self, _nothing: None) -> None:
        self._turns.say(replies.DUNNO)

    def _refuse(self, question: Question, error: MailError) -> None:
        reply = replies.of_error(error)
        if reply is not replies.DUNNO:
            self._report.refused(question, error, reply)
        elif type(error) is not Unavailable:  # which is logged once, by the connection to the database
            self._journal.trouble(error, "answering for a policy")
        self._turns.say(reply)

    def _end(self, fault: Fault) -> None:
        """End without an answer: Postfix has no word for a request that cannot be read."""
        self._turns.end(f"bad request: {fault.name}")
