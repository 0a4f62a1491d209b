"""Read a line of Exim's mainlog: what it took, rejected, deferred, sent on or returned. Deliveries to us are not told.

The forms are those of the Exim specification, chapter "Log files".
"""

from __future__ import annotations

import re
from datetime import datetime

from mailstore.mta_log.log_event import FIELD_CHARACTERS, TEXT_CHARACTERS, LogEvent, Outcome, Taken

# Before Exim 4.97: 6-6-2 characters; since then 6-11-4.
_ID = r"(?P<id>[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4})"
_ADDRESS = rf"[^<>\s]{{0,{FIELD_CHARACTERS}}}"
# `ID <= sender H=host [ip] P=esmtps S=1234 id=a@b`; the null sender is `<>`
_ARRIVAL = re.compile(rf"{_ID} <= (?P<sender><>|{_ADDRESS}) (?P<rest>.*)")
_SIZE = re.compile(r"\bS=(\d{1,18})\b")
_MESSAGE_ID = re.compile(r"\bid=(\S{1,300})")
# `ID == recipient <original> R=router T=transport defer (-44) text`, `ID ** recipient …: text`, `ID => recipient …`
_DELIVERY = re.compile(
    rf"{_ID} (?P<mark>==|\*\*|=>|->) (?P<to>{_ADDRESS}?)(?: <(?P<orig>{_ADDRESS})>)?:?(?P<rest> .*)?$"
)
_HOST = r"H=(?P<host>.{0,300}?)\[(?P<ip>[0-9A-Fa-f:.]{3,45})\]"
# `H=host (helo) [ip]:port … F=<sender> [temporarily ]rejected RCPT <recipient>: text`, or `rejected MAIL <sender>:
# text`, or `rejected after DATA: text`
_REJECT = re.compile(
    rf"(?:{_ID} )?{_HOST}(?P<rest>.*?) (?:F=<(?P<sender>{_ADDRESS})> (?:A=\S+ )?)?(?P<soft>temporarily )?rejected "
    rf"(?:RCPT <?(?P<to>{_ADDRESS})>?|MAIL (?:FROM:)?<?(?P<from>{_ADDRESS})>?(?: \S+)*?|after DATA):?(?P<text>.*)$"
)
# `[ID ]rejected MAIL FROM:<sender> H=host (helo) [ip]: message too big: …`, or `rejected from <sender> H=…`
_REJECT_MESSAGE = re.compile(
    rf"(?:{_ID} )?rejected (?:MAIL FROM:|from )<(?P<sender>{_ADDRESS})> {_HOST}[^:]*: (?P<text>.*)$"
)
# What our own listener has answered: our row says more.
_ANSWERED = re.compile(r"(?:LMTP|SMTP) error from (?:remote )?mail(?:er| server) after (?:RCPT TO|end of data|\.)")
REJECTED = " rejected "
_REASONS = {"==": "queued", "**": "bounced", "=>": "sent", "->": "sent"}
_LMTP_TRANSPORT = re.compile(r"\bT=\S*lmtp\S*", re.IGNORECASE)


def event(at: datetime, text: str) -> LogEvent | None:
    """Return what the line says; None for all that is of no interest."""
    if match := _ARRIVAL.match(text):
        return _arrival(match)
    if match := _DELIVERY.match(text):
        return _delivery(at, match)
    if match := _REJECT.match(text):
        return _reject(at, match)
    if match := _REJECT_MESSAGE.match(text):
        return _rejection(at, match, recipient="", sender=match["sender"], final=True)
    return None


def _arrival(match: re.Match[str]) -> Taken:
    size, message_id = _SIZE.search(match["rest"]), _MESSAGE_ID.search(match["rest"])
    return Taken(
        match["id"],
        sender="" if match["sender"] == "<>" else match["sender"],
        octets=int(size[1]) if size else None,
        message_id=message_id[1] if message_id else None,
    )


def _delivery(at: datetime, match: re.Match[str]) -> Outcome | None:
    text = (match["rest"] or "").strip()
    reason, by_lmtp = _REASONS[match["mark"]], _LMTP_TRANSPORT.search(text)
    if text.startswith("LMTP error") or (_ANSWERED.search(text) and ("LMTP" in text or by_lmtp)):
        return None
    if reason == "sent" and by_lmtp:
        return None
    recipient = match["orig"] if match["orig"] and "@" in match["orig"] else match["to"]
    return Outcome(at, reason, reason != "queued", match["id"], recipient, text[:TEXT_CHARACTERS])


def _reject(at: datetime, match: re.Match[str]) -> Outcome | None:
    if REJECTED in match["text"]:  # the first may be of a sender's address that is written like a line
        return None
    sender = match["sender"] or match["from"] or ""
    return _rejection(at, match, recipient=match["to"] or "", sender=sender, final=not match["soft"])


def _rejection(at: datetime, match: re.Match[str], *, recipient: str, sender: str, final: bool) -> Outcome:
    host = match["host"].split(" ")[0].strip("() ")
    origin = ", ".join(part for part in (host, match["ip"]) if part)
    text = match["text"].strip()[:TEXT_CHARACTERS]
    return Outcome(at, "rejected", final, match["id"] or "", recipient, text, sender, origin)
