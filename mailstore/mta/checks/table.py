"""All checks of the mail flow, in the order in which a message meets them, and how they are run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from mailstore.mta.checks import certificate, configuration, journey, lmtp, lookups, policy, queue, sasl
from mailstore.mta.checks.result import Finding, Result, bad
from mailstore.mta.checks.subject import Subject

log = logging.getLogger("popadmin.mta")

CHECKS: dict[str, Callable[[Subject], Finding]] = {
    "configuration": configuration.accepted,
    "own-name": configuration.own_name,
    "destinations": configuration.destinations,
    "delimiter": configuration.delimiter,
    "size-limit": configuration.size_limit,
    "interfaces": configuration.interfaces,
    "lmtp-address": configuration.lmtp_address,
    "srs": configuration.rewriting,
    "map-domains": lookups.domains,
    "map-mailboxes": lookups.mailboxes,
    "map-aliases": lookups.aliases,
    "map-senders": lookups.senders,
    "lmtp-known": lmtp.known,
    "lmtp-unknown": lmtp.unknown,
    "lmtp-full": lmtp.full,
    "policy-known": policy.known,
    "policy-full": policy.full,
    "inbound": journey.inbound,
    "sasl-postfix": sasl.as_postfix,
    "sasl-exim": sasl.as_exim,
    "certificate": certificate.submission,
    "submission": journey.submitted,
    "foreign-sender": journey.foreign_sender,
    "queue": queue.age,
}


def run(subject: Subject) -> Iterator[Result]:
    """Make all checks; yield each result at once. None takes longer than some time limits of a dialogue."""
    for name, look in CHECKS.items():
        try:
            found = look(subject)
        except Exception as error:  # so that a bug in one check takes nothing from the others
            log.exception("the check %s failed", name)
            found = bad("check-failed", f"{type(error).__name__}: {error}")
        yield found.of(name)
