"""Move the message at which an owner's mail program stops to recovery. An admin confirms it, and sees no content."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.generic import FormView

from mailstore.models import Finding
from mailstore.retention import stopping_message
from popadmin.panel import access
from popadmin.panel.row_page import MailboxPage
from popadmin.web import finding_text, request_lookup
from popadmin.web.form_rejection import RejectionMixin


class Stopped(MailboxPage, RejectionMixin, FormView[forms.Form]):
    template_name = "stopping_message.html"
    form_class = forms.Form

    @cached_property
    def finding(self) -> Finding:
        stopped = access.findings(self.mailbox).filter(kind=Finding.Kind.STOPPED)
        return get_object_or_404(stopped.select_related("device", "mailbox__user"), pk=self.kwargs["finding"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            finding=self.finding,
            title=capfirst(finding_text.heading(self.finding)),
            fact=finding_text.fact(self.finding),
            way_back=_("In recovery the owner can read it, and restore it. The owner sees that you did it."),
            back=reverse("mailboxes-one", args=[self.mailbox.pk]),
            breadcrumbs=self.above(),
        )

    def perform(self, form: Any) -> HttpResponse:
        stopping_message.move(self.finding, actor=request_lookup.actor(self.request))
        messages.success(self.request, _("The message is in recovery; the owner sees that you did it."))
        return redirect("mailboxes-one", self.mailbox.pk)
