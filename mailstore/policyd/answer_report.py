"""Reports to the trace which recipients are refused. A recipient that is accepted has its answer from LMTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailstore.errors import MailError
from mailstore.policyd import replies
from mailstore.policyd.commands import MayReceive, Question
from mailstore.ports import Answer, MessageMarks

if TYPE_CHECKING:
    from mailstore.ports import Trace

SOURCE = "policy"


class AnswerReport:
    """The refusals of one connection."""

    def __init__(self, trace: Trace, client: str) -> None:
        self._trace = trace
        self._client = client

    def refused(self, question: Question, error: MailError, action: bytes) -> None:
        """Report a recipient that is refused or deferred. A message that a user may not send has several."""
        if isinstance(question, MayReceive):
            self._trace.answered(
                Answer(
                    source=SOURCE,
                    client=self._client,
                    sender=question.sender,
                    recipient=question.address,
                    outcome=error,
                    reply=replies.text(action),
                    announced_octets=question.octets,
                    marks=MessageMarks(mta_id=question.mta_id, origin=question.origin),
                )
            )
