"""The port of the policy service: what an MTA asks before it accepts a recipient, or a message of a user."""

from __future__ import annotations

from typing import Protocol

from mailstore.errors import Done


class Gatekeeper(Protocol):
    """What may object. Nothing is changed for a recipient: no mail makes room for a message that may never come."""

    def may_receive(self, address: str, octets: int | None, done: Done[None]) -> None:
        """Ask about a recipient; `octets` is what the sender announced, None if nothing.

        An error only if every mailbox behind the address refuses the message: UnknownRecipient, RecipientDisabled,
        QuotaRejected, QuotaDeferred. Of an address elsewhere, and of an alias that leads elsewhere, the MTA knows more,
        so there is no objection. Also Unavailable.
        """

    def may_send(self, login: str, done: Done[None]) -> None:
        """Ask whether a user may send one more message now, and count it.

        SendingLimitReached, Unavailable; SendingOff for a user who may send no more since the sign-in.
        """
