"""Retention policies: create and edit them with a preview of the effects, delete."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from mailstore.directory import policies
from mailstore.directory.fields.policy import POLICY
from mailstore.directory.outcome import Rejected
from mailstore.models import RetentionPolicy
from mailstore.policy.retention import Forecast
from mailstore.retention import forecast
from popadmin.panel import access, policy_use
from popadmin.panel.forms.policies import PolicyForm, values
from popadmin.panel.views import policy_undo
from popadmin.panel.views.policy_preview import PreviewPage
from popadmin.web import form_rejection, people, request_lookup, row_key
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in

LIST = breadcrumb(gettext_lazy("Retention"), "policies")


class OnePolicyPage:
    """A page of the policy whose key is in the URL."""

    of: type[Model] = RetentionPolicy
    request: HttpRequest
    kwargs: dict[str, Any]

    @cached_property
    def policy(self) -> RetentionPolicy:
        return request_lookup.find(self.request, policy_use.with_use(signed_in(self.request)), pk=self.kwargs["key"])


class Detail(access.AdminPage, OnePolicyPage, TemplateView):
    """The rules of a policy as sentences. For hosting admins they are a form."""

    template_name = "panel/policy.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if people.is_host(signed_in(request)):
            return Edit.as_view()(request, *args, **kwargs)
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        return super().get_context_data(
            **kwargs,
            breadcrumbs=[LIST],
            policy=self.policy,
            **policy_use.use(user, self.policy),
        )


class New(access.HostPage, PreviewPage):
    template_name = "panel/policy_form.html"
    form_class = PolicyForm

    def get_form_kwargs(self) -> dict[str, Any]:
        own = super().get_form_kwargs()
        del own["initial"]  # the form has the defaults
        return {**own, "now": values(RetentionPolicy())}

    def make_forecast(self, form: PolicyForm) -> Forecast:
        fields = form.fields_given()
        return forecast.of_policy(policies.plan(fields.pop("name"), new=True, at_once=form.at_once, **fields))

    def save(self, form: PolicyForm) -> RetentionPolicy:
        fields = form.fields_given()
        return policies.make(
            fields.pop("name"), actor=request_lookup.actor(self.request), at_once=form.at_once, **fields
        )

    def done(self, saved: RetentionPolicy) -> HttpResponse:
        messages.success(self.request, _("%(name)s is created. Now choose who uses it.") % {"name": saved.name})
        return redirect("policies-one", saved.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, breadcrumbs=[LIST])


class Edit(access.HostPage, OnePolicyPage, PreviewPage):
    template_name = "panel/policy_form.html"
    form_class = PolicyForm
    undo_until: datetime.datetime | None = None  # of the previewed change

    def get_form_kwargs(self) -> dict[str, Any]:
        own = super().get_form_kwargs()
        del own["initial"]  # the form has the policy's values
        return {**own, "now": values(self.policy), "shown": self._former_values()}

    def _former_values(self) -> dict[str, Any]:
        """Return the values before the change that the URL names, an entry of the audit: the user changes it back."""
        key = self.request.GET.get("undoes", "")
        if not row_key.is_key(key):
            return {}
        entries = access.audit_entries(signed_in(self.request)).filter(verb="policy.change", subject=self.policy.name)
        entry = entries.filter(pk=key).first()
        changes = entry.details["changes"] if entry else {}
        return {name: old for name, (old, _new) in changes.items() if name in POLICY.names()}

    def make_forecast(self, form: PolicyForm) -> Forecast:
        fields = form.fields_given()
        planned = policies.plan_change(self.policy.pk, seen=self.policy.saved_at, at_once=form.at_once, **fields)
        if form.can_be_undone:
            self.undo_until = policies.undo_until(self.policy, planned.policy, saved_at=timezone.now())
        return forecast.of_policy(planned)

    def save(self, form: PolicyForm) -> RetentionPolicy:
        former = policies.state(self.policy)
        done = policies.change(
            self.policy.pk,
            actor=request_lookup.actor(self.request),
            seen=self.policy.saved_at,
            at_once=form.at_once,
            **form.fields_given(),
        )
        text = _("%(name)s is saved.") % {"name": done.row.name}
        until = policies.undo_until(self.policy, done.row, saved_at=done.row.saved_at)
        if done.changes and form.can_be_undone and until is not None:
            policy_undo.keep(self.request, done.row, former, until=until, text=text)
        else:
            messages.success(self.request, text)
        return done.row

    def done(self, saved: RetentionPolicy) -> HttpResponse:
        return redirect("policies-one", saved.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            breadcrumbs=[LIST],
            policy=self.policy,
            changed_until=policy_undo.until(self.request, self.policy),
            undo_until=self.undo_until,
            **({} if "part" in self.request.POST else policy_use.use(signed_in(self.request), self.policy)),
        )


class Removal(access.HostPage, OnePolicyPage, TemplateView):
    """Ask for confirmation: a deleted policy cannot be restored."""

    template_name = "panel/policy_removal.html"

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        try:
            policies.remove(self.policy.pk, actor=request_lookup.actor(request))
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal), extra_tags="danger")
            return redirect("policies-one", self.policy.pk)
        messages.success(request, _("%(name)s is deleted.") % {"name": self.policy.name})
        return redirect("policies")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        one = breadcrumb(self.policy.name, "policies-one", self.policy.pk)
        return super().get_context_data(**kwargs, breadcrumbs=[LIST, one], policy=self.policy)
