"""What senders were answered for the owner's mailbox, and the life of each message."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone

from mailstore.messages import trace_history
from mailstore.models import Mailbox
from popadmin.lists.columns import Rows
from popadmin.lists.trace_list import TracePage
from popadmin.owner import access, trace_summary
from popadmin.web import trace_life
from popadmin.web.people import signed_in


class Trace(TracePage):
    """The answers that concern the mailbox, with a sentence that sums up what went wrong lately."""

    template_name = "owner/trace.html"

    def rows(self) -> Rows:
        return access.trace(signed_in(self.request))

    def every_row(self) -> Rows:
        return self.rows()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        mailbox = get_object_or_404(access.mailboxes(signed_in(self.request)))
        context = super().get_context_data(**kwargs)
        context["summary"] = trace_summary.sentence(mailbox, now=timezone.now())
        return context | (self._drawer(context["entry"], mailbox) if context["entry"] else {})

    def _drawer(self, entry: Any, mailbox: Mailbox) -> dict[str, Any]:
        kin = trace_history.kin(entry, entry.tries_before, Mailbox.objects.filter(pk=mailbox.pk))
        return {"own": True, "lives": trace_life.lives(entry, kin)}
