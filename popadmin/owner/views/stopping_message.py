"""Move the message at which a mail program stops to recovery, after the owner has confirmed it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.generic import FormView

from mailstore.messages import message_file, message_summary
from mailstore.models import Finding
from mailstore.retention import stopping_message
from popadmin.owner import access
from popadmin.web import finding_text, notices
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in
from popadmin.web.request_lookup import actor


class Stopped(RejectionMixin, FormView[forms.Form]):
    template_name = "stopping_message.html"
    form_class = forms.Form

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        stopped = access.findings(signed_in(request)).filter(kind=Finding.Kind.STOPPED)
        self.finding = get_object_or_404(stopped.select_related("device", "mailbox__user"), pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        message = access.live_messages(signed_in(self.request)).filter(pk=self.finding.facts["message"]).first()
        if message is not None:
            message_summary.fill(message_file.site_store(), [message])
        return super().get_context_data(
            **kwargs,
            finding=self.finding,
            message=message,
            title=capfirst(finding_text.heading(self.finding)),
            fact=finding_text.fact(self.finding),
            way_back=_("In recovery you can read it, and restore it."),
            back=reverse("mailbox"),
            breadcrumbs=[breadcrumb(_("My mailbox"), "mailbox")],
        )

    def perform(self, form: Any) -> HttpResponse:
        message = stopping_message.move(self.finding, actor=actor(self.request))
        text = _("The message is removed for all devices. You can restore it from recovery.")
        notices.undoable(self.request, text, reverse("messages-undo", args=[message]))
        return redirect("mailbox")
