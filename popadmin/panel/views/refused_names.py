"""The list of names that nobody has, of limits that refused somebody, and of programs whose TLS does not begin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from mailstore.models import RefusedName
from popadmin.lists.columns import Column, Exported, Filters, ReadyView, Rows, SearchBox
from popadmin.lists.views import ListPage
from popadmin.panel import access, refused_names
from popadmin.panel.search_terms import words_anywhere
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in

SIGN_INS = breadcrumb(_("Sign-ins"), "visits")
NAMES, LIMITS, TLS, ENCRYPTION = "names", "limits", "tls", "encryption"
REASONS = {
    NAMES: (RefusedName.Reason.UNKNOWN,),
    LIMITS: RefusedName.LIMITS,
    TLS: RefusedName.TLS,
    ENCRYPTION: RefusedName.ENCRYPTION,
}


class RefusedFilters(Filters):
    q = SearchBox(label=_("Search name or network"))
    kind = forms.ChoiceField(
        label=_("What"),
        choices=[
            ("", _("Anything")),
            (NAMES, _("Names that nobody has")),
            (LIMITS, _("Limits")),
            (TLS, _("TLS too old")),
            (ENCRYPTION, _("Wrong encryption")),
        ],
    )

    def by_q(self, rows: Rows, query: str) -> Rows:
        return rows.filter(words_anywhere(query, "name", "network"))

    def by_kind(self, rows: Rows, kind: str) -> Rows:
        return rows.filter(reason__in=REASONS[kind])


class RefusedNames(access.AdminPage, ListPage):
    template_name = "panel/refused_names.html"
    name = "refused-names"
    filters = RefusedFilters
    columns = (
        Column("at", _("Last try"), F("last_at"), down=True),
        Column("name", _("Name or network")),
        Column("tries", _("What happened"), F("tries"), down=True),
    )
    views = (
        ReadyView(_("Names that nobody has"), {"kind": NAMES}),
        ReadyView(_("Limits"), {"kind": LIMITS}, "warn"),
        ReadyView(_("TLS too old"), {"kind": TLS}, "warn"),
        ReadyView(_("Wrong encryption"), {"kind": ENCRYPTION}),
    )
    exported = (
        Exported(_("What"), RefusedName.get_reason_display),
        Exported(_("Name"), lambda row: row.name),
        Exported(_("From"), lambda row: row.network),
        Exported(_("Protocol"), lambda row: row.protocol),
        Exported(_("Count"), lambda row: row.tries),
        Exported(_("First try"), lambda row: row.first_at.isoformat()),
        Exported(_("Last try"), lambda row: row.last_at.isoformat()),
        Exported(_("Version of TLS"), lambda row: row.version),
    )

    def rows(self) -> Rows:
        return access.refused_names(signed_in(self.request))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs, breadcrumbs=[SIGN_INS])
        rows = context["page"].rows
        for row, told in zip(rows, refused_names.told(rows, signed_in(self.request)), strict=True):
            row.told = told
        return context
