"""Write the password hashes of mailboxes for another server: for hosting admins alone, with entries in the audit."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.db.models import QuerySet

from mailstore.directory import audit, imported_hash, row_json
from mailstore.directory.audit import Actor
from mailstore.directory.row_json import Json
from mailstore.models import Mailbox

HASH = "password_hash"
AUDITED_AT_ONCE = 500  # mailboxes whose entries are written with one statement


def mailboxes(rows: QuerySet[Mailbox], *, actor: Actor) -> Iterator[Json]:
    """Yield the JSON of each mailbox with its hash, `{SCHEME}hash`; None where no password is set.

    Each owner sees in the history of their mailbox that the hash was exported. The entries are written before the first
    hash leaves.
    """
    record(rows, actor=actor)
    hashes = dict(rows.values_list("user__address", "user__password"))
    for values in row_json.mailboxes(rows):
        yield {**values, HASH: imported_hash.exported(hashes.get(values["address"], ""))}


@transaction.atomic
def record(rows: QuerySet[Mailbox], *, actor: Actor) -> None:
    """Write an entry of the audit for each mailbox whose hash is exported."""
    entries = []
    for box in rows.select_related("user").iterator(AUDITED_AT_ONCE):
        entries.append(audit.entry(actor, "mailbox.hashes", box.user.address, mailbox=box))
        if len(entries) == AUDITED_AT_ONCE:
            audit.record_all(entries)
            entries = []
    audit.record_all(entries)
