"""Set fields of many mailboxes at once, and set them back. `bulk_actions` has the actions and their previews."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from mailstore.directory import mailbox_batch, row_locks
from mailstore.directory.audit import Actor
from mailstore.directory.fields.mailbox import MAILBOX, MailboxValues
from mailstore.directory.mailbox_batch import Answer
from mailstore.directory.mailbox_judge import Wanted
from mailstore.directory.outcome import Changes, Only, Rejected
from mailstore.models import AuditEntry, Mailbox, RetentionPolicy
from popadmin.lists.bulk_action import Done, UndoData
from popadmin.panel import newest_entries
from popadmin.web import audit_text
from popadmin.web.formats import exact, facts


class NoFields(forms.Form):
    """A form without fields, for an action that only needs a preview."""


class FieldChange:
    """Set fields of mailboxes. Undo sets them back, unless somebody has changed them since."""

    label: Promise
    button: Promise
    outcome: Promise
    danger = False
    step_rows = 200  # deliveries to these mailboxes wait for a step: a quarter of a second
    fixed: MailboxValues = {}

    def form(self, request: HttpRequest, data: Mapping[str, Any] | None) -> forms.Form:
        return NoFields(data)

    def extra_data(self, fields: dict[str, Any]) -> dict[str, str]:
        return {}

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        raise NotImplementedError

    def do(self, rows: Sequence[Mailbox], fields: dict[str, Any], actor: Actor) -> list[Done | Rejected]:
        given: MailboxValues = {**self.fixed, **fields}  # type: ignore[typeddict-item]  # the fields of its own form
        wanted = [Wanted(row.user.address, given) for row in rows]
        return [_done(each, given) for each in mailbox_batch.ensure(wanted, actor=actor, only=Only.THERE)]

    def undo(self, undo_data: Mapping[int, UndoData], actor: Actor) -> list[str | Rejected]:
        there, past = row_locks.lock_mailboxes(undo_data), _changed_since(undo_data, actor)
        policies = RetentionPolicy.objects.in_bulk(
            [back["policy"][0] for back in undo_data.values() if "policy" in back]
        )
        mine = [key for key in undo_data if key not in past and _is_unchanged(there.get(key), undo_data[key])]
        wanted = [Wanted(there[key].user.address, _previous_values(undo_data[key], policies)) for key in mine]
        answers = dict(zip(mine, mailbox_batch.ensure(wanted, actor=actor, only=Only.THERE), strict=True))
        return [_undone(answers.get(key)) for key in undo_data]


def _done(answer: Answer, given: MailboxValues) -> Done | Rejected:
    if isinstance(answer, Rejected):
        return answer
    changes: Changes = {name: pair for name, pair in answer.changes.items() if name in given}
    if not changes:
        return Done(_("already had this setting"))
    text = facts(
        audit_text.change(name, _displayed_value(old), _displayed_value(new), written=exact)
        for name, (old, new) in changes.items()
    )
    return Done(text, {name: [_stored_value(old), _stored_value(new)] for name, (old, new) in changes.items()})


def _undone(answer: Answer | None) -> str | Rejected:
    if answer is None:
        return Rejected(_("somebody has changed it since then: not undone"))
    return answer if isinstance(answer, Rejected) else _("previous setting restored")


def _is_unchanged(mailbox: Mailbox | None, undo_data: UndoData) -> bool:
    """Return True if the mailbox is there, and nobody has changed the fields since."""
    return mailbox is not None and all(
        _stored_value(MAILBOX[name].value(mailbox)) == new for name, (_old, new) in _existing_fields(undo_data)
    )


def _changed_since(undo_data: Mapping[int, UndoData], actor: Actor) -> set[int]:
    """Return whose fields were changed after the job of the actor changed them, even to the same values again."""
    entries = AuditEntry.objects.filter(verb=newest_entries.MAILBOX_CHANGE, mailbox__in=[*undo_data])
    done = list(entries.filter(details__contains=dict(actor.part_of)))
    newest, keyed = newest_entries.of(done), [(entry.mailbox_id or 0, entry) for entry in done]
    return {key for key, entry in keyed if newest.is_past(entry, fields=undo_data[key])}


def _previous_values(undo_data: UndoData, policies: Mapping[int, RetentionPolicy]) -> MailboxValues:
    """Return the previous values; None for a policy that no longer exists."""
    return {  # type: ignore[return-value]  # fields that an action has set
        name: policies.get(old) if name == "policy" else old for name, (old, _new) in _existing_fields(undo_data)
    }


def _existing_fields(undo_data: UndoData) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield the fields to set back; a field that no longer exists is skipped."""
    yield from ((name, pair) for name, pair in undo_data.items() if name in MAILBOX)


def _stored_value(value: Any) -> Any:
    return value.pk if isinstance(value, RetentionPolicy) else value


def _displayed_value(value: Any) -> Any:
    return str(value) if isinstance(value, RetentionPolicy) else value
