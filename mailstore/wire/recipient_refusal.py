"""How a recipient is refused: in the same words by LMTP and by the policy service, without the end of the line.

The log of an MTA repeats these words, and what it repeats is known by them.
"""

from __future__ import annotations

from typing import Final

from mailstore import errors

REPLIES: Final[dict[type[errors.MailError], bytes]] = {
    errors.UnknownRecipient: b"550 5.1.1 no such mailbox here",
    errors.RecipientDisabled: b"550 5.2.1 this mailbox does not receive mail",
    # A full mailbox has two replies, since Postfix takes 552 at RCPT for permanent: the domain's admin chooses.
    errors.QuotaRejected: b"552 5.2.2 the mailbox is full",
    errors.QuotaDeferred: b"452 4.2.2 the mailbox is full, try again later",
}
