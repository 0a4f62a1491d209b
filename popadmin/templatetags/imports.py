"""The changes of a row of an import, cell by cell, for people."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.directory.fields.field import Kind
from mailstore.directory.policies import NONE
from mailstore.models import MailboxImportRow
from mailstore.policy.quota import parse_octets
from mailstore.transfer import file_columns, mailbox_import_changes
from popadmin.web.formats import count, facts, size, size_or_none

register = template.Library()


@register.filter
def cell_changes(row: MailboxImportRow) -> list[dict[str, Any]]:
    """Return the `label` of each field that the row changes, with `old` and `new`; both None for what is not shown."""
    return [
        {
            "label": _label(row, change.field),
            "old": _shown(row, change.field, change.old),
            "new": _shown(row, change.field, change.new),
        }
        for change in mailbox_import_changes.read(row.detail)
    ]


@register.filter
def shortfall(row: MailboxImportRow) -> str:
    """Return what follows if the row's quota leaves no room for new mail; empty if it does."""
    contains = mailbox_import_changes.contains(row.detail)
    if contains is None:
        return ""
    octets, messages = contains
    number = ngettext("%(count)s message", "%(count)s messages", messages) % {"count": count(messages)}
    text = _("It contains %(used)s, %(messages)s: new mail will be refused until there is room.")
    return text % {"used": size(octets), "messages": number}


@register.filter
def nowhere(row: MailboxImportRow) -> str:
    """Return which targets of an alias lead to nobody; empty for none."""
    lost = mailbox_import_changes.nowhere(row.detail)
    if not lost:
        return ""
    text = ngettext("%(targets)s leads to nobody here.", "%(targets)s lead to nobody here.", len(lost))
    return text % {"targets": ", ".join(lost)}


def sentence(row: MailboxImportRow) -> str:
    """Return the same as one text, for a file; for other rows their detail."""
    found = [_text(**each) for each in cell_changes(row)]
    warnings = [text for text in (shortfall(row), nowhere(row)) if text]
    return facts([*found, *warnings]) or row.detail


def _text(label: str, old: str | None, new: str | None) -> str:
    if new is None:
        return _("%(field)s: changed") % {"field": label}
    return f"{label}: {new}" if old is None else f"{label}: {old} → {new}"


def _label(row: MailboxImportRow, field: str) -> Promise | str:
    return file_columns.OF_ROW[row.kind][field].label


def _shown(row: MailboxImportRow, field: str, cell: str | None) -> str | None:
    if cell is None:
        return None
    if field in file_columns.TABLES[row.kind].names(Kind.SIZE):
        return size_or_none(parse_octets(cell))
    return _("none") if cell in ("", NONE) else cell
