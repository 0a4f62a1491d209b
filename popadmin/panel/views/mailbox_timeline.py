"""The timeline of a mailbox, its sessions as a file, and the undoing of a removal."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import TemplateView, View

from mailstore.directory.outcome import Rejected
from mailstore.messages import recovery
from mailstore.messages.recovery import Choice
from mailstore.models import Device
from popadmin.lists import diary_list
from popadmin.lists.columns import Rows
from popadmin.lists.views import EXPORT
from popadmin.panel import access, mailbox_timeline
from popadmin.panel.row_page import MailboxPage
from popadmin.panel.views.mailbox_tab import MailboxTab
from popadmin.web import form_rejection, request_lookup, row_key
from popadmin.web.formats import count
from popadmin.web.moment_text import moment_in
from popadmin.web.people import signed_in


class Sessions(MailboxPage, diary_list.DiaryPage):
    """The sessions of the diary as a file."""

    def rows(self) -> Rows:
        return diary_list.light(access.diary(self.mailbox))

    def devices(self) -> list[Device]:
        return list(access.devices(self.mailbox))


class Timeline(MailboxTab, TemplateView):
    """Deliveries, visits of devices, removals and people's changes, by day."""

    template_name = "panel/mailbox_timeline.html"
    tab = "mailboxes-diary"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if EXPORT in request.GET:
            return Sessions.as_view()(request, *args, **kwargs)
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("kind", "")
        kind = asked if asked in mailbox_timeline.KINDS else ""
        before = moment_in(self.request.GET.get("before", ""))
        timeline = mailbox_timeline.page(self.mailbox, signed_in(self.request), kind=kind, before=before)
        return super().get_context_data(
            **kwargs,
            timeline=timeline,
            today=timezone.localdate(),
            kinds=[(label, _query(kind=name), name == kind) for name, label in mailbox_timeline.KINDS.items()],
            first=_query(kind=kind) if before else "",
            older=_query(kind=kind, before=timeline.older.isoformat()) if timeline.older else "",
            filtered=bool(kind),
        )


class UndoRemoval(MailboxPage, View):
    """Restore what left at one time for one reason. The owner sees who did it."""

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        removed_at = moment_in(request.POST.get("at", ""))
        rows = recovery.resting(self.mailbox).filter(removed_at=removed_at, removed_why=request.POST.get("why", ""))
        device = row_key.keys([request.POST.get("device", "")])
        rows = rows.filter(removed_by__in=device) if device else rows.filter(removed_by=None)
        choice, actor = Choice(keys=list(rows.values_list("pk", flat=True))), request_lookup.actor(request)
        try:
            done = recovery.restore(self.mailbox.user.address, choice, actor=actor)
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
        else:
            text = ngettext("%(number)s message is restored.", "%(number)s messages are restored.", done.messages)
            messages.success(request, text % {"number": count(done.messages)})
            if done.above_quota:
                messages.warning(
                    request, _("The mailbox is now over its quota: new mail is refused until there is room again.")
                )
        return redirect("mailboxes-diary", self.mailbox.pk)


def _query(**given: str | Promise) -> str:
    query = {name: value for name, value in given.items() if value}
    return f"?{urlencode(query)}" if query else "?"
