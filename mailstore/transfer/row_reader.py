"""Read the cells of the rows of a file into values, by the meaning of their columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from mailstore.directory.existing_password import ExistingPassword
from mailstore.directory.fields.field import Kind
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.outcome import Rejected
from mailstore.directory.policies import NONE
from mailstore.models import Domain, RetentionPolicy
from mailstore.policy.quota import EXPLICIT, Reading
from mailstore.transfer.cell import read_size
from mailstore.transfer.file_columns import OF_ROW, ROW_KIND, TABLES, RowKind, kind_of
from mailstore.transfer.mailbox_columns import ACTIVE, ADDRESS, DOMAIN_NAME, LOCAL_PART, PASSWORD, PASSWORD_HASH


class BadCell(Rejected):
    """A cell that cannot be read. `column` is the number of its column, from 0."""

    def __init__(self, column: int, why: str) -> None:
        super().__init__(why)
        self.column = column


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
        self._columns = OF_ROW[kind]
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

    def check_kind(self, cells: Sequence[str]) -> None:
        """Check the cell that says what the row is. Raises BadCell for a word that names no kind."""
        if ROW_KIND in self._meaning:
            place = self._meaning.index(ROW_KIND)
            try:
                kind_of(cells[place])
            except Rejected as error:
                raise BadCell(place, str(error)) from error

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
                if field in self._columns:
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
            return read_size(cell, self._reading)
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
