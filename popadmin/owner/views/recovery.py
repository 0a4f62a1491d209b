"""Recovery: the list of removed messages, and restoring or deleting the selected ones. `messages` shows one message."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import F, Sum
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import FormView

from mailstore.messages import recovery
from mailstore.messages.recovery import Choice
from mailstore.models import Message
from mailstore.retention import recovery_terms
from popadmin.lists.columns import Column, Rows
from popadmin.lists.views import Bulk
from popadmin.owner import access
from popadmin.owner.forms import RestoreForm
from popadmin.owner.views.mail_list import MailList, SearchFilter, quota_warning, restore_notice
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.formats import count
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in
from popadmin.web.request_lookup import actor


class RecoveryFilters(SearchFilter):
    why = forms.ChoiceField(
        label=gettext_lazy("Reason"), choices=[("", gettext_lazy("Any reason")), *Message.Why.choices]
    )

    def by_why(self, rows: Rows, why: str) -> Rows:
        return rows.filter(removed_why=why)


class Recovery(MailList):
    template_name = "owner/recovery.html"
    name = "recovery"
    filters = RecoveryFilters
    columns = (Column("left", gettext_lazy("Removed"), F("removed"), down=True),)
    bulk = (
        Bulk("restore", gettext_lazy("Restore …"), "restore/", "btn-primary"),
        Bulk("purge", gettext_lazy("Delete for good …"), "purge/", "btn-outline-danger"),
    )

    def rows(self) -> Rows:
        return access.removed_messages(signed_in(self.request))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        mailbox = get_object_or_404(access.mailboxes(signed_in(self.request)))
        terms = recovery_terms.terms(mailbox.pk)
        context = super().get_context_data(**kwargs, mailbox=mailbox, terms=terms)
        for row in context["page"].rows:
            row.purged_at = terms.purged_at(row.removed_at)
        return context


class SelectedMessages(RejectionMixin, FormView[forms.Form]):
    """An action on the selected messages of the list, or on all messages that its filters find."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.list_page = Recovery()
        self.list_page.setup(request)
        self.selection = self.list_page.choice(self.list_page.state)
        if request.method == "GET" and not self.rows.exists():
            messages.info(request, _("Select messages first."))
            return redirect(self._back())
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def rows(self) -> Rows:
        return self.selection.of(self.list_page.rows(), self.list_page.found(self.list_page.state))

    @property
    def choice(self) -> Choice:
        return Choice(keys=list(self.rows.values_list("pk", flat=True)))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sums = self.rows.aggregate(octets=Sum("octets"))
        return super().get_context_data(
            **kwargs,
            number=self.rows.count(),
            octets=sums["octets"] or 0,
            back=self._back(),
            breadcrumbs=[breadcrumb(_("Recovery"), "recovery")],
        )

    def _back(self) -> str:
        return f"{reverse('recovery')}{self.list_page.state.query()}"

    def perform(self, form: Any) -> HttpResponse:
        messages.success(self.request, self.do(form))
        self.selection.clear()
        return redirect("recovery")

    def do(self, form: Any) -> str:
        """Do the action; return the notice for the owner."""
        raise NotImplementedError


class Restore(SelectedMessages):
    template_name = "owner/restore.html"
    form_class = RestoreForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"devices": list(access.devices(signed_in(self.request)))}

    def do(self, form: RestoreForm) -> str:
        result = recovery.restore(
            signed_in(self.request).address,
            self.choice,
            actor=actor(self.request),
            devices=form.device_names,
            new_uidls=form.as_new,
        )
        if result.above_quota:
            messages.warning(self.request, quota_warning())
        return restore_notice(result)


class Purge(SelectedMessages):
    template_name = "owner/purge.html"
    form_class = forms.Form

    def do(self, form: forms.Form) -> str:
        result = recovery.purge_now(signed_in(self.request).address, self.choice, actor=actor(self.request))
        text = ngettext(
            "%(number)s message is deleted for good.", "%(number)s messages are deleted for good.", result.messages
        )
        return text % {"number": count(result.messages)}
