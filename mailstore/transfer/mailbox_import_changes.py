"""What a row of an import changes, cell by cell, as text: the check shows it, and an undo reads it.

Cells are those of an export, so that the import's own reader understands them. Passwords and notes are never kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from mailstore.directory import domains
from mailstore.directory.fields.field import Field, Kind, Surface, Table
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.outcome import Changes, Rejected
from mailstore.directory.policies import NONE
from mailstore.models import Mailbox, RetentionPolicy
from mailstore.transfer import cell as cell_values
from mailstore.transfer.file_columns import NEW_ADDRESS
from mailstore.transfer.mailbox_columns import PASSWORD

_NOWHERE = "nowhere"  # beside the fields too: the targets of an alias that lead to nobody
_CONTAINS = "contains"  # beside the fields, and first: octets and messages of a mailbox that its new quota leaves full
LEADS_NOWHERE = f'"{_NOWHERE}": ['  # what the detail of such a row contains
LEAVES_FULL = f'{{"{_CONTAINS}": '  # how the detail of such a row begins


@dataclass(frozen=True, slots=True)
class CellChange:
    """A field of a row, and its cells before and after.

    `old` is None for a new row. Passwords and notes have neither: only that they change is kept.
    """

    field: str
    old: str | None
    new: str | None


def write(mailbox: Mailbox, changes: Changes, *, created: bool, password: bool) -> str:
    """Return the changes of a row as text; empty where there are none. `password`: it sets the password too."""
    cells: dict[str, list[Any]] = {}
    if _leaves_full(mailbox, changes):
        cells[_CONTAINS] = [mailbox.octets, mailbox.messages]
    cells |= _cells(MAILBOX, changes, created=created)
    if password:
        cells[PASSWORD] = [None, None]
    return json.dumps(cells, ensure_ascii=False) if cells else ""


def write_fields(table: Table, changes: Changes, *, created: bool) -> str:
    """Return the changes of an alias or a domain as text; empty where there are none."""
    cells = _cells(table, changes, created=created)
    return json.dumps(cells, ensure_ascii=False) if cells else ""


def write_rename(old: str, new: str) -> str:
    """Return the new address of a mailbox as text."""
    return json.dumps({NEW_ADDRESS: [old, new]}, ensure_ascii=False)


def with_nowhere(detail: str, targets: list[str]) -> str:
    """Add to the changes of an alias those of its targets that lead to nobody."""
    return json.dumps({**json.loads(detail or "{}"), _NOWHERE: targets}, ensure_ascii=False)


def nowhere(detail: str) -> list[str]:
    """Return the targets that lead to nobody."""
    found: list[str] = json.loads(detail).get(_NOWHERE, []) if detail.startswith("{") else []
    return found


def read(detail: str) -> list[CellChange]:
    """Return the changes in the detail of a row; none where it is a sentence."""
    if not detail.startswith("{"):
        return []
    return [CellChange(name, old, new) for name, (old, new) in _fields_in(detail).items()]


def contains(detail: str) -> tuple[int, int] | None:
    """Return the octets and messages of the mailbox if its new quota leaves no room for more; None if it does."""
    if not detail.startswith(LEAVES_FULL):
        return None
    octets, messages = json.loads(detail)[_CONTAINS]
    return octets, messages


def former(
    row: Model, changes: list[CellChange], policies: Mapping[str, RetentionPolicy], *, table: Table = MAILBOX
) -> dict[str, Any]:
    """Return the values that a row had before. Rejected where it was changed again since, or a policy is gone."""
    own = [(table[change.field], change) for change in changes if change.new is not None]
    if any(field.value(row) != _value(field, change.new, policies) for field, change in own):
        raise Rejected(_("somebody has changed it since then: not undone"))
    return {field.name: _value(field, change.old, policies) for field, change in own}


def _fields_in(detail: str) -> dict[str, Any]:
    return {name: cells for name, cells in json.loads(detail).items() if name not in (_CONTAINS, _NOWHERE)}


def _cells(table: Table, changes: Changes, *, created: bool) -> dict[str, list[Any]]:
    fields = {field.name: field for field in table.on(Surface.FILE)}
    return {
        name: [None, None]
        if fields[name].private
        else [None if created else _cell(fields[name], old), _cell(fields[name], new)]
        for name, (old, new) in changes.items()
        if name in fields
    }


def _leaves_full(mailbox: Mailbox, changes: Changes) -> bool:
    quotas = (("quota_octets", mailbox.octets), ("quota_messages", mailbox.messages))
    new = ((changes[name][1], used) for name, used in quotas if name in changes)
    return any(quota is not None and 0 < used >= quota for quota, used in new)


def _cell(field: Field, value: Any) -> str:
    return str(cell_values.write(field, value))


def _value(field: Field, cell: str | None, policies: Mapping[str, RetentionPolicy]) -> Any:
    if field.kind not in (Kind.POLICY, Kind.DOMAIN):
        return cell_values.read(field, cell or "")
    if cell is None or cell == NONE:
        return None
    if field.kind is Kind.DOMAIN:
        return domains.get(cell)
    if cell not in policies:
        raise Rejected(_("there is no retention policy %(cell)s") % {"cell": cell})
    return policies[cell]
