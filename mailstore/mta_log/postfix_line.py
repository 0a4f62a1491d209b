"""Read a line of Postfix's log: what it took, rejected, deferred, sent on or returned.

Deliveries to us are not told.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from mailstore.mta_log.log_event import FIELD_CHARACTERS, TEXT_CHARACTERS, LogEvent, Outcome, Taken

_ID = r"(?P<id>[0-9A-Za-z]{5,64})"
_ADDRESS = rf"[^<>]{{0,{FIELD_CHARACTERS}}}"
# `4Xyz1: message-id=<a@b>`, from cleanup
_MESSAGE_ID = re.compile(rf"{_ID}: message-id=<?(?P<message_id>[^<>\s]{{1,300}})>?$")
# `4Xyz1: from=<s@x>, size=1234, nrcpt=1 (queue active)`, from qmgr
_QUEUED = re.compile(rf"{_ID}: from=<(?P<sender>{_ADDRESS})>, size=(?P<octets>\d{{1,18}}), nrcpt=")
# `4Xyz1: from=<s@x>, status=expired, returned to sender`, from qmgr
_EXPIRED = re.compile(rf"{_ID}: from=<(?P<sender>{_ADDRESS})>, status=(?:force-)?expired, (?P<text>.*)")
# `4Xyz1: to=<r@x>, orig_to=<o@x>, relay=none, delay=…, dsn=4.4.1, status=deferred (text)`
_DELIVERY = re.compile(
    rf"{_ID}: to=<(?P<to>{_ADDRESS})>, (?:orig_to=<(?P<orig>{_ADDRESS})>, )?relay=(?P<relay>[^,]*), .*?"
    r"status=(?P<status>deferred|bounced|sent) \((?P<text>.*)\)$"
)
# `NOQUEUE: reject: RCPT from host[192.0.2.1]: 554 5.7.1 text; from=<s@x> to=<r@x> proto=ESMTP helo=<x>`. The text may
# quote what the client said, so the last `; from=<` counts. At MAIL, and behind a message with several recipients,
# there is no `to=`. A milter's reply may have no more than `5.7.1 text`.
_REJECT = re.compile(
    r"(?P<id>NOQUEUE|[0-9A-Za-z]{5,64}): (?:milter-)?reject: [A-Z-]+ from (?P<host>[^\s\[]*)\[(?P<ip>[^\]]{1,64})\]"
    rf"(?::\d+)?: (?P<text>[45](?:\d\d|\.\d{{1,3}}\.\d{{1,3}}) .*); from=<(?P<sender>{_ADDRESS})>"
    rf"(?: to=<(?P<to>{_ADDRESS})>)?(?: proto=| helo=|$)"
)
PROTOCOL = " proto="  # behind the addresses, once
SAID = " said: "  # what follows is the reply of the server that it delivers to


def event(program: str, at: datetime, text: str) -> LogEvent | None:
    """Return what the line says; None for all that is of no interest. `program` is such as `postfix/smtpd`."""
    reader = _READERS.get(program.rpartition("/")[2]) if program.startswith("postfix") else None
    return None if reader is None else reader(at, text)


def _cleanup(at: datetime, text: str) -> LogEvent | None:
    if match := _MESSAGE_ID.match(text):
        return Taken(match["id"], message_id=match["message_id"])
    return _smtpd(at, text)  # milters reject here too


def _qmgr(at: datetime, text: str) -> LogEvent | None:
    if match := _QUEUED.match(text):
        return Taken(match["id"], sender=match["sender"], octets=int(match["octets"]))
    if match := _EXPIRED.match(text):
        return Outcome(at, "bounced", True, match["id"], None, _short(match["text"]), match["sender"])
    return None


def _smtpd(at: datetime, text: str) -> LogEvent | None:
    match = _REJECT.match(text)
    # A client can put a forged `to=` into its HELO name or its sender, so such a line is skipped.
    if match is None or PROTOCOL in match["text"]:
        return None
    mta_id = "" if match["id"] == "NOQUEUE" else match["id"]
    origin = ", ".join(part for part in (match["host"], match["ip"]) if part and part != "unknown")
    final = match["text"].startswith("5")
    return Outcome(at, "rejected", final, mta_id, match["to"] or "", _short(match["text"]), match["sender"], origin)


def _delivery(at: datetime, text: str) -> Outcome | None:
    match = _DELIVERY.match(text)
    if match is None:
        return None
    reason = _STATUSES[match["status"]]
    recipient = match["orig"] or match["to"]
    return Outcome(at, reason, reason != "queued", match["id"], recipient, _short(match["text"]))


def _lmtp(at: datetime, text: str) -> LogEvent | None:
    """Leave out what a server answered: that is us, and our own row says more."""
    outcome = None if SAID in text else _delivery(at, text)
    return None if outcome is None or outcome.reason == "sent" else outcome


def _short(text: str) -> str:
    return text[:TEXT_CHARACTERS]


_STATUSES = {"deferred": "queued", "bounced": "bounced", "sent": "sent"}
_READERS: dict[str, Callable[[datetime, str], LogEvent | None]] = {
    "bounce": _delivery,
    "cleanup": _cleanup,
    "error": _delivery,
    "lmtp": _lmtp,
    "local": _delivery,
    "nqmgr": _qmgr,
    "pipe": _delivery,
    "postscreen": _smtpd,
    "qmgr": _qmgr,
    "retry": _delivery,
    "smtp": _delivery,
    "smtpd": _smtpd,
    "virtual": _delivery,
}
