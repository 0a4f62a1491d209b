"""The audit list: who changed what, when and from where. Actions write the entries; this page only reads them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from mailstore.models import AuditEntry
from popadmin.lists.columns import Column, Exported, Filters, ReadyView, Rows, Search, midnight
from popadmin.lists.views import ListPage
from popadmin.panel import access, audit_subjects
from popadmin.panel.search_terms import words_in
from popadmin.web import audit_text
from popadmin.web.formats import exact, facts
from popadmin.web.people import signed_in


class AuditFilters(Filters):
    q = Search(label=_("Search the audit"), placeholder=_("Subject or user"))
    kind = forms.ChoiceField(label=_("Category"), choices=[("", _("Everything")), *audit_text.KINDS.items()])
    via = forms.ChoiceField(label=_("Via"), choices=[("", _("Any")), *AuditEntry.Via.choices])
    since = forms.DateField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    until = forms.DateField(label=_("To"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def by_q(self, rows: Rows, query: str) -> Rows:
        return rows.filter(words_in(query, "subject", "actor_name", beginnings=["subject", "actor_name"]))

    def by_kind(self, rows: Rows, kind: str) -> Rows:
        return rows.filter(verb__startswith=kind if kind in audit_text.VERBS else f"{kind}.")

    def by_via(self, rows: Rows, via: str) -> Rows:
        return rows.filter(via=via)

    def by_since(self, rows: Rows, day: date) -> Rows:
        return rows.filter(at__gte=midnight(day))

    def by_until(self, rows: Rows, day: date) -> Rows:
        return rows.filter(at__lt=midnight(day + timedelta(days=1)))


class Audit(access.AdminPage, ListPage):
    template_name = "panel/audit.html"
    name = "audit"
    filters = AuditFilters
    views = (
        *(ReadyView(audit_text.KINDS[kind], {"kind": kind}) for kind in ("mailbox", "domain", "alias", "policy")),
        ReadyView(audit_text.KINDS["denied"], {"kind": "denied"}, "warn"),
    )
    columns = (
        Column("at", _("When"), F("at"), down=True),
        Column("who", _("Who"), F("actor_name")),
        Column("what", _("What")),
        Column("changes", _("Changes")),
    )
    exported = (
        Exported(_("When"), lambda entry: entry.at.isoformat()),
        Exported(_("Who"), lambda entry: entry.actor_name),
        Exported(_("Via"), lambda entry: entry.get_via_display()),
        Exported(_("IP address"), lambda entry: entry.client),
        Exported(_("Action"), audit_text.verb),
        Exported(_("Subject"), lambda entry: entry.subject),
        Exported(_("Changes"), lambda entry: facts(audit_text.details(entry, exact))),
    )

    def rows(self) -> Rows:
        return access.audit_entries(signed_in(self.request))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Give each entry of the page the URLs of its subject and of its operation, as far as they still exist."""
        context = super().get_context_data(**kwargs)
        entries = context["page"].rows
        subjects = audit_subjects.of(entries, signed_in(self.request))
        for entry in entries:
            entry.subject_url, entry.operation_url = subjects.url(entry), subjects.operation_url(entry)
        return context
