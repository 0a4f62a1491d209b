"""A cell of a file of mailboxes: how the value of a field is read from it and written to it, by the kind of field.

A policy or a domain is read as its name here; `row_reader.Reader` finds the rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from mailstore.directory import address_error
from mailstore.directory.fields.field import Field, Kind, end_of_day
from mailstore.directory.outcome import Rejected
from mailstore.directory.policies import NONE
from mailstore.policy import old_server
from mailstore.policy.old_server import BadOldServer
from mailstore.policy.quota import BARE_OCTETS, EXPLICIT, BadSize, Reading, format_octets, is_no_limit

YES = frozenset({"1", "yes", "y", "true", "t", "on", "x", "oui", "o", "vrai"})  # t and f are what psql writes
NO = frozenset({"0", "no", "n", "false", "f", "off", "non", "faux"})
DIGITS_AT_MOST = 15
_BETWEEN_ADDRESSES = re.compile(r"[\s,;]+")
SHOWN_CHARACTERS = 40  # of a cell, in an error


def read(field: Field, cell: str) -> Any:
    """Return the value that a cell stands for. Rejected says what is wrong with it."""
    return _READERS[field.kind](field, cell)


def write(field: Field, value: Any) -> object:
    """Return the cell for a value. `read` turns it back."""
    if field.kind is Kind.SIZE:
        return _size(value)
    if value is None:
        return NONE
    writer = _WRITERS.get(field.kind)
    return value if writer is None else writer(value)


def _size(octets: int | None) -> object:
    """Return a number, which a spreadsheet can add up, where the import reads it as octets; else a text."""
    return octets if octets is not None and octets >= BARE_OCTETS else format_octets(octets)


def _yes_or_no(value: bool) -> str:
    return _("yes") if value else _("no")


def _text(_field: Field, cell: str) -> str:
    return cell


def _switch(_field: Field, cell: str) -> bool:
    return read_switch(cell)


def read_switch(cell: str) -> bool:
    """Return whether the cell says yes. Rejected where it says neither yes nor no."""
    word = cell.lower()
    if word in YES or word in NO:
        return word in YES
    raise Rejected(_("%(cell)s is neither yes nor no") % {"cell": cell[:SHOWN_CHARACTERS]})


def _octets(_field: Field, cell: str) -> int | None:
    return read_size(cell, EXPLICIT)


def read_size(cell: str, reading: Reading) -> int | None:
    """Return the size that a cell stands for, read as all sizes of its file. Rejected says what is wrong with it."""
    try:
        return reading.octets(cell)
    except BadSize as error:
        raise Rejected(address_error.size_sentence(error)) from error


def _count(_field: Field, cell: str) -> int | None:
    if is_no_limit(cell):
        return None
    if _is_number(cell):
        return int(cell)
    text = _("%(cell)s is not a number: write a whole number or none")
    raise Rejected(text % {"cell": cell[:SHOWN_CHARACTERS]})


def _days(_field: Field, cell: str) -> int:
    if _is_number(cell):
        return int(cell)
    raise Rejected(_("%(cell)s is not a number of days") % {"cell": cell[:SHOWN_CHARACTERS]})


def _choice(field: Field, cell: str) -> str:
    if cell.lower() in field.choices:
        return cell.lower()
    labels = {str(label).lower(): value for value, label in field.choices_with_labels}
    if cell.lower() in labels:  # as the list of domains exports it
        return labels[cell.lower()]
    text = _("%(cell)s is not a choice: write one of %(choices)s")
    raise Rejected(text % {"cell": cell[:SHOWN_CHARACTERS], "choices": ", ".join(field.choices)})


def _last_day(_field: Field, cell: str) -> datetime | None:
    if cell.lower() == NONE:
        return None
    try:
        return end_of_day(cell.partition("T")[0])  # lists export the moment at which the day ends
    except ValueError as error:
        text = _("%(cell)s is not a date: write it as 2027-12-31, or none")
        raise Rejected(text % {"cell": cell[:SHOWN_CHARACTERS]}) from error


def _server(_field: Field, cell: str) -> str | None:
    if cell.lower() == NONE:
        return None
    try:
        return old_server.parse(cell).url
    except BadOldServer as error:
        raise Rejected(address_error.server_sentence(cell)) from error


def _addresses(_field: Field, cell: str) -> list[str]:
    return [address for address in _BETWEEN_ADDRESSES.split(cell) if address]


def _joined(addresses: list[str]) -> str:
    return " ".join(addresses)


def _is_number(cell: str) -> bool:
    return cell.isascii() and cell.isdigit() and len(cell) <= DIGITS_AT_MOST


_READERS: dict[Kind, Callable[[Field, str], Any]] = {
    Kind.TEXT: _text,
    Kind.SWITCH: _switch,
    Kind.SIZE: _octets,
    Kind.COUNT: _count,
    Kind.DAYS: _days,
    Kind.DAYS_OR_NEVER: _count,
    Kind.CHOICE: _choice,
    Kind.POLICY: _text,
    Kind.DOMAIN: _text,
    Kind.SERVER: _server,
    Kind.LAST_DAY: _last_day,
    Kind.ADDRESSES: _addresses,
}
_WRITERS: dict[Kind, Callable[[Any], object]] = {
    Kind.SWITCH: _yes_or_no,
    Kind.POLICY: lambda policy: policy.name,
    Kind.DOMAIN: lambda domain: domain.name,
    Kind.LAST_DAY: lambda moment: timezone.localtime(moment).date().isoformat(),
    Kind.ADDRESSES: _joined,
}
