"""Every action that the policy service answers with, as bytes. It decides nothing, and quotes nothing of a peer."""

from __future__ import annotations

from typing import Final

from mailstore import errors

# access(5): no objection, so what stands behind this check decides. "OK" would end all checks.
DUNNO: Final = b"action=DUNNO\n\n"
# At RCPT, what LMTP would say, in the same words. An error without a row is trouble of ours, and no objection.
ANSWERS: Final[dict[type[errors.MailError], bytes]] = {
    errors.UnknownRecipient: b"action=550 5.1.1 no such mailbox here\n\n",
    errors.RecipientDisabled: b"action=550 5.2.1 this mailbox does not receive mail\n\n",
    errors.QuotaRejected: b"action=552 5.2.2 the mailbox is full\n\n",
    errors.QuotaDeferred: b"action=452 4.2.2 the mailbox is full, try again later\n\n",
    errors.SendingOff: b"action=550 5.7.1 sending is switched off for this mailbox\n\n",
    errors.SendingLimitReached: b"action=450 4.7.1 too many messages from this sender, try again later\n\n",
}


def of_error(error: errors.MailError) -> bytes:
    return ANSWERS.get(type(error), DUNNO)
