"""One domain: show, create, edit, suspend. `domain_removal` removes it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from django.contrib import messages
from django.db.models import F, QuerySet, Subquery
from django.db.models.functions import NullIf
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView, View

from mailstore.directory import domain_usage, domains, row_locks
from mailstore.directory.outcome import Only, Rejected
from mailstore.models import Alias, Domain, RetentionPolicy, TallyMark
from popadmin.panel import access, alias_page, domain_state, newest_entries
from popadmin.panel.forms.domains import EditDomain, NewDomain
from popadmin.panel.row_page import DOMAINS, DomainPage
from popadmin.web import form_rejection, mailbox_state, notices, people, request_lookup
from popadmin.web.edit_conflict import RowLockMixin
from popadmin.web.people import signed_in

ENTRIES = 10  # of the audit; the rest is behind a link
ROWS = 20  # mailboxes and aliases, the same


class DomainTab(DomainPage, TemplateView):
    """One tab of the page of a domain. All have the same state, limits and facts around them."""

    tab = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user, domain = signed_in(self.request), self._counted()
        limits = domain_state.caps(domain)
        lines = domain_state.lines(domain, limits, user)
        return super().get_context_data(
            **kwargs,
            breadcrumbs=[DOMAINS],
            tab=self.tab,
            domain=domain,
            host=people.is_host(user),
            lines=lines,
            urgent=bool(lines[0].remedies) and lines[0].level in (domain_state.BAD, domain_state.NOTE),
            caps=limits,
            policy=domain.policy or RetentionPolicy.objects.filter(site=True).first(),
            admin_count=domain.grants.count(),
            address_count=self.listed_aliases(domain).count(),
        )

    def listed_aliases(self, domain: Domain) -> QuerySet[Alias]:
        """Return the rows of the table of addresses: aliases and forwards. The catch-all stands above it."""
        return access.aliases(signed_in(self.request)).filter(domain=domain).exclude(address__startswith="@")

    def _counted(self) -> Domain:
        """Return the domain with its usage, in the one statement that also says whether this user may see it."""
        user = signed_in(self.request)
        rows = access.naming_other(access.domains(user).select_related("stands_for", "policy"), user)
        rows = domain_usage.counted(rows).annotate(
            delivered=domain_usage.delivered(), counted_at=Subquery(TallyMark.objects.values("counted_at")[:1])
        )
        return self.find(rows, removed=access.removed_domains(user))


class Detail(DomainTab):
    """The mailboxes, the fullest first."""

    template_name = "panel/domain.html"
    tab = "mailboxes"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        share = F("octets") * 100.0 / NullIf(F("quota_octets"), 0)
        rows = access.mailboxes(signed_in(self.request)).filter(domain=context["domain"])
        fullest = rows.annotate(share=share).order_by(F("share").desc(nulls_last=True), "-octets", "pk")
        mailboxes = list(fullest[:ROWS])
        mailbox_state.mark_full_domains(mailboxes)
        return {**context, "mailboxes": mailboxes}


class Addresses(DomainTab):
    """The catch-all, the alias domains and the aliases."""

    template_name = "panel/domain_addresses.html"
    tab = "addresses"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        user, domain = signed_in(self.request), context["domain"]
        aliases = list(self.listed_aliases(domain).order_by("address")[:ROWS])
        catch_all = access.aliases(user).filter(domain=domain, address=f"@{domain.name}").first()
        alias_page.mark_unknown([*aliases, *([catch_all] if catch_all else [])], user)
        alias_domains = access.domains(user).filter(stands_for=domain).order_by("name")
        return {**context, "aliases": aliases, "catch_all": catch_all, "alias_domains": alias_domains}


class Admins(DomainTab):
    template_name = "panel/domain_admins.html"
    tab = "admins"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        grants = context["domain"].grants.select_related("user").order_by("user__address")
        return {**context, "grants": grants}


class Settings(DomainTab):
    """The rules and limits, and who changed them."""

    template_name = "panel/domain_settings.html"
    tab = "settings"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        entries = access.audit_entries(signed_in(self.request)).filter(subject=context["domain"].name)
        return {**context, "entries": entries.order_by("-at")[:ENTRIES]}


class New(access.HostPage, FormView[NewDomain]):
    template_name = "panel/domain_form.html"
    form_class = NewDomain

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": signed_in(self.request)}

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.request.GET.get("name", "")}

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
    """Change the settings. If a limit leaves no room, the page first says what follows, and asks again."""

    template_name = "panel/domain_form.html"
    form_class = EditDomain

    def get_form_kwargs(self) -> dict[str, Any]:
        own = super().get_form_kwargs()
        del own["initial"]  # the form has the row's values
        return {**own, "user": signed_in(self.request), "domain": self.domain}

    def row_lock(self) -> AbstractContextManager[None]:
        return row_locks.of_domain(self.domain)

    def form_valid(self, form: EditDomain) -> HttpResponse:
        shortfall = form.shortfall()
        if shortfall and not shortfall.is_accepted(self.request.POST):
            return self.render_to_response(self.get_context_data(form=form, shortfall=shortfall))
        try:
            actor = request_lookup.actor(self.request)
            done = domains.ensure(self.domain.name, actor=actor, only=Only.THERE, **form.changes())
        except Rejected as refusal:
            form_rejection.add_error(form, refusal, otherwise="stands_for" if "stands_for" in form.changes() else None)
            return self.form_invalid(form)
        messages.success(self.request, _("Saved.") if done.changes else _("Nothing was changed."))
        return redirect("domains-settings", self.domain.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, breadcrumbs=self.above(), domain=self.domain)


class Suspension(access.HostPage, DomainPage, View):
    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        active = request.POST.get("active") != "no"  # an Undo sends nothing more
        try:
            with row_locks.of_domain(self.domain):
                name = self.domain.name  # as it is behind the lock: an older name may stand for it by now
                newest_entries.refuse_past(request, "domain.change", "active", domain=self.domain.pk)
                done = domains.ensure(name, actor=request_lookup.actor(request), only=Only.THERE, active=active)
                entry = newest_entries.latest("domain.change", name) if done.changes else None
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
        else:
            _tell_suspension(request, self.domain, None if active else entry, active=active)
        return redirect("domains-one", self.domain.pk)


def _tell_suspension(request: HttpRequest, domain: Domain, entry: int | None, *, active: bool) -> None:
    """Tell it, with an Undo of this entry of the audit. None if there is nothing to undo."""
    text = _("%(domain)s is active again.")
    if not active:
        text = _("%(domain)s is suspended: new mail is refused, and nobody in it can sign in.")
    if entry is None:
        messages.success(request, text % {"domain": domain})
        return
    url = newest_entries.url_undoing(reverse("domains-suspension", args=[domain.pk]), entry)
    notices.undoable(request, text % {"domain": domain}, url)
