"""The columns of a file by the kind of its rows: what each means. `row_reader` reads their cells."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, TypeAlias

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory.fields.domain import ALIAS, DOMAIN
from mailstore.directory.fields.field import Surface, Table
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.outcome import Rejected
from mailstore.directory.policies import NONE
from mailstore.models import MailboxImport, MailboxImportRow
from mailstore.transfer import cell as cell_values
from mailstore.transfer import file_preset, mailbox_columns
from mailstore.transfer.file_preset import STANDS_FOR, TARGETS
from mailstore.transfer.mailbox_columns import (
    ADDRESS,
    DOMAIN_NAME,
    LOCAL_PART,
    Column,
)

ROW_KIND = "kind"
NEW_ADDRESS = "new_address"
FileKind: TypeAlias = MailboxImport.Kind
RowKind: TypeAlias = MailboxImportRow.Kind
TABLES: dict[int, Table] = {
    RowKind.DOMAIN: DOMAIN,
    RowKind.ALIAS_DOMAIN: DOMAIN,
    RowKind.MAILBOX: MAILBOX,
    RowKind.ALIAS: ALIAS,
    RowKind.RENAME: MAILBOX,
}
_KIND_WORDS: dict[str, RowKind] = {
    **dict.fromkeys(("account", "mailbox", "boîte", "boîte aux lettres"), RowKind.MAILBOX),
    **dict.fromkeys(("alias", "dlist", "forward"), RowKind.ALIAS),
    **dict.fromkeys(("domain", "domaine"), RowKind.DOMAIN),
    "domainalias": RowKind.ALIAS_DOMAIN,
}
_ROWS_OF = {
    FileKind.MAILBOXES: RowKind.MAILBOX,
    FileKind.ALIASES: RowKind.ALIAS,
    FileKind.DOMAINS: RowKind.DOMAIN,
    FileKind.RENAMES: RowKind.RENAME,
}
_ALIAS_ADDRESSES = (*mailbox_columns.ADDRESS_HEADINGS, "alias", "alias address", "source", "from", "forwarder")
_DOMAIN_HEADINGS = ("domain", "domaine", "domain name", "domain_name")
_DOMAIN_ADDRESSES = (*_DOMAIN_HEADINGS, "name", "nom", ADDRESS)
SHOWN_CHARACTERS = 40


def kind_of(word: str) -> RowKind:
    """Return the kind of row that a cell names. Rejected for another word."""
    kind = _KIND_WORDS.get(word.strip().lower())
    if kind is None:
        text = _("%(cell)s is no kind of row that can be imported: mailbox, alias or domain")
        raise Rejected(text % {"cell": word.strip()[:SHOWN_CHARACTERS]})
    return kind


def has_kinds(header: Sequence[str], cells: Sequence[Sequence[str]]) -> bool:
    """Return whether a column says of every row what it is."""
    places = [number for number, name in enumerate(header) if name.strip().lower() in (ROW_KIND, "type")]
    return any(all(row[place].strip().lower() in _KIND_WORDS for row in cells) for place in places)


def has_renames(header: Sequence[str]) -> bool:
    """Return whether columns have the old and the new address of mailboxes, as far as their names say it."""
    known = _known(FileKind.RENAMES)
    return {ADDRESS, NEW_ADDRESS} <= {known.get(name.strip().lower()) for name in header}


def has_domains(header: Sequence[str]) -> bool:
    """Return whether a column has the names of domains, as far as its own name says it."""
    return any(name.strip().lower() in _DOMAIN_HEADINGS for name in header)


def columns(kind: str) -> dict[str, Column]:
    """Return the columns that a file of this kind may have, by their fields."""
    return _COLUMNS[FileKind(kind)]


def _of_table(table: Table, address: Column) -> dict[str, Column]:
    fields = (
        Column(field.name, field.label, field.heading, field.file_headings, partial(cell_values.read, field))
        for field in table.on(Surface.FILE)
    )
    return {ADDRESS: address} | {column.field: column for column in fields}


def _named(field: str, label: Any, names: tuple[str, ...]) -> Column:
    return Column(field, label, label, names, str)


_ALIAS_COLUMNS = _of_table(ALIAS, _named(ADDRESS, gettext_lazy("address"), _ALIAS_ADDRESSES))
_DOMAIN_COLUMNS = _of_table(DOMAIN, _named(ADDRESS, gettext_lazy("domain"), _DOMAIN_ADDRESSES))
_RENAME_COLUMNS = {
    ADDRESS: _named(ADDRESS, gettext_lazy("old address"), ("old", "old_address", "former address")),
    NEW_ADDRESS: _named(NEW_ADDRESS, gettext_lazy("new address"), ("new", NEW_ADDRESS)),
}
_COLUMNS: dict[str, dict[str, Column]] = {
    FileKind.MAILBOXES: mailbox_columns.COLUMNS,
    FileKind.ALIASES: _ALIAS_COLUMNS,
    FileKind.DOMAINS: _DOMAIN_COLUMNS,
    FileKind.MIXED: {
        ROW_KIND: Column(
            ROW_KIND, gettext_lazy("kind of row"), gettext_lazy("Kind of row"), (ROW_KIND, "type"), kind_of
        ),
        **_DOMAIN_COLUMNS,
        **_ALIAS_COLUMNS,
        **mailbox_columns.COLUMNS,
    },
    FileKind.RENAMES: _RENAME_COLUMNS,
}
OF_ROW: dict[int, dict[str, Column]] = {
    RowKind.DOMAIN: _DOMAIN_COLUMNS,
    RowKind.ALIAS_DOMAIN: _DOMAIN_COLUMNS,
    RowKind.MAILBOX: mailbox_columns.COLUMNS,
    RowKind.ALIAS: _ALIAS_COLUMNS,
    RowKind.RENAME: _RENAME_COLUMNS,
}


_SECOND_ADDRESSES = {FileKind.ALIASES: TARGETS, FileKind.RENAMES: NEW_ADDRESS}


def guess(kind: str, header: Sequence[str], first: Sequence[str]) -> list[str]:
    """Return the field of each column by its heading, "" where none is known. Each field is found once.

    Where no heading says it, the first column with an address in the first row is the address. The next one has the
    targets in a file of aliases, and the new address in one of new addresses.
    """
    known = _known(kind)
    found: list[str] = []
    for name in header:
        field = known.get(name.strip().lower(), "")
        found.append("" if field in found else field)
    if kind != FileKind.DOMAINS and not any(header):
        _fill(found, ADDRESS, first)
    if kind in _SECOND_ADDRESSES:
        _fill(found, ADDRESS, first)
        _fill(found, _SECOND_ADDRESSES[FileKind(kind)], first)
    return file_preset.whole_address(found)


def _fill(found: list[str], field: str, first: Sequence[str]) -> None:
    """Let the first column of addresses that has no meaning yet have this one, unless another column has it."""
    places = [number for number, cell in enumerate(first) if "@" in cell and not found[number]]
    if field not in found and places:
        found[places[0]] = field


def _known(kind: str) -> dict[str, str]:
    """Return the field of each heading, in lower case: those of the columns, and their labels in all languages."""
    known = {name: field for field, column in columns(kind).items() for name in column.names}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            known |= {str(column.label).lower(): field for field, column in columns(kind).items()}
            known |= {str(column.heading).lower(): field for field, column in columns(kind).items()}
    return known


def check(kind: str, meaning: Sequence[str], number: int) -> None:
    """Check the fields chosen for the columns of a file. Rejected says what is wrong with them."""
    chosen = [field for field in meaning if field]
    if len(meaning) != number or not set(chosen) <= set(columns(kind)):
        raise Rejected(_("choose one of the listed fields for each column, or skip the column"))
    if ADDRESS not in chosen and not (kind == FileKind.MAILBOXES and {LOCAL_PART, DOMAIN_NAME} <= set(chosen)):
        raise Rejected(_("one column must contain the address"))
    if kind == FileKind.ALIASES and TARGETS not in chosen:
        raise Rejected(_("one column must contain the targets"))
    if kind == FileKind.RENAMES and NEW_ADDRESS not in chosen:
        raise Rejected(_("one column must contain the new address"))
    if kind == FileKind.MIXED and ROW_KIND not in chosen:
        raise Rejected(_("one column must say what each row is: mailbox, alias or domain"))
    if len(chosen) != len(set(chosen)):
        raise Rejected(_("two columns cannot contain the same field"))


def row_kind(kind: str, meaning: Sequence[str], cells: Sequence[str]) -> RowKind:
    """Return what a row is. One whose kind cannot be read is a mailbox until its check refuses it."""
    try:
        found = _ROWS_OF[FileKind(kind)] if kind in _ROWS_OF else kind_of(_cell(ROW_KIND, meaning, cells))
    except Rejected:
        return RowKind.MAILBOX
    stands = _cell(STANDS_FOR, meaning, cells).lower() not in ("", NONE)
    return RowKind.ALIAS_DOMAIN if found is RowKind.DOMAIN and stands else found


def address_of(meaning: Sequence[str], cells: Sequence[str]) -> str:
    """Return the address of a row as it stands in the file, or put together from its two parts; it may be empty."""
    if ADDRESS in meaning:
        return _cell(ADDRESS, meaning, cells)
    local, domain = (_cell(part, meaning, cells) for part in (LOCAL_PART, DOMAIN_NAME))
    return f"{local}@{domain}" if local or domain else ""


def _cell(field: str, meaning: Sequence[str], cells: Sequence[str]) -> str:
    return cells[meaning.index(field)].strip() if field in meaning else ""
