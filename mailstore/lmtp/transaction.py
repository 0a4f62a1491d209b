"""The state of one mail transaction, from MAIL to the last reply, and the order of its replies. It words no reply."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailstore.lmtp.commands import Mail
from mailstore.lmtp.message_data import ChunkReader, IncomingMessage
from mailstore.ports import Envelope, Recipient

if TYPE_CHECKING:
    from mailstore.ports import Intake, Peer

_NO_MAIL = Mail(sender="", size_octets=None, utf8=False)


@dataclass(slots=True)
class Transaction:
    """What MAIL began; before MAIL, an empty one.

    `recipients_by_place` has the accepted recipients by the place of their RCPT among the RCPTs, from 0.
    `undecided_count` is how many RCPTs the delivery has not answered.
    """

    mail: Mail = _NO_MAIL
    recipients_by_place: dict[int, Recipient] = field(default_factory=dict)
    undecided_count: int = 0
    chunks: ChunkReader | None = None
    _message: IncomingMessage | None = None

    def recipients(self) -> list[Recipient]:
        """Return the accepted recipients in the order of their RCPTs, whatever the order of the answers."""
        return [self.recipients_by_place[place] for place in sorted(self.recipients_by_place)]

    def envelope(self, client_name: str, peer: Peer) -> Envelope:
        """Return the envelope of a client that gave `client_name` in LHLO."""
        return Envelope(
            sender=self.mail.sender,
            client_name=client_name,
            client=peer.client,
            encrypted=peer.encrypted,
            protocol="UTF8LMTP" if self.mail.utf8 else "LMTP",  # RFC 6531 §4.3
        )

    def begin_message(self, intake: Intake, limit_octets: int) -> IncomingMessage:
        self._message = IncomingMessage(intake, limit_octets)
        return self._message

    def release_message(self) -> None:
        """Hand a message that came whole to the delivery."""
        self._message = None

    def forget(self) -> None:
        """Abort a message that did not come whole."""
        if self._message is not None:
            self._message.intake.abort()
            self._message = None


class ReplyOrder:
    """One group of questions. Each reply leaves as soon as all replies before it have left."""

    __slots__ = ("_first", "_replies")

    def __init__(self) -> None:
        self._first = 0  # the place of the first question without a reply
        self._replies: deque[bytes | None] = deque()

    def __len__(self) -> int:
        """Return how many replies have not left."""
        return len(self._replies)

    def ask(self) -> int:
        """Return the place of the next question, from 0."""
        self._replies.append(None)
        return self._first + len(self._replies) - 1

    def answer(self, place: int, reply: bytes) -> bytes:
        """Keep the reply to one question, and return all replies that may leave now, joined."""
        self._replies[place - self._first] = reply
        ready = []
        while self._replies and self._replies[0] is not None:
            ready.append(self._replies[0])
            self._replies.popleft()
            self._first += 1
        return b"".join(ready)
