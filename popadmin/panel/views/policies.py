"""Retention policies: list, create and edit them with a preview of the effects, delete."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Count, IntegerField, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
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
from mailstore.models import RetentionPolicy, User
from mailstore.policy.retention import Forecast
from mailstore.retention import forecast
from popadmin.panel import access
from popadmin.panel.forms.policies import PolicyForm, values
from popadmin.panel.views import policy_undo
from popadmin.panel.views.policy_preview import PreviewPage
from popadmin.web import form_rejection, people, request_lookup, row_key
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in

LIST = breadcrumb(gettext_lazy("Retention"), "policies")
NAMED = 50  # domains that a page names; the list of mailboxes has the rest


def followers(user: User) -> dict[int | None, int]:
    """Count the mailboxes that use each policy, among those that this user may see, wherever the choice comes from."""
    site = RetentionPolicy.objects.filter(site=True).values("pk")
    in_force = Coalesce("policy", "domain__policy", Subquery(site[:1]))
    rows = access.mailboxes(user).select_related(None).order_by().values(in_force=in_force)
    return {row["in_force"]: row["n"] for row in rows.annotate(n=Count("pk"))}


def with_use(user: User) -> QuerySet[RetentionPolicy]:
    """Return the policies with the number of `domains` and `mailboxes` that have chosen them, as far as visible."""

    def chosen_by(rows: QuerySet[Any]) -> Coalesce:
        of_policy = rows.filter(policy=OuterRef("pk")).order_by().values("policy")
        return Coalesce(Subquery(of_policy.values(n=Count("pk"))), 0, output_field=IntegerField())

    rows = access.policies(user).annotate(
        domains=chosen_by(access.domains(user)),
        mailboxes=chosen_by(access.mailboxes(user).select_related(None)),
    )
    return rows.order_by("-site", "name").distinct()


def use(user: User, policy: RetentionPolicy) -> dict[str, Any]:
    """Return who uses the policy, for its page: the number of mailboxes, and the first domains."""
    return {
        "follower_count": followers(user).get(policy.pk, 0),
        "domains": access.domains(user).filter(policy=policy).order_by("name")[:NAMED],
    }


class Policies(access.AdminPage, TemplateView):
    template_name = "panel/policies.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        counts = followers(user)
        listed = [(policy, counts.get(policy.pk, 0)) for policy in with_use(user)]
        return super().get_context_data(**kwargs, policies=listed, host=people.is_host(user))


class OnePolicyPage:
    """A page of the policy whose key is in the URL."""

    of: type[Model] = RetentionPolicy
    request: HttpRequest
    kwargs: dict[str, Any]

    @cached_property
    def policy(self) -> RetentionPolicy:
        return request_lookup.find(self.request, with_use(signed_in(self.request)), pk=self.kwargs["key"])


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
            **use(user, self.policy),
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
            **({} if "part" in self.request.POST else use(signed_in(self.request), self.policy)),
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
