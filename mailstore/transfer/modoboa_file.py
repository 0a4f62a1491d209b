"""Turn Modoboa's file, which has rows of several kinds and no names of columns, into a table with a column of kinds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mailstore.transfer.csv_table import DATA, Row

HEADER = ("kind", "address", "password", "name", "active", "quota", "targets", "keep_copy", "stands_for")
_YES = frozenset({"true", "1", "yes", "y"})  # every other word is a no there


def recast(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the rows below HEADER where each is one of Modoboa's; else the rows as they are.

    The line of the header is 0, since the file has none.
    """
    kinds = [row.cells[0].strip().lower() for row in rows]
    if not set(kinds) <= _KINDS:
        return rows
    return [Row(0, HEADER), *(_recast(kind, row) for kind, row in zip(kinds, rows, strict=True))]


def _recast(kind: str, row: Row) -> Row:
    cells = _Cells(row.cells)
    values = {"kind": kind, **(_ROWS[kind](cells) if kind in _ROWS else {"address": cells.plain(1)})}
    return Row(row.line, tuple(values.get(name, "") for name in HEADER))


class _Cells:
    """The cells of a row by their numbers. Those at its end may be missing."""

    def __init__(self, cells: Sequence[str]) -> None:
        # Where a blank follows each delimiter, as in Modoboa's documentation, it is no part of a password.
        blanks = all(cell.startswith(" ") for cell in cells[1:] if cell)
        self._cells = [cell.removeprefix(" ") for cell in cells] if blanks else cells

    def exact(self, number: int) -> str:
        return self._cells[number] if number < len(self._cells) else ""

    def plain(self, number: int) -> str:
        return self.exact(number).strip()

    def switch(self, number: int) -> str:
        word = self.plain(number).lower()
        return "" if not word else "yes" if word in _YES else "no"

    def from_number(self, number: int) -> list[str]:
        return [cell.strip() for cell in self._cells[number:] if cell.strip()]


def _account(cells: _Cells) -> dict[str, str]:
    """Read `account; login; password; first name; last name; enabled; group; address; quota in MB; domains…`."""
    address = cells.plain(7)
    return {
        "address": address if DATA in address else cells.plain(1),
        "password": cells.exact(2),
        "name": " ".join(part for part in (cells.plain(3), cells.plain(4)) if part),
        "active": cells.switch(5),
        "quota": cells.plain(8),
    }


def _alias(cells: _Cells) -> dict[str, str]:
    """Read `alias; address; enabled; target; target…`, and `dlist` likewise."""
    return {"address": cells.plain(1), "active": cells.switch(2), "targets": " ".join(cells.from_number(3))}


def _forward(cells: _Cells) -> dict[str, str]:
    """Read a forward. The mailbox keeps a copy where it is a target itself."""
    values = _alias(cells)
    keeps = values["address"].lower() in values["targets"].lower().split()
    return {**values, "keep_copy": "yes" if keeps else "no"}


def _domain(cells: _Cells) -> dict[str, str]:
    """Read `domain; name; quota in MB; quota of a new mailbox; enabled`."""
    return {"address": cells.plain(1), "quota": cells.plain(2), "active": cells.switch(4)}


def _alias_domain(cells: _Cells) -> dict[str, str]:
    """Read `domainalias; name; domain it stands for; enabled`."""
    return {"address": cells.plain(1), "stands_for": cells.plain(2), "active": cells.switch(3)}


_ROWS: dict[str, Callable[[_Cells], dict[str, str]]] = {
    "account": _account,
    "alias": _alias,
    "dlist": _alias,
    "forward": _forward,
    "domain": _domain,
    "domainalias": _alias_domain,
}
_KINDS = frozenset({*_ROWS, "relaydomain"})  # the last is no kind of row here, and each such row says so
