"""The message at which a mail program stops: its longest line, which is the usual cause, and its way out of the way."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from mailstore.directory.audit import Actor
from mailstore.errors import MailError
from mailstore.messages import message_file, recovery
from mailstore.models import Finding, Message
from mailstore.sql.sweep_step import SweepContext

log = logging.getLogger("popadmin.sweep")

LINE_OCTETS_MOST = 998  # RFC 5322 §2.1.1, without the CRLF


def findings() -> QuerySet[Finding]:
    return Finding.objects.filter(kind=Finding.Kind.STOPPED)


def measure(context: SweepContext) -> None:
    """Note in each finding the longest line of its message, which is read once. 0 if it cannot be read."""
    for finding in findings().filter(facts__line_octets=None):
        if context.stop():
            return
        message = Message.objects.select_related("body").get(pk=finding.facts["message"])
        try:
            octets = longest_line(message_file.unstuffed(context.store, message))
        except MailError as error:
            log.warning("the message at which a program stops cannot be read: %s", error)
            octets = 0
        finding.facts["line_octets"] = octets
        finding.save(update_fields=["facts"])


def longest_line(chunks: Iterable[bytes]) -> int:
    """Return the octets of the longest line, without its CRLF, of a text that comes in chunks."""
    longest = begun = 0
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        begun += len(first)
        for line in others:
            longest = max(longest, begun - 1)  # without the CR before this line
            begun = len(line)
    return max(longest, begun)


def move(finding: Finding, *, actor: Actor) -> int:
    """Move the message of the finding into recovery, which ends the finding; return its key.

    Rejected if it is not in the mailbox any more.
    """
    message: int = finding.facts["message"]
    with transaction.atomic():
        recovery.remove(finding.mailbox.user.address, [message], actor=actor)
        findings().filter(mailbox=finding.mailbox, facts__message=message).delete()
    return message
