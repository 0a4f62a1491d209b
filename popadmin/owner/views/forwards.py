"""Forwarding: the addresses to which the owner's mail is sent on, if the domain allows it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView, View

from mailstore.directory import forwards, row_locks
from mailstore.directory.mta_expansion import mta_duty
from mailstore.directory.outcome import Rejected
from mailstore.models import Alias
from mailstore.policy.addresses import shown_name
from popadmin.owner import access, forward_letter
from popadmin.web import form_rejection
from popadmin.web.edit_conflict import EditForm, RowLockMixin
from popadmin.web.form_fields import AddressesField
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.layout import breadcrumb
from popadmin.web.mailer import NotSent
from popadmin.web.people import signed_in
from popadmin.web.request_lookup import actor


class ForwardForm(EditForm):
    targets = AddressesField(
        label=gettext_lazy("Forward to"),
        required=False,
        help_text=gettext_lazy("One address per line. Leave empty to forward nothing."),
    )
    keep_copy = forms.BooleanField(label=gettext_lazy("Keep a copy in the mailbox"), required=False)


class OwnForward(View):
    """A page of the owner's forward, if the domain allows one."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.mailbox = get_object_or_404(access.mailboxes(signed_in(request)))
        if not forwards.allowed(self.mailbox):
            raise Http404
        return super().dispatch(request, *args, **kwargs)


class Forwards(OwnForward, RowLockMixin, RejectionMixin, FormView[ForwardForm]):
    template_name = "owner/forwards.html"
    form_class = ForwardForm
    error_field = "targets"

    def row_lock(self) -> AbstractContextManager[None]:
        return row_locks.of_forward()

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs()
        del kwargs["initial"]  # the form takes the values of the row
        forward = forwards.of(self.mailbox)
        targets, keep_copy = (forward.targets, forward.keep_copy) if forward else ([], True)
        return {**kwargs, "now": {"targets": targets, "keep_copy": keep_copy}}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        forward, crumbs = forwards.of(self.mailbox), [breadcrumb(_("Settings"), "settings")]
        duty = mta_duty(forward) if forward else None
        return super().get_context_data(**kwargs, breadcrumbs=crumbs, forward=forward, mta=duty)

    def perform(self, form: ForwardForm) -> HttpResponse:
        targets = form.cleaned_data["targets"]
        if targets:
            self._forward(targets, keep_copy=form.cleaned_data["keep_copy"])
        else:
            self._stop_forwarding()
        return redirect("settings")

    def _forward(self, targets: list[str], *, keep_copy: bool) -> None:
        before = forwards.of(self.mailbox)
        waited = before.unconfirmed if before else []
        ask = settings.CONFIRM_FORWARDS
        done = forwards.ensure_own(
            self.mailbox, targets, keep_copy=keep_copy, ask_targets=ask, actor=actor(self.request)
        )
        new = [target for target in done.row.unconfirmed if target not in waited]
        if not done.row.active:
            text = _("Saved, but nothing is forwarded: your administrator has switched it off.")
            messages.warning(self.request, text)
        elif new:
            _ask(self.request, done.row, new)
        else:
            messages.success(self.request, _("Your mail is forwarded."))

    def _stop_forwarding(self) -> None:
        if forwards.of(self.mailbox):
            forwards.remove_own(self.mailbox, actor=actor(self.request))
        messages.success(self.request, _("Nothing is forwarded."))


class Letters(OwnForward):
    """Send the mail again that asks the targets which wait."""

    def post(self, request: HttpRequest) -> HttpResponse:
        forward = forwards.of(self.mailbox)
        if forward is not None and forward.unconfirmed:
            _ask(request, forward, forward.unconfirmed)
        return redirect("settings-forwarding")


def _ask(request: HttpRequest, forward: Alias, targets: Sequence[str]) -> None:
    """Mail these targets, and tell the owner what follows."""
    try:
        forward_letter.send_each(request, forward, targets)
    except Rejected as refusal:
        messages.warning(request, form_rejection.sentence(refusal))
    except NotSent:
        text = _("The mail server of this site did not accept the mail that asks for consent. Send it again later.")
        messages.warning(request, text)
    else:
        text = _("A mail with a link was sent to %(targets)s. Mail is forwarded there once somebody has followed it.")
        messages.success(request, text % {"targets": ", ".join(map(shown_name, targets))})
