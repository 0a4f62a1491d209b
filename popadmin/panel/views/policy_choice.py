"""Choose the retention policy of a domain or of a mailbox, with a preview of the effects."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from mailstore.directory import domains, mailboxes, row_locks
from mailstore.directory.outcome import Only
from mailstore.models import Domain, Mailbox
from mailstore.policy.retention import Forecast
from mailstore.retention import forecast
from popadmin.panel import access, room_choice
from popadmin.panel.forms.policies import ChoiceForm
from popadmin.panel.room_choice import RoomChoice
from popadmin.panel.views.policies import LIST
from popadmin.panel.views.policy_preview import PreviewPage
from popadmin.web import people, request_lookup
from popadmin.web.people import signed_in


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
        host = people.is_host(signed_in(self.request))
        return super().get_context_data(**kwargs, breadcrumbs=[LIST], room=self._room(), host=host)

    def _room(self) -> RoomChoice | None:
        """Return how to make room in the mailbox that the link names, before a policy is tried."""
        user, address = signed_in(self.request), self.request.GET.get("of", "").strip()
        if self.request.method != "GET" or "@" not in address:
            return None
        rows = access.mailboxes(user).select_related("user", "domain")
        mailbox = rows.filter(user__address=address).first()
        return None if mailbox is None else room_choice.of(mailbox, access.policies(user))
