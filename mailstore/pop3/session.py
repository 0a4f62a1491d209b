"""One POP3 session: it takes a line to the command of the state that obeys it. It parses, words and moves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mailstore.pop3 import commands, replies
from mailstore.pop3.authorization import Authorization
from mailstore.pop3.protocol import BAD_COMMANDS_IN_A_ROW, COMMANDS_BEFORE_SIGN_IN, Rules, State
from mailstore.pop3.transaction import Transaction
from mailstore.ports import SessionRecord
from mailstore.wire.turn_taker import TurnTaker

if TYPE_CHECKING:
    from mailstore.ports import Accounts, Journal, Maildrop, Peer

# Which command is legal in which state, and what obeys it: RFC 1939 §4 to §7; CAPA: RFC 2449 §5; STLS: RFC 2595 §4;
# AUTH: RFC 5034 §4. UTF8 (RFC 6856 §2.1) belongs to AUTHORIZATION alone, but classic Outlook sends it after PASS and
# gives up on -ERR.
COMMANDS: dict[State, dict[str, Callable[..., None]]] = {
    State.AUTHORIZATION: {
        "AUTH": Authorization.auth,
        "CAPA": Authorization.capa,
        "PASS": Authorization.password,
        "QUIT": Authorization.quit,
        "STLS": Authorization.stls,
        "USER": Authorization.user,
        "UTF8": Authorization.utf8,
    },
    State.TRANSACTION: {
        "CAPA": Transaction.capa,
        "DELE": Transaction.dele,
        "LIST": Transaction.list,
        "NOOP": Transaction.noop,
        "QUIT": Transaction.quit,
        "RETR": Transaction.retr,
        "RSET": Transaction.rset,
        "STAT": Transaction.stat,
        "TOP": Transaction.top,
        "UIDL": Transaction.uidl,
        "UTF8": Transaction.utf8,
    },
    State.UPDATE: {},
}


class Session:
    """Implements `ports.Session`. Where TLS comes before the first octet, `tls_started` comes before `connected`."""

    def __init__(self, peer: Peer, accounts: Accounts, journal: Journal, rules: Rules) -> None:
        self._peer = peer
        self._journal = journal
        self._rules = rules
        self._record = record = SessionRecord(client=peer.client, proxy=peer.proxy)
        self._turns = TurnTaker(peer, self, line_octets=commands.SASL_LINE_OCTETS)
        self._authorization = Authorization(
            peer, self._turns, accounts, journal, rules=rules, record=record, signed_in=self._enter_transaction
        )
        self._transaction: Transaction | None = None
        self._state = State.AUTHORIZATION
        self._legal_commands = COMMANDS[State.AUTHORIZATION]  # their functions are methods of `_executor`
        self._executor: Authorization | Transaction = self._authorization
        self._bad_in_a_row = 0
        self._commands_left = COMMANDS_BEFORE_SIGN_IN

    # --- ports.Session --------------------------------------------------------------------------------------------

    def connected(self) -> None:
        self._turns.say(replies.GREETING)

    def receive(self, data: bytes) -> bool:
        return self._turns.receive(data)

    def proceed(self) -> None:
        self._turns.proceed()

    def tls_started(self, version: str) -> None:
        self._turns.tls_started()
        self._record.tls = version

    def half_closed(self) -> None:
        self._authorization.give_way()
        self._turns.end_input()

    def wants_input(self) -> bool:
        return self._turns.wants_input()

    def signed_in(self) -> bool:
        return self._transaction is not None

    def updating(self) -> bool:
        return self._transaction is not None and self._transaction.updating

    def ended(self, reason: str, octets_in: int, octets_out: int) -> None:
        self._turns.leave()
        self._authorization.leave()
        del self._authorization, self._executor  # which refer to this session
        record = self._record
        record.reason = self._turns.end_reason or reason
        record.octets_in = octets_in
        record.octets_out = octets_out
        if self._transaction is None:
            self._journal.session_ended(record)
        elif not self._transaction.updating:
            self._transaction.report_end()

    # --- one line (wire.turn_taker.LineHandler) -------------------------------------------------------------------

    def obey(self, line: bytes) -> None:
        if self._transaction is None:
            if self._authorization.in_exchange():
                self._authorization.continue_exchange(line)
                return
            if not self._has_command_left():
                return
        command = commands.parse(line)
        if isinstance(command, commands.Fault):
            if self._transaction is None:
                self._authorization.note_fault(line, command)
            self._refuse(command)
            return
        act = self._legal_commands.get(command.verb)
        if act is None:
            self._refuse_bad(replies.WRONG_STATE[self._state])
            return
        self._bad_in_a_row = 0
        act(self._executor, *command.arguments)

    def obey_overlong(self) -> None:
        if self._transaction is None and self._authorization.in_exchange():
            self._authorization.note_overlong_response()
            self._turns.say(replies.SASL_TOO_LONG)
            self._turns.end("response too long")
        else:
            self._refuse_bad(replies.LINE_TOO_LONG)

    def out_of_lines(self) -> None:
        # RFC 1939 §3: a command ends with its line, so half a line at the end of the input is none.
        if self._turns.input_ended:
            self._turns.end("half-closed")
        elif self._turns.lines.starts_with(commands.TLS_RECORD_START):
            if self._transaction is None:
                self._authorization.note_tls_first()
            self._refuse(commands.Fault.OTHER_PROTOCOL)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _enter_transaction(self, maildrop: Maildrop) -> None:
        """Answer a sign-in that succeeded."""
        transaction = Transaction(
            self._peer, self._turns, maildrop, self._journal, rules=self._rules, record=self._record
        )
        self._record.mechanism = self._authorization.mechanism
        self._state = State.TRANSACTION
        self._legal_commands = COMMANDS[State.TRANSACTION]
        self._transaction = self._executor = transaction
        self._peer.admit()
        transaction.greet()

    def _has_command_left(self) -> bool:
        """Count a command before sign-in, and refuse one too many. The lines of a SASL exchange do not count."""
        if self._commands_left:
            self._commands_left -= 1
            return True
        self._turns.say(replies.TOO_MANY_COMMANDS)
        self._turns.end("too many commands")
        return False

    def _refuse(self, fault: commands.Fault) -> None:
        if fault is commands.Fault.OTHER_PROTOCOL:
            self._turns.say(replies.FAULTS[fault])
            self._turns.end("not POP3")
        else:
            self._refuse_bad(replies.FAULTS[fault])

    def _refuse_bad(self, reply: bytes) -> None:
        self._bad_in_a_row += 1
        self._turns.say(reply)
        if self._bad_in_a_row >= BAD_COMMANDS_IN_A_ROW[self._state]:
            self._turns.end("bad commands")
