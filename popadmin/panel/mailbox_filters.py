"""The filters of the mailbox list. Every number of the overview is one of these filters, and links here."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.functional import Promise, cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mailstore.models import Domain, Finding, Mailbox, User
from popadmin.lists.columns import Filters, ReadyView, Rows, Search, Suggested
from popadmin.panel import access
from popadmin.panel.search_terms import address_or_name, domain_name, domain_words
from popadmin.panel.usage_filters import NO_QUOTA, nearly_full, used
from popadmin.web.usage_share import NEAR_PERCENT

STATES: dict[str, tuple[Promise, Q]] = {
    "active": (pgettext_lazy("mailbox", "Active"), Q(user__is_active=True, domain__active=True)),
    "suspended": (pgettext_lazy("mailbox", "Suspended"), Q()),  # see `suspended`
    "held": (_("On hold"), Q(held=True)),
    "closed": (_("Receiving switched off"), Q(receives=False)),
    "no-pop": (_("POP switched off"), Q(pop=False)),
    "no-smtp": (_("Sending switched off"), Q(smtp=False)),
    "no-web": (_("Web switched off"), Q(web=False)),
    "devices-only": (_("POP for devices only"), Q(main_pop=False)),
}


def suspended(domains: Collection[int]) -> Q:
    """Return the condition of suspended mailboxes: by user, or in the suspended `domains`. Each half has its own index.

    Without such a domain, Postgres can begin with the few suspended users.
    """
    if not domains:
        return Q(user__is_active=False)
    by_user = Mailbox.objects.filter(user__is_active=False).values("pk")
    return Q(pk__in=by_user.union(Mailbox.objects.filter(domain__in=domains).values("pk"), all=True))


USAGES: dict[str, tuple[Promise, Q]] = {
    "75": (_("75 % or more"), used(75)),
    "90": (_("90 % or more"), used(NEAR_PERCENT)),
    "near": (_("Nearly full"), nearly_full()),
    "100": (_("Full"), used(100)),
    "free": (_("No quota"), NO_QUOTA),
}
SIGN_INS = {"never": (_("Never"), None), "once": (_("At least once"), None)}
SILENT_DAYS = 45  # after so long, a device does not count by default
IDLE_DAYS = (30, SILENT_DAYS, 90, 365)  # suggested
IDLE_DAYS_MOST = 36_500  # a century; a date is still in the calendar

_FINDINGS: dict[str, tuple[Promise, None]] = {kind.value: (capfirst(kind.label), None) for kind in Finding.Kind}


VIEWS = (
    ReadyView(_("Refusing"), {"usage": "100"}, "bad"),
    ReadyView(_("Nearly full"), {"usage": "near"}, "warn"),
    ReadyView(_("With problems"), {"finding": "any"}, "warn"),
    ReadyView(pgettext_lazy("mailboxes", "Suspended"), {"state": "suspended"}),
    ReadyView(_("Receives nothing"), {"state": "closed"}, css="chip-less"),
    ReadyView(_("Never signed in"), {"seen": "never"}),
    ReadyView(_("Silent for 45 days"), {"idle": SILENT_DAYS}, css="chip-less"),
)


class MailboxFilters(Filters):
    q = Search(label=_("Search mailboxes"), placeholder=_("Address, name or domain"))
    domain = forms.CharField(label=_("Domain"), max_length=254)
    state = forms.ChoiceField(label=_("State"))
    usage = forms.ChoiceField(label=_("Usage"))
    seen = forms.ChoiceField(label=_("Last sign-in"))
    idle = forms.IntegerField(
        label=_("No sign-in for (days)"), min_value=1, max_value=IDLE_DAYS_MOST, widget=Suggested(IDLE_DAYS)
    )
    policy = forms.ChoiceField(label=_("Retention"))
    finding = forms.ChoiceField(label=_("Problems"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer("state", _("Any state"), STATES)
        self._offer("usage", _("Any usage"), USAGES)
        self._offer("seen", _("Any time"), SIGN_INS)
        self._policies = {str(policy.pk): policy for policy in access.policies(user).order_by("name")}
        policies = {key: (policy.name, policy) for key, policy in self._policies.items()}
        self._offer("policy", _("Any policy"), {**policies, "none": (_("None: all mail is kept"), None)})

        self._offer("finding", _("With or without problems"), {"any": (_("Any problem"), None), **_FINDINGS})

    def _offer(self, name: str, anything: Promise, choices: dict[str, tuple[Any, Any]]) -> None:
        offered = [("", anything), *((key, label) for key, (label, _what) in choices.items())]
        self.fields[name].choices = offered  # type: ignore[attr-defined]  # a field of choices

    def by_q(self, rows: Rows, query: str) -> Rows:
        return rows.filter(address_or_name(query, "user__"))

    def by_domain(self, rows: Rows, query: str) -> Rows:
        """Filter by the domain of this name; if there is none, by every domain that contains the name."""
        exact = rows.filter(domain__name=domain_name(query))
        return exact if exact.exists() else rows.filter(domain_words(query, "domain__name"))

    def by_state(self, rows: Rows, state: str) -> Rows:
        if state == "suspended":
            return rows.filter(suspended(self._suspended_domains))
        return rows.filter(STATES[state][1])

    @cached_property
    def _suspended_domains(self) -> list[int]:
        return list(Domain.objects.filter(active=False).values_list("pk", flat=True))

    def by_usage(self, rows: Rows, usage: str) -> Rows:
        return rows.filter(USAGES[usage][1])

    def by_seen(self, rows: Rows, seen: str) -> Rows:
        return rows.filter(last_sign_in_at__isnull=seen == "never")

    def by_idle(self, rows: Rows, days: int) -> Rows:
        """Filter by days without a sign-in; without any sign-in, the days count from the creation of the mailbox."""
        since = timezone.now() - timedelta(days=days)
        return rows.filter(Q(last_sign_in_at__lt=since) | Q(last_sign_in_at=None, created_at__lt=since))

    def by_policy(self, rows: Rows, key: str) -> Rows:
        """Filter by the policy in force: the mailbox's own, else its domain's, else the site policy."""
        policy = self._policies.get(key)
        of_site = any(each.site for each in self._policies.values()) if policy is None else policy.site
        inherited = Q(policy=None, domain__policy=None)
        if policy is None:
            return rows.none() if of_site else rows.filter(inherited)
        own = Q(policy=policy) | Q(policy=None, domain__policy=policy)
        return rows.filter(own | inherited if of_site else own)

    def by_finding(self, rows: Rows, kind: str) -> Rows:
        found = Finding.objects.filter(mailbox=OuterRef("pk"))
        return rows.filter(Exists(found if kind == "any" else found.filter(kind=kind)))
