"""The list of mailboxes that move from the old servers of their domains; pull again, and end a move."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View

from mailstore.directory import mailbox_moves
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, MailboxMove, User
from popadmin.lists.columns import Column, Exported, Filters, ReadyView, Rows, SearchBox
from popadmin.lists.views import ListPage
from popadmin.panel import access
from popadmin.panel.entry_undo import EntryUndo
from popadmin.panel.row_page import MAILBOXES
from popadmin.panel.search_terms import domain_name, words_in
from popadmin.web import form_rejection, notices, request_lookup
from popadmin.web.people import signed_in

State = MailboxMove.State
STATES: tuple[tuple[str, Promise, str], ...] = (
    (State.FAILED, gettext_lazy("Failed"), "bad"),
    (State.WAITING, gettext_lazy("Waiting for a sign-in"), ""),
    (State.MOVING, gettext_lazy("Moving"), ""),
    (State.MOVED, gettext_lazy("Moved"), ""),
)


class MoveFilters(Filters):
    q = SearchBox(label=gettext_lazy("Search addresses"), placeholder=gettext_lazy("Part of an address"))
    domain = forms.CharField(label=gettext_lazy("Domain"), max_length=254)
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        choices=[("", gettext_lazy("Any state")), *((state, label) for state, label, _css in STATES)],
    )

    def by_q(self, rows: Rows, query: str) -> Rows:
        return rows.filter(words_in(query, "mailbox__user__address", beginnings=["mailbox__user__address"]))

    def by_domain(self, rows: Rows, query: str) -> Rows:
        return rows.filter(mailbox__domain__name=domain_name(query))

    def by_state(self, rows: Rows, state: str) -> Rows:
        return rows.filter(state=state)


class Moves(access.AdminPage, ListPage):
    template_name = "panel/moves.html"
    name = "moves"
    filters = MoveFilters
    columns = (
        Column("address", gettext_lazy("Address"), F("mailbox__user__address")),
        Column("state", gettext_lazy("State"), F("state")),
        Column("since", gettext_lazy("Since"), F("since"), down=True, css="c-more"),
        Column("server", gettext_lazy("Old server"), css="c-more"),
        Column("do", gettext_lazy("Actions")),
    )
    views = tuple(ReadyView(label, {"state": state}, css) for state, label, css in STATES)
    exported = (
        Exported(gettext_lazy("Address"), lambda row: row.mailbox.user.address),
        Exported(gettext_lazy("State"), MailboxMove.get_state_display),
        Exported(gettext_lazy("Since"), lambda row: row.since.isoformat()),
        Exported(gettext_lazy("Messages"), lambda row: row.messages),
        Exported(gettext_lazy("Messages there"), lambda row: "" if row.total is None else row.total),
        Exported(gettext_lazy("Reason"), MailboxMove.get_reason_display),
        Exported(gettext_lazy("Old server"), lambda row: row.mailbox.domain.old_server or ""),
    )

    def rows(self) -> Rows:
        return access.moves(signed_in(self.request))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, breadcrumbs=[MAILBOXES])


class PullAgain(access.AdminPage, View):
    def post(self, request: HttpRequest, key: int) -> HttpResponse:
        move = request_lookup.find(request, access.moves(signed_in(request)), pk=key)
        address = move.mailbox.user.address
        try:
            mailbox_moves.pull_again(address, actor=request_lookup.actor(request))
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
        else:
            text = _("At the next sign-in of %(address)s, what came to the old server since is pulled.")
            messages.success(request, text % {"address": move.mailbox})
        return redirect("mailboxes-moves")


class EndMove(access.AdminPage, View):
    """Take the mark away. The mail that is here stays, and what is still there stays there."""

    def post(self, request: HttpRequest, key: int) -> HttpResponse:
        move = request_lookup.find(request, access.moves(signed_in(request)), pk=key)
        entry = mailbox_moves.unmark(move.mailbox.user.address, actor=request_lookup.actor(request))
        text = _("%(address)s is no longer asked for at the old server.") % {"address": move.mailbox}
        if entry is None:
            messages.success(request, text)
        else:
            notices.undoable(request, text, reverse("mailboxes-moves-restoral", args=[entry.pk]))
        return redirect("mailboxes-moves")


class Restoral(access.AdminPage, EntryUndo):
    """Undo the end of a move."""

    list_name = "mailboxes-moves"

    def entries(self, user: User) -> QuerySet[AuditEntry]:
        return access.audit_entries(user).filter(verb="move.unmark", mailbox__in=access.mailboxes(user).values("pk"))

    def undo(self, entry: AuditEntry, actor: Actor) -> tuple[str, HttpResponse]:
        move = mailbox_moves.restore(entry, actor=actor)
        text = _("The move of %(address)s goes on where it was.")
        return text % {"address": move.mailbox}, redirect(self.list_name)
