"""What one mail transaction has gathered, from MAIL to the last reply. It decides nothing and answers nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailstore.lmtp.commands import Mail
from mailstore.lmtp.message_data import Chunks, Kept
from mailstore.ports import Envelope, Recipient

if TYPE_CHECKING:
    from mailstore.ports import Intake, Peer

_NO_MAIL = Mail(sender="", octets=None, utf8=False)


@dataclass(slots=True)
class Transaction:
    """What MAIL began; before it, an empty one. `accepted` has the recipients by the number of their RCPT."""

    mail: Mail = _NO_MAIL
    accepted: dict[int, Recipient] = field(default_factory=dict)
    undecided: int = 0  # RCPTs that the store has not answered
    chunks: Chunks | None = None
    _kept: Kept | None = None

    def recipients(self) -> list[Recipient]:
        """In the order of their RCPTs, whatever the order of the answers."""
        return [self.accepted[number] for number in sorted(self.accepted)]

    def envelope(self, name: str, peer: Peer) -> Envelope:
        """Return the envelope of a client that gave `name` in LHLO."""
        return Envelope(
            sender=self.mail.sender,
            client_name=name,
            client=peer.client,
            encrypted=peer.encrypted,
            protocol="UTF8LMTP" if self.mail.utf8 else "LMTP",  # RFC 6531 §4.3
        )

    def begin(self, intake: Intake, limit: int) -> Kept:
        """The message begins."""
        self._kept = Kept(intake, limit)
        return self._kept

    def complete(self) -> None:
        """The message came whole: from here on it is the store's business."""
        self._kept = None

    def forget(self) -> None:
        """Let go of a message that did not come whole."""
        if self._kept is not None:
            self._kept.intake.abort()
            self._kept = None
