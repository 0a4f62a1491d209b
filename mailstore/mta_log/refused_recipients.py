"""The rows of recipients that an MTA cannot reach, each with the reason that LMTP would have given.

They are written by the same statement as the answers of LMTP and of the policy service, and folded with these.
"""

from __future__ import annotations

from mailstore.delivery import recipient_lookup, trace_row
from mailstore.delivery.recipient_lookup import SeenRenames
from mailstore.delivery.trace_row import FoldRooms, TraceRow
from mailstore.errors import MailError, OverQuota, RecipientDisabled, UnknownRecipient
from mailstore.models import TraceEntry
from mailstore.mta_log.log_event import Outcome
from mailstore.ports import Answer, MessageMarks, Recipient
from mailstore.sql.orm_lanes import OrmLanes
from mailstore.sql.statements.trace import TRACE

NO_HOSTNAME = ""  # it is asked only for addresses with a domain
CAUSES = (UnknownRecipient, RecipientDisabled, OverQuota)  # what an MTA can know of a recipient


class RefusedRecipients:
    """Call `add` for each refusal of a batch, then `write`."""

    def __init__(self, rooms: FoldRooms) -> None:
        self._lanes = OrmLanes()
        self._seen = SeenRenames()
        self._rooms = rooms
        self._rows: dict[bytes, TraceRow] = {}  # by their fold keys
        self._answers: dict[str, Recipient | MailError] = {}  # of this batch, by recipient

    def add(self, outcome: Outcome) -> bool:
        """Note a refusal; return whether the lookup refuses its recipient too. Else the MTA has another cause."""
        recipient = outcome.recipient or ""
        error = self._answers.get(recipient) or self._lookup(recipient)
        self._answers[recipient] = error
        if not isinstance(error, MailError) or not isinstance(error, CAUSES):
            return False
        row = trace_row.row(_answer(outcome, error), outcome.at, self._rooms)
        assert row.fold_key is not None  # noqa: S101 - each refusal before a message is folded
        folded = self._rows.setdefault(row.fold_key, row)
        if folded is not row:
            folded.tries += 1
            folded.at = row.at
        return True

    def write(self) -> None:
        """Write what was noted since the last call, in the caller's transaction."""
        if self._rows:
            self._lanes.write(((TRACE, trace_row.parameters(list(self._rows.values()))),), lambda _answer: None)
        self._rows, self._answers = {}, {}

    def _lookup(self, recipient: str) -> Recipient | MailError:
        found: list[Recipient | MailError] = []
        recipient_lookup.find(
            self._lanes, recipient, None, found.append, hostname=NO_HOSTNAME, seen=self._seen, advisory=True
        )
        return found[0]


def _answer(outcome: Outcome, error: MailError) -> Answer:
    return Answer(
        source=TraceEntry.Source.MTA,
        client="",
        sender=outcome.sender or "",
        recipient=outcome.recipient or "",
        outcome=error,
        reply=outcome.text,
        marks=MessageMarks(mta_id=outcome.mta_id, origin=outcome.origin),
    )
