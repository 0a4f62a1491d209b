"""What the panel's lists are narrowed by."""

from __future__ import annotations

from django import forms
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from popadmin.lists.columns import Filters, Rows

STATES: dict[str, tuple[Promise, Q]] = {
    "active": (pgettext_lazy("mailbox", "Active"), Q(user__is_active=True, domain__active=True)),
    "suspended": (pgettext_lazy("mailbox", "Suspended"), Q(user__is_active=False) | Q(domain__active=False)),
    "held": (_("On hold"), Q(held=True)),
    "closed": (_("Takes no mail in"), Q(receives=False)),
    "no-pop": (_("POP switched off"), Q(pop=False)),
    "no-web": (_("Web switched off"), Q(web=False)),
}


class MailboxFilters(Filters):
    q = forms.CharField(label=_("Search address or name"), max_length=254)
    domain = forms.CharField(label=_("Domain"), max_length=254)
    state = forms.ChoiceField(
        label=_("State"), choices=[("", _("Any state")), *((name, label) for name, (label, _q) in STATES.items())]
    )

    def by_q(self, rows: Rows, typed: str) -> Rows:
        return rows.filter(Q(user__address__icontains=typed) | Q(user__name__icontains=typed))

    def by_domain(self, rows: Rows, name: str) -> Rows:
        return rows.filter(domain__name=name.lower())

    def by_state(self, rows: Rows, state: str) -> Rows:
        return rows.filter(STATES[state][1])
