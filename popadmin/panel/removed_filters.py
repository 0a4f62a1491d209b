"""The filters of the lists of removed mailboxes and domains."""

from __future__ import annotations

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from popadmin.lists.columns import Filters, ReadyView, Rows, Search, SearchBox
from popadmin.panel.search_terms import address_or_name, domain_name, domain_words

# What becomes of a removed row, and whether somebody has asked to delete it for good.
STATES: dict[str, tuple[Promise, bool]] = {
    "kept": (_("Can be restored"), False),
    "ending": (_("Being deleted for good"), True),
}


class RemovedFilters(Filters):
    state = forms.ChoiceField(
        label=_("State"),
        choices=[("", _("Any state")), *((state, label) for state, (label, _asked) in STATES.items())],
    )
    by = forms.CharField(label=pgettext_lazy("filter", "Removed by"), max_length=254)

    @classmethod
    def views(cls) -> tuple[ReadyView, ...]:
        return tuple(ReadyView(label, {"state": state}) for state, (label, _asked) in STATES.items())

    def by_state(self, rows: Rows, state: str) -> Rows:
        return rows.filter(purge_requested_at__isnull=not STATES[state][1])

    def by_by(self, rows: Rows, login: str) -> Rows:
        return rows.filter(removed_by__icontains=login)


class RemovedMailboxFilters(RemovedFilters):
    q = Search(label=_("Search mailboxes"), placeholder=_("Address or name"))
    domain = forms.CharField(label=_("Domain"), max_length=254)

    def by_q(self, rows: Rows, query: str) -> Rows:
        return rows.filter(address_or_name(query, "user__"))

    def by_domain(self, rows: Rows, query: str) -> Rows:
        return rows.filter(domain__name=domain_name(query))


class RemovedDomainFilters(RemovedFilters):
    q = SearchBox(label=_("Search domains"), placeholder=_("Part of a name"))

    def by_q(self, rows: Rows, query: str) -> Rows:
        return rows.filter(domain_words(query))
