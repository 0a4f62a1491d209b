"""Retention policies: list, create, edit and choose them with a preview of the effects, delete."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import messages
from django.db.models import Count, IntegerField, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView, TemplateView

from mailstore.directory import domains, mailboxes, policies, row_locks
from mailstore.directory.outcome import Only, Rejected
from mailstore.models import Domain, Mailbox, RetentionPolicy, User
from mailstore.policy.retention import Forecast
from mailstore.retention import forecast
from popadmin.panel import access
from popadmin.panel.forms.policies import ChoiceForm, PolicyForm, PreviewForm, values
from popadmin.web import form_rejection, people, request_lookup
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in

LIST = breadcrumb(gettext_lazy("Retention"), "policies")
NAMED = 50  # domains that a page names; the list of mailboxes has the rest
AnyForm = TypeVar("AnyForm", bound=PreviewForm)


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
    template_name = "panel/policy.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        return super().get_context_data(
            **kwargs,
            breadcrumbs=[LIST],
            policy=self.policy,
            host=people.is_host(user),
            follower_count=followers(user).get(self.policy.pk, 0),
            domains=access.domains(user).filter(policy=self.policy).order_by("name")[:NAMED],
        )


class PreviewPage(FormView[PreviewForm]):
    """A form that shows its effects before it is saved; it saves only what it has shown.

    Subclasses define how to save (`save`), whom it affects (`make_forecast`), and where to go next (`done`).
    """

    def make_forecast(self, form: Any) -> Forecast:
        raise NotImplementedError

    def save(self, form: Any) -> Any:
        raise NotImplementedError

    def done(self, saved: Any) -> HttpResponse:
        raise NotImplementedError

    def form_valid(self, form: PreviewForm) -> HttpResponse:
        try:
            if "save" in self.request.POST:
                if form.was_previewed:
                    return self.done(self.save(form))
                form.add_error(None, _("The data has changed since the preview: check it again."))
            forecast = self.make_forecast(form)
        except Rejected as refusal:
            form_rejection.add_error(form, refusal)
            return self.form_invalid(form)
        form.data = {name: form.data[name] for name in form.data} | {"previewed": form.mark}
        return self.render_to_response(self.get_context_data(form=form, forecast=forecast))


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

    def get_form_kwargs(self) -> dict[str, Any]:
        own = super().get_form_kwargs()
        del own["initial"]  # the form has the policy's values
        return {**own, "now": values(self.policy)}

    def make_forecast(self, form: PolicyForm) -> Forecast:
        fields = form.fields_given()
        planned = policies.plan_change(self.policy.pk, seen=self.policy.saved_at, at_once=form.at_once, **fields)
        return forecast.of_policy(planned)

    def save(self, form: PolicyForm) -> RetentionPolicy:
        return policies.change(
            self.policy.pk,
            actor=request_lookup.actor(self.request),
            seen=self.policy.saved_at,
            at_once=form.at_once,
            **form.fields_given(),
        ).row

    def done(self, saved: RetentionPolicy) -> HttpResponse:
        messages.success(self.request, _("%(name)s is saved.") % {"name": saved.name})
        return redirect("policies-one", saved.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        one = breadcrumb(self.policy.name, "policies-one", self.policy.pk)
        return super().get_context_data(**kwargs, breadcrumbs=[LIST, one], policy=self.policy)


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


class Choice(access.PolicyPage, PreviewPage):
    """Choose the policy of a domain or a mailbox; `?of=` names it."""

    template_name = "panel/policy_choice.html"
    form_class = ChoiceForm

    def get_initial(self) -> dict[str, Any]:
        given = {name: self.request.GET.get(name, "") for name in ("of", "policy")}
        return {**given, "start": "now"}

    def get_form_kwargs(self) -> dict[str, Any]:
        user = signed_in(self.request)
        known = {
            "domains": access.domains(user),
            "mailboxes": access.mailboxes(user),
            "policies": access.policies(user),
        }
        return {**super().get_form_kwargs(), **known}

    def form_valid(self, form: Any) -> HttpResponse:
        """Compare what is saved with what was shown, while a lock keeps others from choosing."""
        if "save" not in self.request.POST:
            return super().form_valid(form)
        of = form.cleaned_data["of"]
        with row_locks.of_domain(of) if isinstance(of, Domain) else row_locks.of_mailbox(of):
            return super().form_valid(form)

    def make_forecast(self, form: ChoiceForm) -> Forecast:
        of, policy = form.cleaned_data["of"], form.cleaned_data["policy"]
        if isinstance(of, Domain):
            return forecast.of_domain(of, policy, at_once=form.at_once)
        return forecast.of_mailbox(of, policy, at_once=form.at_once)

    def save(self, form: ChoiceForm) -> Domain | Mailbox:
        of: Domain | Mailbox = form.cleaned_data["of"]
        actor = request_lookup.actor(self.request)
        chosen: dict[str, Any] = {"policy": form.cleaned_data["policy"], "policy_at_once": form.at_once}
        if isinstance(of, Domain):
            return domains.ensure(of.name, actor=actor, only=Only.THERE, **chosen).row
        return mailboxes.ensure(of.user.address, actor=actor, only=Only.THERE, **chosen).row

    def done(self, saved: Domain | Mailbox) -> HttpResponse:
        messages.success(self.request, _("The retention policy of %(name)s is saved.") % {"name": saved})
        return redirect("domains-one" if isinstance(saved, Domain) else "mailboxes-one", saved.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, breadcrumbs=[LIST])
