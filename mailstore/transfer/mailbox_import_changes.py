"""What a row of an import changes, cell by cell, as text: the check shows it, and an undo reads it.

Cells are those of an export, so that the import's own reader understands them. Passwords and notes are never kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from mailstore.directory.fields.field import Kind, Surface
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.outcome import Changes, Rejected
from mailstore.directory.policies import NONE
from mailstore.models import Mailbox, RetentionPolicy
from mailstore.transfer import cell as cell_values
from mailstore.transfer.mailbox_columns import PASSWORD

_FIELDS = {field.name: field for field in MAILBOX.on(Surface.FILE)}
_CONTAINS = "contains"  # beside the fields, and first: octets and messages of a mailbox that its new quota leaves full
LEAVES_FULL = f'{{"{_CONTAINS}": '  # how the detail of such a row begins


@dataclass(frozen=True, slots=True)
class CellChange:
    """A field of a mailbox, and its cells before and after.

    `old` is None for a new mailbox. Passwords and notes have neither: only that they change is kept.
    """

    field: str
    old: str | None
    new: str | None


def write(mailbox: Mailbox, changes: Changes, *, created: bool, password: bool) -> str:
    """Return the changes of a row as text; empty where there are none. `password`: it sets the password too."""
    cells: dict[str, list[Any]] = {}
    if _leaves_full(mailbox, changes):
        cells[_CONTAINS] = [mailbox.octets, mailbox.messages]
    cells |= {
        name: [None, None] if _FIELDS[name].private else [None if created else _cell(name, old), _cell(name, new)]
        for name, (old, new) in changes.items()
        if name in _FIELDS
    }
    if password:
        cells[PASSWORD] = [None, None]
    return json.dumps(cells, ensure_ascii=False) if cells else ""


def read(detail: str) -> list[CellChange]:
    """Return the changes in the detail of a row; none where it is a sentence."""
    if not detail.startswith("{"):
        return []
    return [CellChange(name, old, new) for name, (old, new) in json.loads(detail).items() if name != _CONTAINS]


def contains(detail: str) -> tuple[int, int] | None:
    """Return the octets and messages of the mailbox if its new quota leaves no room for more; None if it does."""
    if not detail.startswith(LEAVES_FULL):
        return None
    octets, messages = json.loads(detail)[_CONTAINS]
    return octets, messages


def former(mailbox: Mailbox, changes: list[CellChange], policies: Mapping[str, RetentionPolicy]) -> dict[str, Any]:
    """Return the values that a mailbox had before. Rejected where it was changed again since, or a policy is gone."""
    own = [change for change in changes if change.new is not None]
    if any(_FIELDS[change.field].value(mailbox) != _value(change.field, change.new, policies) for change in own):
        raise Rejected(_("somebody has changed it since then: not undone"))
    return {change.field: _value(change.field, change.old, policies) for change in own}


def _leaves_full(mailbox: Mailbox, changes: Changes) -> bool:
    quotas = (("quota_octets", mailbox.octets), ("quota_messages", mailbox.messages))
    new = ((changes[name][1], used) for name, used in quotas if name in changes)
    return any(quota is not None and 0 < used >= quota for quota, used in new)


def _cell(name: str, value: Any) -> str:
    return str(cell_values.write(_FIELDS[name], value))


def _value(name: str, cell: str | None, policies: Mapping[str, RetentionPolicy]) -> Any:
    if _FIELDS[name].kind is not Kind.POLICY:
        return cell_values.read(_FIELDS[name], cell or "")
    if cell is None or cell == NONE:
        return None
    if cell not in policies:
        raise Rejected(_("there is no retention policy %(cell)s") % {"cell": cell})
    return policies[cell]
