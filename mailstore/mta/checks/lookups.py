"""The maps of the MTA, asked as the MTA asks them: with its user, its files and its sign-in to the database."""

from __future__ import annotations

import re

from mailstore.mta.checks.result import Finding, bad, skipped
from mailstore.mta.checks.subject import FOUND, NOT_FOUND, Subject

_SECRET = re.compile(r"(postgresql://[^\s:@/]*):[^\s@]*@")  # Postfix prints the URL of a database that it cannot reach


def domains(subject: Subject) -> Finding:
    return _look_up(subject, "virtual_mailbox_domains", subject.probe.domain if subject.probe else None)


def mailboxes(subject: Subject) -> Finding:
    return _look_up(subject, "virtual_mailbox_maps", subject.probe.address if subject.probe else None)


def aliases(subject: Subject) -> Finding:
    """An alias that leads elsewhere is found; where there is none, a mailbox is no alias."""
    if subject.alias_elsewhere is not None:
        return _look_up(subject, "virtual_alias_maps", subject.alias_elsewhere)
    return _look_up(subject, "virtual_alias_maps", subject.probe.address if subject.probe else None, may_be_absent=True)


def senders(subject: Subject) -> Finding:
    return _look_up(subject, "smtpd_sender_login_maps", subject.probe.address if subject.probe else None)


def _look_up(subject: Subject, table: str, key: str | None, *, may_be_absent: bool = False) -> Finding:
    if key is None:
        return skipped("no-probe")
    said = subject.mta.lookup(table, key)
    if said is None:
        return skipped("no-map", table=table)
    if said.code not in (FOUND, NOT_FOUND):
        return bad("map-fails", _SECRET.sub(r"\1@", said.words), table=table)
    if said.code == FOUND:
        return Finding(f"{key}: {said.output}")
    return Finding(f"{key}: -") if may_be_absent else bad("not-in-map", f"{key}: -", table=table, key=key)
