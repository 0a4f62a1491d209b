"""Reports to the trace what the recipients of one session are answered. It decides and words nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailstore.errors import MailError, MessageTooLarge
from mailstore.lmtp import replies
from mailstore.lmtp.commands import Mail
from mailstore.lmtp.forwarded import NOTHING_FORWARDED, Forwarded
from mailstore.ports import NO_MARKS, Answer, Delivered, MessageMarks, Recipient, Unfit

if TYPE_CHECKING:
    from mailstore.ports import Trace

SOURCE = "lmtp"


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """What is known of a message once it came: its recipients in order, its length, and the marks of its header."""

    recipients: Sequence[Recipient] = ()
    octets: int | None = None
    marks: MessageMarks = NO_MARKS


NO_MESSAGE = MessageFacts()


class AnswerReport:
    """The answers of one session.

    A message that is refused at MAIL for its announced size has no recipient yet. A client that pipelines names them
    all the same, and each is reported then. A client that names none leaves one report without a recipient.
    """

    def __init__(self, trace: Trace, client: str) -> None:
        self._trace = trace
        self._client = client
        self._forwarded = NOTHING_FORWARDED  # of the message that comes, or is there
        self._too_large: Mail | None = None  # refused at MAIL
        self._named = False  # a recipient was named since

    def forwarded(self, attributes: Forwarded) -> None:
        """Note what the MTA tells of the message whose MAIL follows."""
        self.transaction_ended()
        self._forwarded = self._forwarded.updated(attributes)

    def forget_forwarded(self) -> None:
        """Forget it: the transaction is over, or RSET or LHLO came."""
        self._forwarded = NOTHING_FORWARDED

    def at_rcpt(self, mail: Mail, address: str, outcome: MailError | Unfit, reply: bytes) -> None:
        """Report a recipient that is refused or deferred before its message came."""
        self._report(mail, address, outcome, reply)

    def after_message(
        self,
        mail: Mail,
        message: MessageFacts,
        place: int,
        outcome: Delivered | MailError,
        reply: bytes,
    ) -> None:
        """Report the answer to the recipient at this place of a message that came whole."""
        recipient = message.recipients[place]
        self._report(mail, recipient.address, outcome, reply, message=message, via=recipient.via)

    def too_large_at_mail(self, mail: Mail) -> None:
        """Note a message whose announced size is refused."""
        self._too_large, self._named = mail, False

    def recipient_out_of_order(self, address: str) -> None:
        """Report a recipient of a message that was refused at MAIL; any other belongs to no message."""
        if self._too_large is not None:
            self._named = True
            self._refuse_size(self._too_large, address)

    def transaction_ended(self) -> None:
        """Report a message that was refused at MAIL if no recipient was named. Called also at the end."""
        if self._too_large is not None and not self._named:
            self._refuse_size(self._too_large, "")
        self._too_large = None

    def _refuse_size(self, mail: Mail, address: str) -> None:
        self._report(mail, address, MessageTooLarge("as announced"), replies.ANSWERS[MessageTooLarge])

    def _report(
        self,
        mail: Mail,
        address: str,
        outcome: Delivered | MailError | Unfit,
        reply: bytes,
        *,
        message: MessageFacts = NO_MESSAGE,
        via: tuple[str, ...] = (),
    ) -> None:
        answer = Answer(
            source=SOURCE,
            client=self._client,
            sender=mail.sender,
            recipient=address,
            outcome=outcome,
            reply=reply.decode().strip(),
            announced_octets=mail.size_octets,
            octets=message.octets,
            via=via,
            marks=self._forwarded.completed(message.marks),
        )
        self._trace.answered(answer)
