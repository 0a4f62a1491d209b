"""The messages in the mailbox and which devices have them; one message with its history."""

from __future__ import annotations

from itertools import chain
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView, View

from mailstore.directory.outcome import Rejected
from mailstore.errors import MailError
from mailstore.messages import message_file, message_history, message_summary, recovery
from mailstore.messages.recovery import Choice
from mailstore.models import Message
from mailstore.retention import recovery_terms
from mailstore.sql import expiry_rule
from popadmin.lists.columns import Column, Rows
from popadmin.owner import access
from popadmin.owner.forms import RestoreForm
from popadmin.owner.views.mail_list import MailList, tell_restored
from popadmin.web import form_rejection, notices
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in
from popadmin.web.request_lookup import actor, find

NAME_CHARACTERS = 60


class Messages(MailList):
    template_name = "owner/messages.html"
    name = "messages"
    columns = (
        Column("subject", gettext_lazy("Subject")),
        Column("sender", gettext_lazy("From")),
        Column("devices", gettext_lazy("Devices"), css="c-more"),
        Column("leaves", gettext_lazy("Will be removed"), css="n c-more c-less"),
        Column("size", gettext_lazy("Size"), css="n c-more"),
        Column("arrived", gettext_lazy("Arrived"), F("added"), down=True, css="n"),
    )

    def rows(self) -> Rows:
        return access.live_messages(signed_in(self.request))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        mailbox = get_object_or_404(access.mailboxes(signed_in(self.request)))
        context = super().get_context_data(**kwargs, mailbox=mailbox)
        rows = context["page"].rows
        leaving = expiry_rule.leaves_at(mailbox.pk, [row.added for row in rows], now=timezone.now())
        holders = message_history.holders([row.pk for row in rows])
        for row in rows:
            row.leaves_at = leaving.get(row.added)
            row.holders = holders[row.pk]
        return context


class MessagePage(RejectionMixin, FormView[RestoreForm]):
    """One message with its history. In recovery, the page can restore it, and has a link to delete it for good."""

    template_name = "owner/message.html"
    form_class = RestoreForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.message = find_message(request, kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"devices": list(access.devices(signed_in(self.request)))}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        message = self.message
        message_summary.fill(message_file.site_store(), [message])
        parent = breadcrumb(_("Recovery"), "recovery") if message.removed else breadcrumb(_("Messages"), "messages")
        terms = recovery_terms.terms(message.mailbox_id)
        leaving = expiry_rule.leaves_at(message.mailbox_id, [message.added], now=timezone.now())
        return super().get_context_data(
            **kwargs,
            message=message,
            history=message_history.events([message])[message.pk],
            holders=message_history.holders([message.pk])[message.pk],
            leaves_at=leaving.get(message.added),
            purged_at=message.removed_at and terms.purged_at(message.removed_at),
            terms=terms,
            breadcrumbs=[parent],
        )

    def perform(self, form: Any) -> HttpResponse:
        user = signed_in(self.request)
        choice = Choice(keys=[self.message.pk])
        result = recovery.restore(
            user.address, choice, actor=actor(self.request), devices=form.device_names, new_uidls=form.as_new
        )
        tell_restored(self.request, result, choice.keys or ())
        return redirect("messages-one", self.message.pk)


class RemoveMessage(View):
    """Remove a live message for all devices; it can be restored from recovery."""

    def post(self, request: HttpRequest, *_args: Any, pk: int, **_kwargs: Any) -> HttpResponse:
        message = find(request, access.live_messages(signed_in(request)), pk=pk)
        try:
            recovery.remove(signed_in(request).address, [message.pk], actor=actor(request))
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
        else:
            text = _("The message is removed for all devices. You can restore it from recovery.")
            notices.undoable(request, text, reverse("messages-undo", args=[message.pk]))
        return redirect("messages-one", message.pk)


class UndoRemoval(View):
    """Put a message back that was just removed: for all devices, as the one that it was."""

    def post(self, request: HttpRequest, *_args: Any, pk: int, **_kwargs: Any) -> HttpResponse:
        message = find_message(request, pk)
        try:
            recovery.restore(signed_in(request).address, Choice(keys=[message.pk]), actor=actor(request))
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
        else:
            messages.success(request, _("The message is back in the mailbox."))
        return redirect("messages-one", message.pk)


class PurgeMessage(RejectionMixin, FormView[forms.Form]):
    """Delete one message in recovery for good, after the owner has confirmed it."""

    template_name = "owner/purge.html"
    form_class = forms.Form

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.message = find(request, access.removed_messages(signed_in(request)), pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            number=1,
            octets=self.message.octets,
            back=reverse("messages-one", args=[self.message.pk]),
            breadcrumbs=[breadcrumb(_("Recovery"), "recovery")],
        )

    def perform(self, form: Any) -> HttpResponse:
        recovery.purge_now(signed_in(self.request).address, Choice(keys=[self.message.pk]), actor=actor(self.request))
        messages.success(self.request, _("The message is deleted for good."))
        return redirect("recovery")


class DownloadMessage(View):
    """Download the message as it arrived. Messages of any size are streamed."""

    def get(self, request: HttpRequest, *_args: Any, pk: int, **_kwargs: Any) -> HttpResponseBase:
        message = find_message(request, pk)
        store = message_file.site_store()
        message_summary.fill(store, [message])
        octets = message_file.unstuffed(store, message)
        try:
            first = next(octets)
        except MailError:
            messages.error(
                request,
                _("This message cannot be read at the moment. Your administrator can find the reason in the log."),
            )
            return redirect("messages-one", message.pk)
        response = StreamingHttpResponse(chain([first], octets), content_type="message/rfc822")
        response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=_file_name(message))
        response["Content-Length"] = str(message.octets)
        return response


def find_message(request: HttpRequest, key: int) -> Message:
    """Return the message with this key if it is in the mailbox of the user, live or in recovery."""
    return find(request, access.messages(signed_in(request)), pk=key)


def _file_name(message: Message) -> str:
    name = slugify(message.body.subject or "", allow_unicode=True) or message.uidl
    return f"{name[:NAME_CHARACTERS]}.eml"
