"""The changes of a row of an import, cell by cell, for people."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext as _

from mailstore.directory.fields.field import Kind
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.policies import NONE
from mailstore.models import MailboxImportRow
from mailstore.policy.quota import parse_octets
from mailstore.transfer import mailbox_import_changes
from mailstore.transfer.mailbox_columns import COLUMNS
from popadmin.web.formats import facts, size_or_none

register = template.Library()
_SIZES = MAILBOX.names(Kind.SIZE)


@register.filter
def cell_changes(row: MailboxImportRow) -> list[dict[str, Any]]:
    """Return the `label` of each field that the row changes, with `old` and `new`; both None for what is not shown."""
    return [
        {
            "label": COLUMNS[change.field].label,
            "old": _shown(change.field, change.old),
            "new": _shown(change.field, change.new),
        }
        for change in mailbox_import_changes.read(row.detail)
    ]


def sentence(row: MailboxImportRow) -> str:
    """Return the same as one text, for a file; for other rows their detail."""
    found = cell_changes(row)
    return facts(_text(**each) for each in found) if found else row.detail


def _text(label: str, old: str | None, new: str | None) -> str:
    if new is None:
        return _("%(field)s: changed") % {"field": label}
    return f"{label}: {new}" if old is None else f"{label}: {old} → {new}"


def _shown(field: str, cell: str | None) -> str | None:
    if cell is None:
        return None
    if field in _SIZES:
        return size_or_none(parse_octets(cell))
    return _("none") if cell in ("", NONE) else cell
