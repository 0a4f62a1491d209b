"""The maps of the MTA, asked as the MTA asks them: with its user, its files and its sign-in to the database."""

from __future__ import annotations

import re

from mailstore.mta.checks.result import Finding, bad, skipped
from mailstore.mta.checks.subject import FOUND, NOT_FOUND, Subject

_SECRET = re.compile(r"(postgresql://[^\s:@/]*):[^\s@]*@")  # Postfix prints the URL of a database that it cannot reach


def domains(subject: Subject) -> Finding:
    return _look_up(subject, "virtual_mailbox_domains", is_domain=True)


def mailboxes(subject: Subject) -> Finding:
    return _look_up(subject, "virtual_mailbox_maps")


def aliases(subject: Subject) -> Finding:
    return _look_up(subject, "virtual_alias_maps", may_be_absent=True)


def senders(subject: Subject) -> Finding:
    return _look_up(subject, "smtpd_sender_login_maps")


def _look_up(subject: Subject, table: str, *, is_domain: bool = False, may_be_absent: bool = False) -> Finding:
    if subject.probe is None:
        return skipped("no-probe")
    key = subject.probe.domain if is_domain else subject.probe.address
    said = subject.mta.lookup(table, key)
    if said is None:
        return skipped("no-map", table=table)
    if said.code not in (FOUND, NOT_FOUND):
        return bad("map-fails", _SECRET.sub(r"\1@", said.words), table=table)
    if said.code == FOUND:
        return Finding(f"{key}: {said.output}")
    return Finding(f"{key}: -") if may_be_absent else bad("not-in-map", f"{key}: -", table=table, key=key)
