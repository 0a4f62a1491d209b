"""The columns of a file by the kind of its rows: what each means, and the values of a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory.existing_password import ExistingPassword
from mailstore.directory.fields.domain import ALIAS, DOMAIN
from mailstore.directory.fields.field import Kind, Surface, Table
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.outcome import Rejected
from mailstore.directory.policies import NONE
from mailstore.models import Domain, MailboxImport, MailboxImportRow, RetentionPolicy
from mailstore.policy.quota import EXPLICIT, Reading
from mailstore.transfer import cell as cell_values
from mailstore.transfer import file_preset, mailbox_columns
from mailstore.transfer.file_preset import TARGETS
from mailstore.transfer.mailbox_columns import (
    ACTIVE,
    ADDRESS,
    DOMAIN_NAME,
    LOCAL_PART,
    PASSWORD,
    PASSWORD_HASH,
    Column,
)

ROW_KIND = "kind"
FileKind: TypeAlias = MailboxImport.Kind
RowKind: TypeAlias = MailboxImportRow.Kind
TABLES: dict[int, Table] = {
    RowKind.DOMAIN: DOMAIN,
    RowKind.ALIAS_DOMAIN: DOMAIN,
    RowKind.MAILBOX: MAILBOX,
    RowKind.ALIAS: ALIAS,
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
}
STANDS_FOR = "stands_for"
_ALIAS_ADDRESSES = (*mailbox_columns.ADDRESS_HEADINGS, "alias", "alias address", "source", "from", "forwarder")
_DOMAIN_HEADINGS = ("domain", "domaine", "domain name", "domain_name")
_DOMAIN_ADDRESSES = (*_DOMAIN_HEADINGS, "name", "nom", ADDRESS)
SHOWN_CHARACTERS = 40


class BadCell(Rejected):
    """A cell that cannot be read. `column` is the number of its column, from 0."""

    def __init__(self, column: int, why: str) -> None:
        super().__init__(why)
        self.column = column


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
}
_OF_ROW: dict[int, dict[str, Column]] = {
    RowKind.DOMAIN: _DOMAIN_COLUMNS,
    RowKind.ALIAS_DOMAIN: _DOMAIN_COLUMNS,
    RowKind.MAILBOX: mailbox_columns.COLUMNS,
    RowKind.ALIAS: _ALIAS_COLUMNS,
}


def guess(kind: str, header: Sequence[str], first: Sequence[str]) -> list[str]:
    """Return the field of each column by its heading, "" where none is known. Each field is found once.

    Where no heading says it, the first column with an address in the first row is the address, and in a file of aliases
    the next one has the targets.
    """
    known = _known(kind)
    found: list[str] = []
    for name in header:
        field = known.get(name.strip().lower(), "")
        found.append("" if field in found else field)
    if kind != FileKind.DOMAINS and not any(header):
        _fill(found, ADDRESS, first)
    if kind == FileKind.ALIASES:
        _fill(found, ADDRESS, first)
        _fill(found, TARGETS, first)
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


class Reader:
    """Reads the cells of some rows of one kind. One query a column finds all policies that they name, among the given.

    `domains` are the names of the domains that a cell may name; None: all. `existing` says that passwords are those of
    another server.
    """

    def __init__(
        self,
        meaning: Sequence[str],
        rows: Sequence[Sequence[str]],
        policies: QuerySet[RetentionPolicy],
        domains: Collection[str] | None,
        *,
        kind: int = RowKind.MAILBOX,
        reading: Reading = EXPLICIT,
        existing: bool = False,
    ) -> None:
        self._meaning = meaning
        self._columns = _OF_ROW[kind]
        self._table = TABLES[kind]
        self._reading = reading
        self._existing = existing
        self._named: dict[str, Mapping[str, Model]] = {}
        for number, field in enumerate(meaning):
            names = {cells[number].strip() for cells in rows}
            if field in self._table.names(Kind.POLICY):
                self._named[field] = policies.in_bulk(names, field_name="name")
            elif field in self._table.names(Kind.DOMAIN):
                self._named[field] = domains_named({name.lower() for name in names}, domains)

    def values(self, cells: Sequence[str]) -> dict[str, Any]:
        """Return the values of the columns that are not empty. BadCell names the first that cannot be read.

        A password is a text, or an ExistingPassword where the cell holds a hash.
        """
        found: dict[str, Any] = {}
        for number, (field, exact) in enumerate(zip(self._meaning, cells, strict=True)):
            cell = exact if field == PASSWORD else exact.strip()
            if not cell or not field:
                continue
            try:
                if field == ROW_KIND:
                    kind_of(cell)
                elif field in self._columns:
                    found[field] = self._value(field, cell)
            except Rejected as error:
                raise BadCell(number, str(error)) from error
        self._one_password(found)
        if self._table is MAILBOX:
            self._whole(found)
        return found

    def _value(self, field: str, cell: str) -> Any:
        if field in self._named:
            return self._row(field, cell)
        if field in self._table.names(Kind.SIZE):
            return self._columns[field].read(self._reading.text(cell))
        value = self._columns[field].read(cell)
        return ExistingPassword(value) if self._existing and field == PASSWORD and isinstance(value, str) else value

    def _one_password(self, found: dict[str, Any]) -> None:
        if PASSWORD_HASH not in found:
            return
        if PASSWORD in found:
            raise BadCell(self._meaning.index(PASSWORD_HASH), _("the row has both a password and a password hash"))
        found[PASSWORD] = found.pop(PASSWORD_HASH)

    def _whole(self, found: dict[str, Any]) -> None:
        """Put the columns that only other programs have into those that we have."""
        if LOCAL_PART in found or DOMAIN_NAME in found:
            found.setdefault(ADDRESS, f"{found.pop(LOCAL_PART, '')}@{found.pop(DOMAIN_NAME, '')}")
        if ACTIVE in found:
            found["suspended"] = not found.pop(ACTIVE)

    def _row(self, field: str, cell: str) -> Model | None:
        """Return the policy or domain that a cell names; None for none."""
        if cell.lower() == NONE:
            return None
        name = cell.lower() if field in self._table.names(Kind.DOMAIN) else cell
        if name in self._named[field]:
            return self._named[field][name]
        if field in self._table.names(Kind.DOMAIN):
            raise Rejected(_("%(domain)s is not one of your domains.") % {"domain": cell[:100]})
        raise Rejected(_("there is no retention policy %(cell)s") % {"cell": cell[:100]})


def domains_named(names: Collection[str], allowed: Collection[str] | None) -> Mapping[str, Domain]:
    """Return the domains that have these names, by name. Those that are not `allowed` do not exist; None: all are."""
    found = set(names) if allowed is None else set(names).intersection(allowed)
    return Domain.objects.filter(removed_at=None).in_bulk(found, field_name="name")
