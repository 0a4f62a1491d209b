"""The columns of a file of mailboxes: their headings, what each means, and the values of a row. `cell` reads a cell.

A column with another heading is left out, such as the state in our own exports, or `smtp` in those of older versions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import existing_password, imported_hash
from mailstore.directory.fields.field import Kind, Surface
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.outcome import Rejected
from mailstore.directory.policies import NONE
from mailstore.models import Domain, Mailbox, RetentionPolicy
from mailstore.transfer import cell as cell_values


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


def _columns() -> Iterator[Column]:
    """Yield the fields that files have, with the address and the password, which are not in the table."""
    yield Column(ADDRESS, gettext_lazy("address"), gettext_lazy("Address"), _ADDRESS_HEADINGS, str)
    for field in MAILBOX.on(Surface.FILE):
        yield Column(field.name, field.label, field.heading, field.file_headings, partial(cell_values.read, field))
        if field.name == "name":
            yield Column(
                PASSWORD,
                gettext_lazy("password"),
                gettext_lazy("Password"),
                _PASSWORD_HEADINGS,
                existing_password.of_cell,
            )
            yield Column(
                PASSWORD_HASH,
                gettext_lazy("password hash"),
                gettext_lazy("Password hash"),
                (PASSWORD_HASH, "password hash", "passwordhash", "hash", "hashed_password", "crypt"),
                existing_password.of_hash,
            )


ADDRESS, PASSWORD, PASSWORD_HASH = "address", "password", "password_hash"
SECRETS = (PASSWORD, PASSWORD_HASH)  # never shown, and in no export of the pages
_ADDRESS_HEADINGS = (ADDRESS, "adresse", "email", "e-mail", "mailbox", "username")
_PASSWORD_HEADINGS = (PASSWORD, "mot de passe", "passwd", "pwd", "mdp")
COLUMNS = {column.field: column for column in _columns()}


@dataclass(frozen=True, slots=True)
class Preset:
    """What the lists of another program call their columns, in lower case. All other columns are left out.

    Hashes of passwords are among these, and what is not the same here, such as its quotas of messages.
    """

    name: str
    headings: Mapping[str, str]


PRESETS = {
    "postfixadmin": Preset("PostfixAdmin", {"username": ADDRESS, "name": "name", "quota": "quota_octets"}),
    "modoboa": Preset(
        "Modoboa",
        {"address": ADDRESS, "mail address": ADDRESS, "username": ADDRESS, "name": "name", "quota": "quota_octets"},
    ),
    "mailcow": Preset(
        "mailcow",
        {"username": ADDRESS, "name": "name", "full name": "name", "quota": "quota_octets"},
    ),
    "cpanel": Preset(
        "cPanel",
        {
            "email": ADDRESS,
            "login": ADDRESS,
            "password": PASSWORD,
            "quota": "quota_octets",
            "diskquota": "quota_octets",
        },
    ),
}


def by_preset(name: str, header: Sequence[str]) -> list[str]:
    """Return the field of each column by the headings of a preset, "" where it has none. Each field is found once."""
    if name not in PRESETS:
        raise Rejected(_("choose one of the listed programs"))
    found: list[str] = []
    for heading in header:
        field = PRESETS[name].headings.get(heading.strip().lower(), "")
        found.append("" if field in found else field)
    if ADDRESS not in found:
        text = _("no column of this file has the name that %(program)s gives to the address: choose the columns below")
        raise Rejected(text % {"program": PRESETS[name].name})
    return found


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
    if field == PASSWORD_HASH:
        return imported_hash.exported(mailbox.user.password) or ""
    known = MAILBOX[field]
    return cell_values.write(known, known.value(mailbox))


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
    """Reads the cells of some rows. One query a column finds all policies that they name, among the given ones.

    `domains` are the names of the domains that a cell may name; None: all.
    """

    def __init__(
        self,
        meaning: Sequence[str],
        rows: Sequence[Sequence[str]],
        policies: QuerySet[RetentionPolicy],
        domains: Collection[str] | None,
    ) -> None:
        self._meaning = meaning
        self._named: dict[str, Mapping[str, Model]] = {}
        for number, field in enumerate(meaning):
            names = {cells[number].strip() for cells in rows}
            if field in MAILBOX.names(Kind.POLICY):
                self._named[field] = policies.in_bulk(names, field_name="name")
            elif field in MAILBOX.names(Kind.DOMAIN):
                self._named[field] = domains_named(names, domains)

    def values(self, cells: Sequence[str]) -> dict[str, Any]:
        """Return the values of the columns that are not empty. BadCell names the first that cannot be read.

        A password is a text, or an ExistingPassword where the cell holds a hash.
        """
        found: dict[str, Any] = {}
        for number, (field, exact) in enumerate(zip(self._meaning, cells, strict=True)):
            cell = exact if field == PASSWORD else exact.strip()
            if field and cell:
                try:
                    found[field] = self._row(field, cell) if field in self._named else COLUMNS[field].read(cell)
                except Rejected as error:
                    raise BadCell(number, str(error)) from error
        if PASSWORD_HASH in found:
            if PASSWORD in found:
                raise BadCell(self._meaning.index(PASSWORD_HASH), _("the row has both a password and a password hash"))
            found[PASSWORD] = found.pop(PASSWORD_HASH)
        return found

    def _row(self, field: str, cell: str) -> Model | None:
        """Return the policy or domain that a cell names; None for none."""
        if cell.lower() == NONE:
            return None
        if cell not in self._named[field]:
            if field in MAILBOX.names(Kind.DOMAIN):
                raise Rejected(_("%(domain)s is not one of your domains.") % {"domain": cell[:100]})
            raise Rejected(_("there is no retention policy %(cell)s") % {"cell": cell[:100]})
        return self._named[field][cell]


def domains_named(names: Collection[str], allowed: Collection[str] | None) -> Mapping[str, Domain]:
    """Return the domains that have these names, by name. Those that are not `allowed` do not exist; None: all are."""
    found = set(names) if allowed is None else set(names).intersection(allowed)
    return Domain.objects.filter(removed_at=None).in_bulk(found, field_name="name")
