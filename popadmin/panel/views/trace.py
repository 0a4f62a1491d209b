"""The page Trace of admins: "where did my mail go?", with what was probably meant, and an alias for it in one click."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import View

from mailstore.directory import aliases
from mailstore.directory.outcome import Only, Rejected
from mailstore.messages import trace_history
from mailstore.models import Mailbox, TraceEntry, User
from popadmin.lists.columns import Rows
from popadmin.lists.trace_list import TracePage
from popadmin.panel import access, nearest_name, trace_remedy
from popadmin.web import form_rejection, people, request_lookup, row_key, trace_life
from popadmin.web.people import signed_in

Reason = TraceEntry.Reason


class Trace(access.AdminPage, TracePage):
    """All answers that the admin may see; with `mailbox`, those that concern that mailbox, by whatever address.

    An owner who comes here by a link is sent to their own page.
    """

    template_name = "panel/trace.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = signed_in(request)
        if not people.is_admin(user) and people.has_mailbox(user):
            return redirect("mailbox-trace")
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def mailbox(self) -> Mailbox | None:
        address = self.request.GET.get("mailbox", "")
        rows = access.mailboxes(signed_in(self.request))
        return request_lookup.find(self.request, rows, user__address=address) if address else None

    def rows(self) -> Rows:
        return self._readable.all()

    @cached_property
    def _readable(self) -> Rows:
        if self.mailbox is not None:
            return access.trace_of_mailbox(self.mailbox)
        return access.trace(signed_in(self.request))

    def every_row(self) -> Rows:
        return access.readable_trace(signed_in(self.request))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        user, rows, entry = signed_in(self.request), context["page"].rows, context["entry"]
        asked = [row for row in (entry, *rows) if row is not None and row.reason == Reason.UNKNOWN and row.recipient]
        names = {row.pk: trace_remedy.name_of(row) for row in asked}
        meant = nearest_name.addresses(list(dict.fromkeys(names.values())), user)
        for row in rows:
            row.meant = meant.get(names.get(row.pk, ""), ())
        if entry is not None:
            context |= self._drawer(entry) | {"meant": meant.get(names.get(entry.pk, ""), ())}
        return context

    def _drawer(self, entry: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        kin = trace_history.kin(entry, entry.tries_before, access.mailboxes(user))
        return {
            "lives": trace_life.lives(entry, kin),
            "more_mailboxes": len(kin.places[trace_life.LIVES_SHOWN :]),
            "remedy": trace_remedy.of(entry, user),
        }


class CreateAlias(access.AdminPage, View):
    """Make the name that nobody has an alias of the mailbox, or of the alias, that was probably meant."""

    def post(self, request: HttpRequest, key: int) -> HttpResponse:
        user = signed_in(request)
        entry = request_lookup.find(request, access.readable_trace(user), pk=key)
        target = _chosen(request, user)
        name = trace_remedy.name_of(entry)
        request_lookup.find(request, access.domains(user), name=name.rpartition("@")[2])
        try:
            done = aliases.ensure(name, [target], actor=request_lookup.actor(request), only=Only.NEW)
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
            return redirect(f"{reverse('trace')}?id={entry.pk}")
        text = _("%(alias)s is now an alias of %(address)s. The next message to it arrives.")
        messages.success(request, text % {"alias": done.row, "address": target})
        return redirect("aliases-one", done.row.pk)


def _chosen(request: HttpRequest, user: User) -> str:
    """Return the address of the mailbox or alias that the button names."""
    if alias := request.POST.get("alias"):
        return request_lookup.find(request, access.aliases(user), pk__in=row_key.keys([alias])).address
    chosen = row_key.keys([request.POST.get("mailbox", "")])
    return request_lookup.find(request, access.mailboxes(user), pk__in=chosen).user.address
