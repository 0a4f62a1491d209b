"""Aliases, forwards and catch-alls: list, create, edit, delete."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from django.contrib import messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject, cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView, View

from mailstore.directory import aliases, mta_expansion, row_locks, target_confirmation
from mailstore.directory.audit import Actor
from mailstore.directory.fields.domain import ALIAS
from mailstore.directory.outcome import Only, Rejected
from mailstore.models import Alias, AuditEntry, User
from mailstore.policy.addresses import shown_name
from popadmin.lists.columns import Column, Exported, Filters, Rows, exported_fields
from popadmin.lists.views import ListPage
from popadmin.panel import access, alias_page
from popadmin.panel.domain_filters import ALIAS_VIEWS, AliasFilters
from popadmin.panel.entry_undo import EntryUndo
from popadmin.panel.forms.aliases import EditAlias, NewAlias
from popadmin.panel.forms.domains import CatchAll
from popadmin.panel.row_page import DomainPage, RowPage
from popadmin.web import form_rejection, notices, people, request_lookup
from popadmin.web.edit_conflict import RowLockMixin
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in

LIST = breadcrumb(gettext_lazy("Aliases"), "aliases")
# If the directory names no field: in an existing alias, only the targets can be wrong.
TARGETS = "targets"


class Aliases(access.AdminPage, ListPage):
    template_name = "panel/aliases.html"
    name = "aliases"
    views = ALIAS_VIEWS
    columns = (
        Column("address", gettext_lazy("Address"), F("address")),
        Column("state", gettext_lazy("State")),
        Column("targets", gettext_lazy("Leads to")),
        Column("comment", gettext_lazy("Comment"), F("comment"), css="c-more"),
        Column("made", gettext_lazy("Created"), F("created_at"), down=True, css="n c-more c-less"),
    )
    exported = (
        Exported(gettext_lazy("Address"), lambda row: row.address),
        *exported_fields(ALIAS),
    )

    row_fields = (
        "address", "domain__name", "targets", "unconfirmed", "mailbox", "keep_copy", "active", "expires_at", "comment",
        "created_at",
    )  # fmt: skip

    def rows(self) -> Rows:
        return access.aliases(signed_in(self.request))

    def filters_of(self, query: QueryDict) -> Filters:
        return AliasFilters(query, domains=self.domains)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        has_domain = SimpleLazyObject(lambda: access.domains(user).exists())  # asked where the list is empty
        context = super().get_context_data(**kwargs, host=people.is_host(user), has_domain=has_domain)
        alias_page.mark_unknown(context["page"].rows, user)
        return context

    @cached_property
    def domains(self) -> list[int] | None:
        """Return the keys of the domains that the user may see; None for all."""
        return access.domain_keys(signed_in(self.request))


class AliasPage(RowPage):
    """A page of the alias whose key is in the URL."""

    @cached_property
    def alias(self) -> Alias:
        return self.find(access.aliases(signed_in(self.request)))


class New(access.AdminPage, FormView[NewAlias]):
    template_name = "panel/alias_form.html"
    form_class = NewAlias

    def get_form_kwargs(self) -> dict[str, Any]:
        domain = self.request.GET.get("domain", "")
        return {**super().get_form_kwargs(), "user": signed_in(self.request), "domain": domain}

    def form_valid(self, form: NewAlias) -> HttpResponse:
        address = form.cleaned_data["address"]
        targets, actor = form.cleaned_data["targets"], request_lookup.actor(self.request)
        try:
            done = aliases.ensure(address, targets, actor=actor, only=Only.NEW, **form.fields_given())
        except Rejected as refusal:
            form.offer_look_alike(refusal)
            form_rejection.add_error(form, refusal, otherwise="address")
            return self.form_invalid(form)
        messages.success(self.request, _("%(address)s is created.") % {"address": done.row})
        _warn(self.request, done.row)
        return redirect(f"{reverse('aliases')}?domain={done.row.domain.name}")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, breadcrumbs=[LIST], host=people.is_host(signed_in(self.request)))


class Edit(RowLockMixin, AliasPage, RejectionMixin, FormView[EditAlias]):
    template_name = "panel/alias_form.html"
    form_class = EditAlias
    error_field = TARGETS

    def get_form_kwargs(self) -> dict[str, Any]:
        own = super().get_form_kwargs()
        del own["initial"]  # the form has the row's values
        return {**own, "alias": self.alias}

    def row_lock(self) -> AbstractContextManager[None]:
        return row_locks.of_alias(self.alias)

    def perform(self, form: EditAlias) -> HttpResponse:
        wanted = form.changes()
        targets = wanted.pop(TARGETS, self.alias.targets)
        actor = request_lookup.actor(self.request)
        done = aliases.ensure(self.alias.address, targets, actor=actor, only=Only.THERE, **wanted)
        messages.success(self.request, _("Saved.") if done.changes else _("Nothing was changed."))
        _warn(self.request, done.row)
        return redirect(f"{reverse('aliases')}?domain={done.row.domain.name}")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        unknown = alias_page.mark_unknown([self.alias], user)
        return super().get_context_data(
            **kwargs,
            breadcrumbs=[LIST],
            alias=self.alias,
            arrivals=alias_page.arrivals(self.alias) if people.is_host(user) else None,
            nobody=len(unknown) == len(self.alias.targets) and not self.alias.keep_copy,
            unknown_domain=next(iter(unknown), "").rpartition("@")[2],
            mta=mta_expansion.mta_duty(self.alias),
        )


class Acceptance(AliasPage, View):
    """Let the targets of a forward get mail that have not agreed themselves, on the word of an administrator."""

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        accepted = target_confirmation.accept(self.alias, actor=request_lookup.actor(request))
        if accepted:
            targets = ", ".join(map(shown_name, accepted))
            messages.success(request, _("Mail is forwarded to %(targets)s.") % {"targets": targets})
        return redirect("aliases-one", key=self.alias.pk)


class Removal(AliasPage, View):
    """Remove an alias without a question, because it can be undone."""

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        address, domain = self.alias.address, self.alias.domain.name
        try:
            entry = aliases.remove(address, actor=request_lookup.actor(request))
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
        else:
            text = _("%(address)s is removed.") % {"address": address}
            notices.undoable(request, text, reverse("aliases-restoral", args=[entry.pk]))
        return redirect(f"{reverse('aliases')}?domain={domain}")


class Restoral(access.AdminPage, EntryUndo):
    """Undo the removal of an alias."""

    list_name = "aliases"

    def entries(self, user: User) -> QuerySet[AuditEntry]:
        return access.audit_entries(user).filter(verb="alias.remove", domain__in=access.domains(user).values("pk"))

    def undo(self, entry: AuditEntry, actor: Actor) -> tuple[str, HttpResponse]:
        alias = aliases.restore(entry, actor=actor)
        return _("%(address)s is restored.") % {"address": alias}, redirect("aliases-one", alias.pk)


class EditCatchAll(RowLockMixin, DomainPage, RejectionMixin, FormView[CatchAll]):
    template_name = "panel/domain_catch_all.html"
    form_class = CatchAll
    error_field = "targets"

    def get_form_kwargs(self) -> dict[str, Any]:
        own = super().get_form_kwargs()
        del own["initial"]  # the form has the row's values
        rows = access.aliases(signed_in(self.request))
        row = rows.filter(domain=self.domain, address=f"@{self.domain.name}").first()
        return {**own, "now": {"targets": row.targets if row else []}}

    def row_lock(self) -> AbstractContextManager[None]:
        return row_locks.of_domain(self.domain)

    def perform(self, form: CatchAll) -> HttpResponse:
        aliases.set_catch_all(self.domain.name, form.cleaned_data["targets"], actor=request_lookup.actor(self.request))
        messages.success(self.request, _("Saved."))
        return redirect("domains-addresses", self.domain.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, breadcrumbs=self.above(), domain=self.domain)


def _warn(request: HttpRequest, alias: Alias) -> None:
    """Warn of targets that do not exist: mail for them is refused."""
    for target in sorted(alias_page.mark_unknown([alias], signed_in(request))):
        text = _("%(target)s does not exist: mail for it is refused.")
        messages.warning(request, text % {"target": target})
