"""Administrators: list, create, grant domains, suspend, new password, remove. For hosting admins only."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.generic import FormView, TemplateView, View

from mailstore.directory import admin_suspension, admins, grants, recovery_addresses, row_locks
from mailstore.directory.outcome import Rejected
from mailstore.models import DomainGrant, User
from popadmin.lists.columns import Column, Exported, Filters, ReadyView, Rows, SearchBox
from popadmin.lists.views import ListPage
from popadmin.panel import access, newest_entries
from popadmin.panel.forms.admins import HOST, GrantDomains, NewAdmin
from popadmin.panel.row_page import RowPage
from popadmin.panel.search_terms import address_or_name
from popadmin.panel.views import grant_removal
from popadmin.web import form_rejection, notices, request_lookup
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.formats import count
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in

LIST = breadcrumb(gettext_lazy("Administrators"), "admins")


class AdminFilters(Filters):
    q = SearchBox(label=gettext_lazy("Search administrators"), placeholder=gettext_lazy("Login or name"))
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[
            ("", gettext_lazy("Any kind")),
            ("admin", gettext_lazy("Hosting admins")),
            ("owner", gettext_lazy("Domain admins")),
        ],
    )

    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        choices=[
            ("", gettext_lazy("Any state")),
            ("active", pgettext_lazy("admin", "Active")),
            ("suspended", pgettext_lazy("admin", "Suspended")),
        ],
    )

    def by_q(self, rows: Rows, query: str) -> Rows:
        return rows.filter(address_or_name(query, ""))

    def by_state(self, rows: Rows, state: str) -> Rows:
        return rows.filter(is_active=state == "active")

    def by_kind(self, rows: Rows, kind: str) -> Rows:
        return rows.filter(role=kind)


class Admins(access.HostPage, ListPage):
    template_name = "panel/admins.html"
    name = "admins"
    filters = AdminFilters
    views = (
        ReadyView(gettext_lazy("Hosting admins"), {"kind": "admin"}),
        ReadyView(gettext_lazy("Domain admins"), {"kind": "owner"}),
        ReadyView(pgettext_lazy("admins", "Suspended"), {"state": "suspended"}),
    )
    columns = (
        Column("login", gettext_lazy("Login"), F("address")),
        Column("name", gettext_lazy("Name"), css="c-name"),
        Column("kind", gettext_lazy("Kind"), F("role")),
        Column("domains", gettext_lazy("Domains")),
        Column("state", gettext_lazy("State")),
        Column("seen", gettext_lazy("Last web sign-in"), css="n c-more"),
    )
    exported = (
        Exported(gettext_lazy("Login"), lambda row: row.address),
        Exported(gettext_lazy("Name"), lambda row: row.name),
        Exported(gettext_lazy("Kind"), lambda row: _("Hosting admin") if _is_host(row) else _("Domain admin")),
        Exported(gettext_lazy("Domains"), lambda row: _("all") if _is_host(row) else _domains(row)),
        Exported(gettext_lazy("Number of domains"), lambda row: None if _is_host(row) else row.granted),
        Exported(gettext_lazy("Active"), lambda row: row.is_active),
        Exported(gettext_lazy("Last web sign-in"), lambda row: row.last_login and row.last_login.isoformat()),
    )

    def rows(self) -> Rows:
        return access.admins(signed_in(self.request))


def _is_host(row: User) -> bool:
    return row.role == User.Role.ADMIN


def _domains(row: Any) -> str:
    """Return the first domain names, as `access.admins` has them; an ellipsis stands for the rest."""
    return ", ".join([*row.named, *(["…"] if row.granted > len(row.named) else [])])


class New(access.HostPage, RejectionMixin, FormView[NewAdmin]):
    """Create an administrator. As with a mailbox, the answer itself shows the password, which is not stored."""

    template_name = "panel/admin_new.html"
    form_class = NewAdmin
    error_field = "login"

    def perform(self, form: NewAdmin) -> HttpResponse:
        login, actor = form.cleaned_data["login"], request_lookup.actor(self.request)
        if form.cleaned_data["kind"] == HOST:
            done = admins.ensure(login, actor=actor, must_change=True)
        else:
            done = grants.ensure(login, form.cleaned_data["domains"], actor=actor, must_change=True)
        if done.secret is not None:
            return _secret_page(self.request, done.row, done.secret, new=True)
        text = _("%(login)s now administers these domains.") if done.changes else _("%(login)s already existed.")
        messages.success(self.request, text % {"login": done.row})
        return redirect("admins-one", done.row.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, breadcrumbs=[LIST])


class OneAdminPage(access.HostPage, RowPage):
    """A page of the administrator whose key is in the URL."""

    of = User

    @cached_property
    def admin(self) -> User:
        return self.find(access.admins(signed_in(self.request)))


class ActionPage(OneAdminPage, View):
    """An action on the administrator. If it is rejected, their page says why."""

    def perform(self) -> HttpResponse:
        raise NotImplementedError

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        try:
            return self.perform()
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
            return redirect("admins-one", self.admin.pk)


class Detail(OneAdminPage, RejectionMixin, FormView[GrantDomains]):
    template_name = "panel/admin.html"
    form_class = GrantDomains
    error_field = "domains"

    def perform(self, form: GrantDomains) -> HttpResponse:
        grants.ensure(self.admin.address, form.cleaned_data["domains"], actor=request_lookup.actor(self.request))
        messages.success(self.request, _("Saved."))
        return redirect("admins-one", self.admin.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        recovery = recovery_addresses.masked(self.admin.recovery_address) if self.admin.recovery_address else ""
        held = DomainGrant.objects.filter(user=self.admin, domain__removed_at=None).select_related("domain")
        mailbox = getattr(self.admin, "mailbox", None)
        return super().get_context_data(
            **kwargs,
            breadcrumbs=[LIST],
            admin=self.admin,
            grants=held.order_by("domain__name"),
            mailbox=mailbox,
            recovery=recovery,
        )


class Withdrawal(OneAdminPage, View):
    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        grant_removal.withdraw(request, DomainGrant.objects.filter(user=self.admin), self.kwargs["grant"])
        rest = DomainGrant.objects.filter(user=self.admin).exists()
        return redirect("admins-one", self.admin.pk) if rest else redirect("admins")


class Suspension(ActionPage):
    def perform(self) -> HttpResponse:
        suspended, login = self.request.POST.get("suspended") == "yes", self.admin.address
        with row_locks.of_admin(self.admin):
            newest_entries.refuse_past(self.request, "admin.change", "suspended", subject=login)
            changed = admin_suspension.suspend(login, suspended=suspended, actor=request_lookup.actor(self.request))
            entry = newest_entries.latest("admin.change", login) if changed else None
        text = _("%(login)s is active again.")
        if suspended:
            text = _("%(login)s is suspended: they cannot sign in.")
        if suspended and entry is not None:
            url = newest_entries.url_undoing(reverse("admins-suspension", args=[self.admin.pk]), entry)
            notices.undoable(self.request, text % {"login": login}, url)
        else:
            messages.success(self.request, text % {"login": login})
        return redirect("admins-one", self.admin.pk)


class ConfirmPage(ActionPage, TemplateView):
    """A page that asks for confirmation, for actions that cannot be undone. `follows` says what happens, with icons."""

    template_name = "panel/admin_confirm.html"
    title: Promise
    question: Promise
    label: Promise
    keep: Promise
    danger = True

    def follows(self) -> list[tuple[str, str]]:
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        one = breadcrumb(self.admin.address, "admins-one", self.admin.pk)
        return super().get_context_data(
            **kwargs,
            title=self.title,
            question=str(self.question) % {"login": self.admin.address},
            label=self.label,
            keep=self.keep,
            danger=self.danger,
            follows=self.follows(),
            breadcrumbs=[LIST, one],
            admin=self.admin,
        )


class Password(ConfirmPage):
    title = gettext_lazy("New password")
    question = gettext_lazy("Give %(login)s a new password?")
    label = gettext_lazy("Create a new password")
    keep = gettext_lazy("Keep the old one")
    danger = False

    def follows(self) -> list[tuple[str, str]]:
        return [
            ("key", _("The new password is shown once. They choose their own when they sign in.")),
            ("x-circle-fill", _("The old one stops working at once.")),
        ]

    def perform(self) -> HttpResponse:
        secret = admin_suspension.set_password(self.admin.address, actor=request_lookup.actor(self.request))
        return _secret_page(self.request, self.admin, secret, new=False)


class Removal(ConfirmPage):
    title = gettext_lazy("Remove administrator")
    question = gettext_lazy("Remove the administrator %(login)s?")
    label = gettext_lazy("Remove the administrator")
    keep = pgettext_lazy("administrator", "Keep them")

    def follows(self) -> list[tuple[str, str]]:
        """Say what ends and what stays. A mailbox owner keeps the mailbox."""
        domains = DomainGrant.objects.filter(user=self.admin, domain__removed_at=None).count()
        text = ngettext("They no longer manage %(count)s domain.", "They no longer manage %(count)s domains.", domains)
        rights = _("They no longer manage this site.") if _is_host(self.admin) else text % {"count": count(domains)}
        if getattr(self.admin, "mailbox", None) is not None:
            return [("slash-circle", rights), ("inbox", _("They keep their mailbox and can still sign in to it."))]
        undone = _("They can no longer sign in, and would have to be created again: this cannot be undone.")
        return [("slash-circle", rights), ("x-circle-fill", undone)]

    def perform(self) -> HttpResponse:
        admin_suspension.remove(self.admin.address, actor=request_lookup.actor(self.request))
        messages.success(self.request, _("%(login)s is no longer an administrator.") % {"login": self.admin})
        return redirect("admins")


def _secret_page(request: HttpRequest, admin: User, secret: str, *, new: bool) -> HttpResponse:
    back, site = reverse("admins-one", args=[admin.pk]), request.build_absolute_uri("/")
    context = {"login": admin.address, "secret": secret, "back": back, "site": site, "new": new, "breadcrumbs": [LIST]}
    return render(request, "panel/admin_secret.html", context)
