"""Remove a domain, restore it, or delete it for good. For hosting admins."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView, View

from mailstore.directory import domain_removal
from mailstore.directory.outcome import Rejected
from mailstore.models import Domain
from popadmin.panel import access
from popadmin.panel.forms.confirm_name import ConfirmName
from popadmin.panel.row_page import DOMAINS, DomainPage, RowPage
from popadmin.web import form_rejection, notices, request_lookup
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.layout import breadcrumb


class Removal(access.HostPage, DomainPage, RejectionMixin, FormView[ConfirmName]):
    """Remove a domain. The admin must type its name: many users lose their mail at once."""

    template_name = "panel/domain_removal.html"
    form_class = ConfirmName

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "wanted": self.domain.name}

    def perform(self, form: ConfirmName) -> HttpResponse:
        domain_removal.remove(self.domain.name, actor=request_lookup.actor(self.request), with_mailboxes=True)
        text = _("%(domain)s is removed.") % {"domain": self.domain}
        notices.undoable(self.request, text, reverse("domains-restoral", args=[self.domain.pk]))
        return redirect("domains-removed")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            breadcrumbs=self.above(),
            domain=self.domain,
            contents=domain_removal.contents(self.domain),
            days=settings.REMOVED_DAYS,
        )


class RemovedDomainPage(access.HostPage, RowPage):
    """A page of the removed domain whose key is in the URL."""

    of = Domain

    @cached_property
    def domain(self) -> Domain:
        return self.find(Domain.objects.filter(removed_at__isnull=False))


class Restoral(RemovedDomainPage, View):
    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        try:
            domain = domain_removal.restore(self.domain.name, actor=request_lookup.actor(request))
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
            return redirect("domains-removed")
        messages.success(request, _("%(domain)s is restored.") % {"domain": domain})
        return redirect("domains-one", domain.pk)


class Purge(RemovedDomainPage, RejectionMixin, FormView[ConfirmName]):
    template_name = "panel/domain_purge.html"
    form_class = ConfirmName

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "wanted": self.domain.name}

    def perform(self, form: ConfirmName) -> HttpResponse:
        domain_removal.ask_purge(self.domain.name, actor=request_lookup.actor(self.request))
        messages.success(
            self.request,
            _("%(domain)s is being deleted for good; its name will be free in a few minutes.")
            % {"domain": self.domain},
        )
        return redirect("domains-removed")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            breadcrumbs=[DOMAINS, breadcrumb(gettext_lazy("Removed domains"), "domains-removed")],
            domain=self.domain,
            contents=domain_removal.contents(self.domain),
        )
