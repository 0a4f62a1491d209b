"""What the words of an MTA say of a refusal: whose it is, and why. They count without <…>, which strangers write."""

from __future__ import annotations

import re

from mailstore.models import TraceEntry
from mailstore.mta_log.log_event import Outcome
from mailstore.wire import recipient_refusal

Reason = TraceEntry.Reason

_QUOTED = re.compile(r"<[^<>]*>")
# Postfix: `550 5.1.1 <x@y>: Recipient address rejected: no such mailbox here`; Exim has our words alone.
_POLICY = frozenset(reply.decode() for reply in recipient_refusal.REPLIES.values())
_REPEATED = re.compile(r"([45]\d\d [45]\.\d\.\d) : Recipient address rejected: (.*)")
# Postfix' maps and its relay control, Exim's routers and our ACL for it, and LMTP as both were answered beforehand.
_OF_RECIPIENT = re.compile(
    r"User unknown|Relay access denied|Recipient address rejected: un(?:deliverable|verified) address|"
    r"Unrouteable address|relay not permitted|no such mailbox|does not receive mail|the mailbox is full",
    re.IGNORECASE,
)
_REASONS: dict[Reason, re.Pattern[str]] = {
    Reason.TOO_LARGE: re.compile(r"message size exceeds|message too big|\b5\.3\.4\b", re.IGNORECASE),
    Reason.LOOP: re.compile(
        r"too many hops|hop count exceeded|mail (?:forwarding )?loop|routing loop|loops back to myself|"
        r"too many .Received. headers|\b5\.4\.6\b",
        re.IGNORECASE,
    ),
}


def is_of_policy(text: str) -> bool:
    """Return whether these are the words in which our policy service refused a recipient: the trace has its row."""
    repeated = _REPEATED.fullmatch(_QUOTED.sub("", text))
    return (" ".join(repeated.groups()) if repeated else text) in _POLICY


def is_of_recipient(text: str) -> bool:
    """Return whether the MTA refused a recipient since it cannot reach it, and not for the sake of the sender."""
    return _OF_RECIPIENT.search(_QUOTED.sub("", text)) is not None


def reason(outcome: Outcome) -> str:
    """Return one of TraceEntry.Reason: the cause that the text names, else what became of the message."""
    if not outcome.final or outcome.reason == Reason.SENT:
        return outcome.reason
    text = _QUOTED.sub("", outcome.text)
    return next((cause for cause, words in _REASONS.items() if words.search(text)), outcome.reason)
