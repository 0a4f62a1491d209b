"""One domain: show, create, edit, suspend. `domain_removal` removes it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView, View

from mailstore.directory import domain_usage, domains, row_locks
from mailstore.directory.outcome import Ensured, Only, Rejected
from mailstore.models import Domain, RetentionPolicy
from popadmin.panel import access
from popadmin.panel.forms.domains import EditDomain, NewDomain
from popadmin.panel.row_page import DOMAINS, DomainPage
from popadmin.web import form_rejection, people, request_lookup
from popadmin.web.edit_conflict import RowLockMixin
from popadmin.web.formats import size
from popadmin.web.people import signed_in

ENTRIES = 10  # of the audit; the rest is behind a link
ALIASES = 10  # the same


class Detail(DomainPage, TemplateView):
    template_name = "panel/domain.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user, domain = signed_in(self.request), self.domain
        aliases = access.aliases(user).filter(domain=domain)
        return super().get_context_data(
            **kwargs,
            breadcrumbs=[DOMAINS],
            domain=domain,
            host=people.is_host(user),
            usage=domain_usage.counted(Domain.objects.filter(pk=domain.pk)).get(),
            policy=domain.policy or RetentionPolicy.objects.filter(site=True).first(),
            grants=domain.grants.select_related("user").order_by("user__address"),
            alias_domains=access.domains(user).filter(stands_for=domain).order_by("name"),
            catch_all=aliases.filter(address=f"@{domain.name}").first(),
            aliases=aliases.exclude(address__startswith="@").order_by("address")[:ALIASES],
            entries=access.audit_entries(user).filter(subject=domain.name).order_by("-at")[:ENTRIES],
        )


class New(access.HostPage, FormView[NewDomain]):
    template_name = "panel/domain_form.html"
    form_class = NewDomain

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": signed_in(self.request)}

    def form_valid(self, form: NewDomain) -> HttpResponse:
        name, actor = form.cleaned_data["name"], request_lookup.actor(self.request)
        try:
            done = domains.ensure(name, actor=actor, only=Only.NEW, **form.fields_given())
        except Rejected as refusal:
            form.offer_look_alike(refusal)
            form_rejection.add_error(form, refusal, otherwise="name")
            return self.form_invalid(form)
        messages.success(self.request, _("%(domain)s is created.") % {"domain": done.row})
        return redirect("domains-one", done.row.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, breadcrumbs=[DOMAINS])


class Edit(RowLockMixin, DomainPage, FormView[EditDomain]):
    template_name = "panel/domain_form.html"
    form_class = EditDomain

    def get_form_kwargs(self) -> dict[str, Any]:
        own = super().get_form_kwargs()
        del own["initial"]  # the form has the row's values
        return {**own, "user": signed_in(self.request), "domain": self.domain}

    def row_lock(self) -> AbstractContextManager[None]:
        return row_locks.of_domain(self.domain)

    def form_valid(self, form: EditDomain) -> HttpResponse:
        try:
            actor = request_lookup.actor(self.request)
            done = domains.ensure(self.domain.name, actor=actor, only=Only.THERE, **form.changes())
        except Rejected as refusal:
            form_rejection.add_error(form, refusal, otherwise="stands_for" if "stands_for" in form.changes() else None)
            return self.form_invalid(form)
        _tell(self.request, done)
        return redirect("domains-one", self.domain.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, breadcrumbs=self.above(), domain=self.domain)


class Suspension(access.HostPage, DomainPage, View):
    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        active = request.POST.get("active") == "yes"
        try:
            domains.ensure(self.domain.name, actor=request_lookup.actor(request), only=Only.THERE, active=active)
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
        else:
            text = (
                _("%(domain)s is active again.")
                if active
                else _("%(domain)s is suspended: it accepts no mail, and its users cannot sign in.")
            )
            messages.success(request, text % {"domain": self.domain})
        return redirect("domains-one", self.domain.pk)


def _tell(request: HttpRequest, done: Ensured[Domain]) -> None:
    """Show a notice of the change, and a warning if the quota is lower than the stored mail."""
    messages.success(request, _("Saved.") if done.changes else _("Nothing was changed."))
    quota = done.row.quota_octets
    if "quota_octets" in done.changes and quota is not None:
        stored = domain_usage.counted(Domain.objects.filter(pk=done.row.pk)).get().octets  # type: ignore[attr-defined]  # annotated
        if stored > quota:
            text = _("It contains %(size)s, more than its quota: it accepts no mail until there is room again.")
            messages.warning(request, text % {"size": size(stored)})
