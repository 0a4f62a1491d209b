"""The filters of the lists of domains and aliases."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mailstore.directory import alias_reach, domain_usage
from mailstore.models.columns import joined
from popadmin.lists.columns import Filters, ReadyView, Rows, Search, SearchBox
from popadmin.panel.search_terms import domain_name, domain_words, words_in
from popadmin.panel.usage_filters import stored
from popadmin.web.usage_share import NEAR_PERCENT

STATES: dict[str, tuple[Promise, Q]] = {
    "active": (pgettext_lazy("domain", "Active"), Q(active=True)),
    "suspended": (pgettext_lazy("domain", "Suspended"), Q(active=False)),
    "standing": (_("Alias of another domain"), Q(stands_for__isnull=False)),
}
HAS_QUOTA = Q(quota_octets__isnull=False)  # asked first: the sums of a domain cost more
USAGES: dict[str, tuple[Promise, Q]] = {
    "near": (_("90 % or more"), HAS_QUOTA & stored(NEAR_PERCENT, octets="stored")),
    "almost": (
        pgettext_lazy("domains", "Nearly full"),
        HAS_QUOTA & stored(NEAR_PERCENT, octets="stored") & Q(stored__lt=F("quota_octets")),
    ),
    "full": (pgettext_lazy("domains", "Full"), HAS_QUOTA & stored(100, octets="stored")),
    "free": (_("No quota"), Q(quota_octets=None)),
}
KINDS: dict[str, tuple[Promise, Q]] = {
    "alias": (_("Aliases"), Q(mailbox=None) & ~Q(address__startswith="@")),
    "forward": (_("Forwards of mailboxes"), Q(mailbox__isnull=False)),
    "catch-all": (_("Catch-alls"), Q(address__startswith="@")),
}
TARGETS = (("nobody", _("To nobody")), ("outside", _("Outside")))
ALIAS_STATES = (("active", _("Active")), ("off", _("Switched off")), ("expired", _("Expired")))


DOMAIN_VIEWS = (
    ReadyView(pgettext_lazy("domains", "Full"), {"usage": "full"}, "bad", is_costly=True),
    ReadyView(pgettext_lazy("domains", "Nearly full"), {"usage": "almost"}, "warn", is_costly=True),
    ReadyView(pgettext_lazy("domains", "Suspended"), {"state": "suspended"}),
    ReadyView(_("Aliases of other domains"), {"state": "standing"}),
)
ALIAS_VIEWS = (
    ReadyView(_("To nobody"), {"target": "nobody"}, "warn", is_costly=True),
    ReadyView(_("Outside"), {"target": "outside"}, is_costly=True),
    ReadyView(pgettext_lazy("aliases", "Expired"), {"state": "expired"}),
    ReadyView(pgettext_lazy("aliases", "Switched off"), {"state": "off"}),
    ReadyView(_("Catch-alls"), {"kind": "catch-all"}),
    ReadyView(_("Forwards of mailboxes"), {"kind": "forward"}, css="chip-less"),
)


class DomainFilters(Filters):
    q = SearchBox(label=_("Search domains"), placeholder=_("Part of a name"))
    state = forms.ChoiceField(
        label=_("State"), choices=[("", _("Any state")), *((name, label) for name, (label, _q) in STATES.items())]
    )
    usage = forms.ChoiceField(
        label=_("Usage"), choices=[("", _("Any usage")), *((name, label) for name, (label, _q) in USAGES.items())]
    )

    def by_q(self, rows: Rows, query: str) -> Rows:
        return rows.filter(domain_words(query))

    def by_state(self, rows: Rows, state: str) -> Rows:
        return rows.filter(STATES[state][1])

    def by_usage(self, rows: Rows, usage: str) -> Rows:
        summed: Rows = rows.alias(stored=domain_usage.octets())
        return summed.filter(USAGES[usage][1])


class AliasFilters(Filters):
    q = Search(label=_("Search aliases"), placeholder=_("Address, target or comment"))
    domain = forms.CharField(label=_("Domain"), max_length=254)
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[("", _("Any kind")), *((name, label) for name, (label, _q) in KINDS.items())]
    )
    state = forms.ChoiceField(label=_("State"), choices=[("", _("Any state")), *ALIAS_STATES])
    target = forms.ChoiceField(label=_("Leads"), choices=[("", _("Anywhere")), *TARGETS])

    def __init__(self, *args: Any, domains: Collection[int] | None = None, **kwargs: Any) -> None:
        """`domains` are those that the user may see; None for all."""
        super().__init__(*args, **kwargs)
        self._domains = domains

    def by_q(self, rows: Rows, query: str) -> Rows:
        return rows.filter(words_in(query, "address", joined("targets"), "comment", beginnings=["address"]))

    def by_domain(self, rows: Rows, query: str) -> Rows:
        return rows.filter(domain__name=domain_name(query))

    def by_kind(self, rows: Rows, kind: str) -> Rows:
        return rows.filter(KINDS[kind][1])

    def by_state(self, rows: Rows, state: str) -> Rows:
        expired = Q(expires_at__lte=timezone.now())
        if state == "expired":
            return rows.filter(expired)
        return rows.filter(Q(expires_at=None) | ~expired, active=state == "active")

    def by_target(self, rows: Rows, target: str) -> Rows:
        leads = alias_reach.leads_to_nobody if target == "nobody" else alias_reach.leads_outside
        return rows.filter(leads(self._domains))
