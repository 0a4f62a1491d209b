"""The bulk action that marks mailboxes as still at the old server of their domain, or takes the mark away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from mailstore.directory import mailbox_moves
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import Mailbox, MailboxMove
from popadmin.lists.bulk_action import Done, UndoData, counted_rows, refusal_or

_MARKED = ngettext_lazy(
    "%(count)s mailbox will be marked as still at the old server.",
    "%(count)s mailboxes will be marked as still at the old server.",
    "number",
)
_MARKED_ALREADY = ngettext_lazy(
    "%(count)s mailbox is marked already, or has moved.",
    "%(count)s mailboxes are marked already, or have moved.",
    "number",
)
_NO_SERVER = ngettext_lazy(
    "%(count)s mailbox is in a domain without an old server and will not be marked.",
    "%(count)s mailboxes are in a domain without an old server and will not be marked.",
    "number",
)
_WITH_PASSWORD = ngettext_lazy(
    "%(count)s mailbox has a password here. That one opens it, and its mail moves if the old server takes it too.",
    "%(count)s mailboxes have passwords here. Those open them, and their mail moves if the old server takes them too.",
    "number",
)
_UNMARKED = ngettext_lazy(
    "The move of %(count)s mailbox will end: it opens with the mail that is here.",
    "The moves of %(count)s mailboxes will end: they open with the mail that is here.",
    "number",
)
_NOT_MARKED = ngettext_lazy("%(count)s mailbox is not marked.", "%(count)s mailboxes are not marked.", "number")


class MarkForm(forms.Form):
    still_there = forms.ChoiceField(
        label=gettext_lazy("Mail and password"),
        choices=[
            ("yes", gettext_lazy("are still at the old server")),
            ("no", gettext_lazy("are here: end the move")),
        ],
    )


class Moves:
    """Mark mailboxes, or take the marks away. Undo gives and takes a mark where no sign-in has moved mail since."""

    label = gettext_lazy("Old server")
    button = ngettext_lazy("Change the move of %(count)s mailbox", "Change the moves of %(count)s mailboxes", "number")
    outcome = ngettext_lazy("Move of %(count)s mailbox changed", "Moves of %(count)s mailboxes changed", "number")
    danger = False
    step_rows = 100  # each needs its own statements

    def form(self, request: HttpRequest, data: Mapping[str, Any] | None) -> forms.Form:
        return MarkForm(data)

    def extra_data(self, fields: dict[str, Any]) -> dict[str, str]:
        return {}

    def preview(self, rows: QuerySet[Mailbox], fields: dict[str, Any]) -> Iterable[str]:
        new = rows.filter(move=None)
        if fields["still_there"] == "no":
            yield counted_rows(rows.exclude(move=None), _UNMARKED)
            yield counted_rows(new, _NOT_MARKED)
            return
        there = new.exclude(domain__old_server=None)
        yield counted_rows(there, _MARKED)
        yield counted_rows(there.exclude(user__password__startswith=UNUSABLE_PASSWORD_PREFIX), _WITH_PASSWORD)
        yield counted_rows(rows.exclude(move=None), _MARKED_ALREADY)
        yield counted_rows(new.filter(domain__old_server=None), _NO_SERVER)

    def do(self, rows: Sequence[Mailbox], fields: dict[str, Any], actor: Actor) -> list[Done | Rejected]:
        act = _marked if fields["still_there"] == "yes" else _unmarked
        return [refusal_or(act, row, actor) for row in rows]

    def undo(self, undo_data: Mapping[int, UndoData], actor: Actor) -> list[str | Rejected]:
        there = Mailbox.objects.select_related("user", "domain").in_bulk([*undo_data])
        return [
            refusal_or(_undone, there[key], undo_data[key], actor)
            if key in there
            else Rejected(_("it no longer exists"))
            for key in undo_data
        ]


def _marked(mailbox: Mailbox, actor: Actor) -> Done:
    if not mailbox_moves.mark(mailbox.user.address, actor=actor):
        return Done(_("already marked, or moved"))
    return Done(_("marked as still at the old server"), {"marked": True})


def _unmarked(mailbox: Mailbox, actor: Actor) -> Done:
    waited = _has_not_begun(mailbox)
    if not mailbox_moves.unmark(mailbox.user.address, actor=actor):
        return Done(_("was not marked"))
    return Done(_("its move has ended"), {"marked": False} if waited else None)


def _undone(mailbox: Mailbox, undo_data: UndoData, actor: Actor) -> str:
    if not undo_data["marked"]:
        mailbox_moves.mark(mailbox.user.address, actor=actor)
        return _("marked again")
    if not _has_not_begun(mailbox):
        raise Rejected(_("its mail moves already, or somebody has changed it since: not undone"))
    mailbox_moves.unmark(mailbox.user.address, actor=actor)
    return _("no longer marked")


def _has_not_begun(mailbox: Mailbox) -> bool:
    waiting = MailboxMove.objects.filter(mailbox=mailbox, state=MailboxMove.State.WAITING, moved_at=None)
    return waiting.exists()
