"""The list of removed mailboxes: restore them or delete them for good; otherwise the sweep deletes them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView, View

from mailstore.directory import mailbox_removal, removal_state
from mailstore.directory.outcome import Rejected
from mailstore.models import Mailbox
from popadmin.lists.columns import Column, Exported, Rows
from popadmin.lists.views import ListPage
from popadmin.panel import access
from popadmin.panel.forms.confirm_name import ConfirmName
from popadmin.panel.removed_filters import RemovedMailboxFilters
from popadmin.panel.row_page import MAILBOXES, RowPage
from popadmin.web import form_rejection, request_lookup
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in


class Removed(access.AdminPage, ListPage):
    template_name = "panel/mailboxes_removed.html"
    name = "mailboxes-removed"
    filters = RemovedMailboxFilters
    columns = (
        Column("address", gettext_lazy("Address"), F("user__address")),
        Column("name", gettext_lazy("Name"), css="c-more"),
        Column("at", gettext_lazy("Removed"), F("removed_at"), down=True, css="c-more"),
        Column("until", gettext_lazy("Deleted for good")),
        Column("messages", gettext_lazy("Messages"), F("messages"), down=True, css="n c-more"),
        Column("do", gettext_lazy("Actions")),
    )
    exported = (
        Exported(gettext_lazy("Address"), lambda row: row.user.address),
        Exported(gettext_lazy("Name"), lambda row: row.user.name),
        Exported(gettext_lazy("Removed"), lambda row: row.removed_at.isoformat()),
        Exported(gettext_lazy("Removed by"), lambda row: row.removed_by),
        Exported(
            gettext_lazy("Deleted for good"),
            lambda row: "" if row.purge_requested_at else removal_state.kept_until(row.removed_at).isoformat(),
        ),
        Exported(gettext_lazy("Messages"), lambda row: row.messages),
        Exported(gettext_lazy("Bytes"), lambda row: row.octets),
    )

    def rows(self) -> Rows:
        rows = access.mailboxes(signed_in(self.request), removed=True)
        return rows.filter(removed_at__isnull=False, removed_with_domain=False)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs, breadcrumbs=[MAILBOXES])
        for row in context["page"].rows:
            row.kept_until = removal_state.kept_until(row.removed_at)
        return context


class Restoral(access.AdminPage, View):
    def post(self, request: HttpRequest, key: int) -> HttpResponse:
        mailbox = request_lookup.find(request, access.mailboxes(signed_in(request), removed=True), pk=key)
        try:
            mailbox_removal.restore(mailbox.user.address, actor=request_lookup.actor(request))
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
            return redirect("mailboxes-removed")
        messages.success(request, _("%(address)s is restored.") % {"address": mailbox})
        return redirect("mailboxes-one", key)


class Purge(RowPage, RejectionMixin, FormView[ConfirmName]):
    """Delete a mailbox for good. The admin must type its address: nobody can restore it."""

    template_name = "panel/mailbox_purge.html"
    form_class = ConfirmName

    @cached_property
    def mailbox(self) -> Mailbox:
        rows = access.mailboxes(signed_in(self.request), removed=True)
        return self.find(rows.filter(removed_at__isnull=False, removed_with_domain=False))

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "wanted": self.mailbox.user.address}

    def perform(self, form: ConfirmName) -> HttpResponse:
        address = self.mailbox.user.address
        mailbox_removal.ask_purge(address, actor=request_lookup.actor(self.request))
        text = _("%(address)s is being deleted for good; its address will be free in a few minutes.")
        messages.success(self.request, text % {"address": address})
        return redirect("mailboxes-removed")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        above = [
            MAILBOXES,
            breadcrumb(gettext_lazy("Removed mailboxes"), "mailboxes-removed"),
        ]
        return super().get_context_data(**kwargs, breadcrumbs=above, mailbox=self.mailbox)
