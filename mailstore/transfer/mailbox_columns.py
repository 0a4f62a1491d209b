"""The columns of a file of mailboxes: their headings, how a cell is read, and how an export writes it.

A column with another heading is left out, such as the state in our own exports, or `smtp` in those of older versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import address_error
from mailstore.directory.fields.field import Kind, Surface
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.outcome import Rejected
from mailstore.directory.policies import NONE
from mailstore.models import Mailbox, RetentionPolicy
from mailstore.policy.quota import BARE_OCTETS, BadSize, format_octets, parse_octets

YES = frozenset({"1", "yes", "y", "true", "on", "x", "oui", "o", "vrai"})
NO = frozenset({"0", "no", "n", "false", "off", "non", "faux"})
DIGITS_AT_MOST = 15


class BadCell(Rejected):
    """A cell that cannot be read. `column` is the number of its column, from 0."""

    def __init__(self, column: int, why: str) -> None:
        super().__init__(why)
        self.column = column


@dataclass(frozen=True, slots=True)
class Column:
    """What a column may hold.

    `heading` is its own in an export. `label` and `names`, in lower case, are those by which an import knows it. `read`
    turns a cell into the value.
    """

    field: str
    label: Promise
    heading: Promise
    names: tuple[str, ...]
    read: Callable[[str], Any]


def _text(cell: str) -> str:
    return cell


def _yes_or_no(cell: str) -> bool:
    word = cell.lower()
    if word in YES or word in NO:
        return word in YES
    raise Rejected(_("%(cell)s is neither yes nor no") % {"cell": cell[:40]})


def _octets(cell: str) -> int | None:
    try:
        return parse_octets(cell)
    except BadSize as error:
        raise Rejected(address_error.size_sentence(error)) from error


def _count(cell: str) -> int | None:
    if cell.lower() == NONE:
        return None
    if cell.isascii() and cell.isdigit() and len(cell) <= DIGITS_AT_MOST:
        return int(cell)
    raise Rejected(_("%(cell)s is not a number: write a whole number or none") % {"cell": cell[:40]})


def _columns() -> Iterator[Column]:
    """Yield the fields that files have, with the address and the password, which are not in the table."""
    yield Column(ADDRESS, gettext_lazy("address"), gettext_lazy("Address"), _ADDRESS_HEADINGS, _text)
    for field in MAILBOX.on(Surface.FILE):
        yield Column(field.name, field.label, field.heading, field.file_headings, _READERS[field.kind])
        if field.name == "name":
            yield Column(PASSWORD, gettext_lazy("password"), gettext_lazy("Password"), _PASSWORD_HEADINGS, _text)


ADDRESS, PASSWORD, POLICY = "address", "password", "policy"
_ADDRESS_HEADINGS = (ADDRESS, "adresse", "email", "e-mail", "mailbox", "username")
_PASSWORD_HEADINGS = (PASSWORD, "mot de passe", "passwd", "pwd", "mdp")
_READERS: dict[Kind, Callable[[str], Any]] = {
    Kind.TEXT: _text,
    Kind.SWITCH: _yes_or_no,
    Kind.SIZE: _octets,
    Kind.COUNT: _count,
    Kind.POLICY: _text,  # a name, which the Reader looks up
}
COLUMNS = {column.field: column for column in _columns()}


def guess(header: Sequence[str], first: Sequence[str]) -> list[str]:
    """Return the field of each column by its heading, "" where none is known. Each field is found once.

    Where no column has a heading, the first column with an address in the first row is the address.
    """
    found: list[str] = []
    known = _known()
    for name, cell in zip(header, first, strict=True):
        field = known.get(name.strip().lower(), "") if any(header) else ADDRESS if "@" in cell else ""
        found.append("" if field in found else field)
    return found


def cell(field: str, mailbox: Mailbox) -> object:
    """Return the cell of an export. Imported again, it changes nothing."""
    if field == ADDRESS:
        return mailbox.user.address
    known = MAILBOX[field]
    value = known.value(mailbox)
    return _size(value) if known.kind is Kind.SIZE else _written(value)


def _size(octets: int | None) -> object:
    """Return a number, which a spreadsheet can add up, where the import reads it as octets; else a text."""
    return octets if octets is not None and octets >= BARE_OCTETS else format_octets(octets)


def _written(value: object) -> object:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, RetentionPolicy):
        return value.name
    return NONE if value is None else value


def _known() -> dict[str, str]:
    """Return the field of each heading, in lower case: those of the columns, and their labels in all languages."""
    known = {name: field for field, column in COLUMNS.items() for name in column.names}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            known |= {str(column.label).lower(): field for field, column in COLUMNS.items()}
    return known


def check(meaning: Sequence[str], columns: int) -> None:
    """Check the fields chosen for the columns. Rejected says what is wrong with them."""
    chosen = [field for field in meaning if field]
    if len(meaning) != columns or not set(chosen) <= set(COLUMNS):
        raise Rejected(_("choose one of the listed fields for each column, or skip the column"))
    if ADDRESS not in chosen:
        raise Rejected(_("one column must contain the address"))
    if len(chosen) != len(set(chosen)):
        raise Rejected(_("two columns cannot contain the same field"))


class Reader:
    """Reads the cells of some rows. One query finds all policies that they name, among the given ones."""

    def __init__(
        self, meaning: Sequence[str], rows: Sequence[Sequence[str]], policies: QuerySet[RetentionPolicy]
    ) -> None:
        self._meaning = meaning
        place = meaning.index(POLICY) if POLICY in meaning else None
        names = set() if place is None else {cells[place] for cells in rows}
        self._policies = policies.in_bulk(names, field_name="name") if names else {}

    def values(self, cells: Sequence[str]) -> dict[str, Any]:
        """Return the values of the columns that are not empty. BadCell names the first that cannot be read."""
        found: dict[str, Any] = {}
        for number, (field, cell) in enumerate(zip(self._meaning, cells, strict=True)):
            if field and cell:
                try:
                    found[field] = self._policy(cell) if field == POLICY else COLUMNS[field].read(cell)
                except Rejected as error:
                    raise BadCell(number, str(error)) from error
        return found

    def _policy(self, cell: str) -> RetentionPolicy | None:
        if cell.lower() == NONE:
            return None
        if cell not in self._policies:
            raise Rejected(_("there is no retention policy %(cell)s") % {"cell": cell[:100]})
        return self._policies[cell]
