"""Every action that the policy service answers with, as bytes. It decides nothing, and quotes nothing of a peer."""

from __future__ import annotations

from typing import Final

from mailstore import errors
from mailstore.wire import recipient_refusal

# access(5): no objection, so what stands behind this check decides. "OK" would end all checks.
DUNNO: Final = b"action=DUNNO\n\n"
# An error without a row is trouble of ours, and no objection.
ANSWERS: Final[dict[type[errors.MailError], bytes]] = {
    **{error: b"action=%b\n\n" % reply for error, reply in recipient_refusal.REPLIES.items()},
    errors.SendingOff: b"action=550 5.7.1 sending is switched off for this mailbox\n\n",
    errors.SendingLimitReached: b"action=450 4.7.1 too many messages from this sender, try again later\n\n",
}


def text(action: bytes) -> str:
    """Return what the sender reads of an action: its code and its words."""
    return action.removeprefix(b"action=").decode().strip()


def of_error(error: errors.MailError) -> bytes:
    return ANSWERS.get(type(error), DUNNO)
