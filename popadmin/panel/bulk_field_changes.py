"""Fields set on many mailboxes at once, and set back; what each act sets and foretells, `acts` says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from mailstore.directory import bulk_sql, mailbox_batch
from mailstore.directory.audit import Actor
from mailstore.directory.fields.mailbox import MAILBOX, MailboxValues
from mailstore.directory.mailbox_batch import Answer, Wanted
from mailstore.directory.outcome import Changes, Only, Rejected
from mailstore.models import Mailbox, RetentionPolicy
from popadmin.lists.bulk_action import Back, Done
from popadmin.web import audit_text


class NothingAsked(forms.Form):
    """No field: the preview says all."""


class Change:
    """Sets fields of the mailbox, and back to what they were unless somebody has set them anew since."""

    label: Promise
    danger = False
    step_rows = 200  # deliveries to them wait meanwhile: a quarter of a second
    fixed: MailboxValues = {}

    def form(self, request: HttpRequest, asked: Mapping[str, Any] | None) -> forms.Form:
        return NothingAsked(asked)

    def pinned(self, fields: dict[str, Any]) -> dict[str, str]:
        return {}

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        raise NotImplementedError

    def do(self, rows: Sequence[Mailbox], fields: dict[str, Any], actor: Actor) -> list[Done | Rejected]:
        given: MailboxValues = {**self.fixed, **fields}  # type: ignore[typeddict-item]  # the fields of its own form
        wanted = [Wanted(row.user.address, given) for row in rows]
        return [_done(each, given) for each in mailbox_batch.ensure(wanted, actor=actor, only=Only.THERE)]

    def undo(self, backs: Mapping[str, Back], actor: Actor) -> list[str | Rejected]:
        rows = Mailbox.objects.select_related("user", "policy").filter(user__address__in=bulk_sql.among([*backs]))
        there = {row.user.address: row for row in rows}
        policies = RetentionPolicy.objects.in_bulk([back["policy"][0] for back in backs.values() if "policy" in back])
        mine = [address for address, back in backs.items() if _is_as_left(there.get(address), back)]
        wanted = [Wanted(address, _before(backs[address], policies)) for address in mine]
        answers = dict(zip(mine, mailbox_batch.ensure(wanted, actor=actor, only=Only.THERE), strict=True))
        return [_undone(answers.get(address)) for address in backs]


def _done(answer: Answer, given: MailboxValues) -> Done | Rejected:
    if isinstance(answer, Rejected):
        return answer
    changes: Changes = {name: pair for name, pair in answer.changes.items() if name in given}
    if not changes:
        return Done(_("already had this setting"))
    text = "; ".join(audit_text.change(name, _shown(old), _shown(new)) for name, (old, new) in changes.items())
    return Done(text, {name: [_kept(old), _kept(new)] for name, (old, new) in changes.items()})


def _undone(answer: Answer | None) -> str | Rejected:
    if answer is None:
        return Rejected(_("somebody has changed it since then: not undone"))
    return answer if isinstance(answer, Rejected) else _("changed back")


def _is_as_left(mailbox: Mailbox | None, back: Back) -> bool:
    """True where nobody has set what is to be set back; a mailbox that is gone is refused in the store's words."""
    return mailbox is None or all(_kept(MAILBOX[name].value(mailbox)) == new for name, (_old, new) in _known(back))


def _before(back: Back, policies: Mapping[int, RetentionPolicy]) -> MailboxValues:
    """What was so before; a policy that is gone is none."""
    return {  # type: ignore[return-value]  # fields that an act has set
        name: policies.get(old) if name == "policy" else old for name, (old, _new) in _known(back)
    }


def _known(back: Back) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield what can be set back: a field that an earlier version had is passed over."""
    yield from ((name, pair) for name, pair in back.items() if name in MAILBOX)


def _kept(value: Any) -> Any:
    return value.pk if isinstance(value, RetentionPolicy) else value


def _shown(value: Any) -> Any:
    return str(value) if isinstance(value, RetentionPolicy) else value
