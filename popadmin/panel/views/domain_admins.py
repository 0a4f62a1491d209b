"""The administrators of a domain: add one, withdraw one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import FormView, View

from mailstore.directory import grants
from mailstore.models import DomainGrant
from popadmin.panel import access
from popadmin.panel.forms.domains import NewAdmin
from popadmin.panel.row_page import DomainPage
from popadmin.panel.views import grant_removal
from popadmin.web import request_lookup
from popadmin.web.form_rejection import RejectionMixin


class AddAdmin(access.HostPage, DomainPage, RejectionMixin, FormView[NewAdmin]):
    template_name = "panel/domain_admin.html"
    form_class = NewAdmin
    error_field = "login"

    def perform(self, form: NewAdmin) -> HttpResponse:
        login, actor = form.cleaned_data["login"], request_lookup.actor(self.request)
        done = grants.ensure(login, [self.domain.name], actor=actor, must_change=True)
        if done.secret is not None:
            return self._secret_page(done.row.address, done.secret)
        text = _("%(login)s administers %(domain)s.") % {"login": done.row, "domain": self.domain}
        messages.success(self.request, text)
        return redirect("domains-admins", self.domain.pk)

    def _secret_page(self, login: str, secret: str) -> HttpResponse:
        context = {
            "domain": self.domain,
            "login": login,
            "secret": secret,
            "new": True,
            "site": self.request.build_absolute_uri("/"),
            "back": reverse("domains-admins", args=[self.domain.pk]),
            "breadcrumbs": self.above(),
        }
        return render(self.request, "panel/admin_secret.html", context)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, breadcrumbs=self.above(), domain=self.domain)


class WithdrawAdmin(access.HostPage, DomainPage, View):
    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        grant_removal.withdraw(request, DomainGrant.objects.filter(domain=self.domain), self.kwargs["grant"])
        return redirect("domains-admins", self.domain.pk)
