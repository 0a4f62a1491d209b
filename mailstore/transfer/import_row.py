"""What a row of an upload says: its address, and the values of its columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress

from django.db.models import QuerySet

from mailstore.directory import aliases, domains, mailbox_lookup
from mailstore.directory.outcome import Rejected
from mailstore.models import MailboxImport, MailboxImportRow, RetentionPolicy
from mailstore.policy.quota import Reading
from mailstore.transfer import file_columns
from mailstore.transfer.file_columns import RowKind
from mailstore.transfer.row_reader import Reader

DOMAINS = (RowKind.DOMAIN, RowKind.ALIAS_DOMAIN)
_NORMAL: dict[int, Callable[[str], str]] = {
    RowKind.DOMAIN: domains.normalized,
    RowKind.ALIAS_DOMAIN: domains.normalized,
    RowKind.MAILBOX: mailbox_lookup.normalized,
    RowKind.ALIAS: aliases.normalized,
    RowKind.RENAME: mailbox_lookup.normalized,
}


def normal(kind: int, typed: str) -> str:
    """Return an address, or the name of a domain, as it is stored. Rejected says what is wrong with it."""
    return _NORMAL[kind](typed)


def addresses(upload: MailboxImport, rows: Iterable[MailboxImportRow]) -> Iterator[str]:
    """Yield the addresses of the rows that can be read, in normal form."""
    for row in rows:
        with suppress(Rejected):
            yield normal(row.kind, file_columns.address_of(upload.meaning, row.cells))


def same_kind(kind: int) -> Sequence[int]:
    """Return the kinds of rows among which an address may be there once."""
    return DOMAINS if kind in DOMAINS else (kind,)


def reader(
    upload: MailboxImport,
    rows: Sequence[MailboxImportRow],
    *,
    policies: QuerySet[RetentionPolicy],
    domains: Collection[str] | None,
) -> Reader:
    """Return the reader of these rows, which are of one kind."""
    return Reader(
        upload.meaning,
        [row.cells for row in rows],
        policies,
        domains,
        kind=rows[0].kind if rows else RowKind.MAILBOX,
        reading=Reading(upload.unit, upload.zero, upload.small_sizes),
        existing=upload.existing_passwords,
    )
