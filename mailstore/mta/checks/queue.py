"""Mail for hosted domains that waits in the queue of the MTA, for another reason than a full mailbox."""

from __future__ import annotations

from datetime import timedelta

from mailstore.mta.checks.result import Finding, bad
from mailstore.mta.checks.subject import Subject, Waiting

LONGEST = timedelta(hours=1)  # an MTA tries again sooner, so by then something is wrong
ASKED = 20  # recipients, the oldest first; each may take a program of the MTA
FULL = "4.2.2"  # RFC 3463 §3.3: this mail waits on purpose


def age(subject: Subject) -> Finding:
    queue = subject.mta.queue()
    if queue.failure:
        return bad("queue-silent", queue.failure)
    late = sorted((each for each in queue.waiting if _is_late(each, subject)), key=lambda each: each.since)
    reasons = [each.reason() for each in late[:ASKED]]
    faulty = [(each, reason) for each, reason in zip(late, reasons, strict=False) if FULL not in reason]
    if not faulty:
        return Finding(str(len(queue.waiting)))
    oldest, reason = faulty[0]
    return bad(
        "queue-old",
        f"{oldest.recipient}: {reason}",
        number=len(late) - len(reasons) + len(faulty),
        since=f"{oldest.since:%Y-%m-%d %H:%M} UTC",
    )


def _is_late(each: Waiting, subject: Subject) -> bool:
    domain = each.recipient.rpartition("@")[2].lower()
    return domain in subject.server.domains and subject.now - each.since > LONGEST
