"""The filters of the lists of domains and aliases."""

from __future__ import annotations

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mailstore.directory import domain_usage
from mailstore.models.columns import joined
from popadmin.lists.columns import SEARCH_CHARACTERS, Filters, Rows, Search
from popadmin.panel.search_terms import domain_name, spellings
from popadmin.panel.usage_filters import NEAR_PERCENT, stored

STATES: dict[str, tuple[Promise, Q]] = {
    "active": (pgettext_lazy("domain", "Active"), Q(active=True)),
    "suspended": (pgettext_lazy("domain", "Suspended"), Q(active=False)),
    "standing": (_("Alias of another domain"), Q(stands_for__isnull=False)),
}
USAGES: dict[str, tuple[Promise, Q]] = {
    "near": (_("90 % or more"), stored(NEAR_PERCENT, octets="stored")),
    "full": (_("Full"), stored(100, octets="stored")),
    "free": (_("No quota"), Q(quota_octets=None)),
}
KINDS: dict[str, tuple[Promise, Q]] = {
    "alias": (_("Aliases"), Q(mailbox=None) & ~Q(address__startswith="@")),
    "forward": (_("Forwards of mailboxes"), Q(mailbox__isnull=False)),
    "catch-all": (_("Catch-alls"), Q(address__startswith="@")),
}
ALIAS_STATES = (("active", _("Active")), ("off", _("Switched off")), ("expired", _("Expired")))


class DomainFilters(Filters):
    q = forms.CharField(label=_("Search name"), max_length=254)
    state = forms.ChoiceField(
        label=_("State"), choices=[("", _("Any state")), *((name, label) for name, (label, _q) in STATES.items())]
    )
    usage = forms.ChoiceField(
        label=_("Usage"), choices=[("", _("Any usage")), *((name, label) for name, (label, _q) in USAGES.items())]
    )

    def by_q(self, rows: Rows, query: str) -> Rows:
        """Search any part of the name, in any case; a whole name in another script is stored in its A-labels."""
        return rows.filter(Q(name__contains=query.lower()) | Q(name=domain_name(query)))

    def by_state(self, rows: Rows, state: str) -> Rows:
        return rows.filter(STATES[state][1])

    def by_usage(self, rows: Rows, usage: str) -> Rows:
        summed: Rows = rows.alias(stored=domain_usage.octets())
        return summed.filter(USAGES[usage][1])


class AliasFilters(Filters):
    q = Search(label=_("Search address, target or comment"))
    domain = forms.CharField(label=_("Domain"), max_length=254)
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[("", _("Any kind")), *((name, label) for name, (label, _q) in KINDS.items())]
    )
    state = forms.ChoiceField(label=_("State"), choices=[("", _("Any state")), *ALIAS_STATES])

    def by_q(self, rows: Rows, query: str) -> Rows:
        """Search any part of them, in any case; fewer than three characters find only the beginnings of addresses."""
        if len(query) < SEARCH_CHARACTERS:
            return rows.filter(address__startswith=query.lower())
        searched: Rows = rows.alias(joined=joined("targets"))
        found = Q(comment__icontains=query)
        for part in spellings(query):
            found |= Q(address__contains=part) | Q(joined__contains=part)
        return searched.filter(found)

    def by_domain(self, rows: Rows, query: str) -> Rows:
        return rows.filter(domain__name=domain_name(query))

    def by_kind(self, rows: Rows, kind: str) -> Rows:
        return rows.filter(KINDS[kind][1])

    def by_state(self, rows: Rows, state: str) -> Rows:
        expired = Q(expires_at__lte=timezone.now())
        if state == "expired":
            return rows.filter(expired)
        return rows.filter(Q(expires_at=None) | ~expired, active=state == "active")
