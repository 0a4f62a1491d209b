"""Forwarding: the addresses to which the owner's mail is sent on, if the domain allows it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView

from mailstore.directory import forwards, row_locks
from popadmin.owner import access
from popadmin.web.edit_conflict import EditForm, RowLockMixin
from popadmin.web.form_fields import AddressesField
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in
from popadmin.web.request_lookup import actor


class ForwardForm(EditForm):
    targets = AddressesField(
        label=gettext_lazy("Forward to"),
        required=False,
        help_text=gettext_lazy("One address per line. Leave empty to forward nothing."),
    )
    keep_copy = forms.BooleanField(label=gettext_lazy("Keep a copy in the mailbox"), required=False)


class Forwards(RowLockMixin, RejectionMixin, FormView[ForwardForm]):
    template_name = "owner/forwards.html"
    form_class = ForwardForm
    error_field = "targets"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.mailbox = get_object_or_404(access.mailboxes(signed_in(request)))
        if not forwards.allowed(self.mailbox):
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def row_lock(self) -> AbstractContextManager[None]:
        return row_locks.of_forward()

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs()
        del kwargs["initial"]  # the form takes the values of the row
        forward = forwards.of(self.mailbox)
        targets, keep_copy = (forward.targets, forward.keep_copy) if forward else ([], True)
        return {**kwargs, "now": {"targets": targets, "keep_copy": keep_copy}}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs, breadcrumbs=[breadcrumb(_("Settings"), "settings")], forward=forwards.of(self.mailbox)
        )

    def perform(self, form: ForwardForm) -> HttpResponse:
        targets = form.cleaned_data["targets"]
        if targets:
            self._forward(targets, keep_copy=form.cleaned_data["keep_copy"])
        else:
            self._stop_forwarding()
        return redirect("settings")

    def _forward(self, targets: list[str], *, keep_copy: bool) -> None:
        result = forwards.ensure_own(self.mailbox, targets, keep_copy=keep_copy, actor=actor(self.request))
        if result.row.active:
            messages.success(self.request, _("Your mail is forwarded."))
        else:
            text = _("Saved, but nothing is forwarded: your administrator has switched it off.")
            messages.warning(self.request, text)

    def _stop_forwarding(self) -> None:
        if forwards.of(self.mailbox):
            forwards.remove_own(self.mailbox, actor=actor(self.request))
        messages.success(self.request, _("Nothing is forwarded."))
