"""The list of retention policies."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from popadmin.lists.columns import Column, Exported, Filters, ReadyView, Rows, SearchBox
from popadmin.lists.views import ListPage
from popadmin.panel import access, policy_use
from popadmin.panel.search_terms import words_anywhere
from popadmin.templatetags.policies import leaving_rules
from popadmin.web import people
from popadmin.web.formats import facts
from popadmin.web.people import signed_in

# What the ready-made views find; of mailboxes, those that have chosen the policy themselves.
USES: dict[str, tuple[Promise, Q]] = {
    "used": (pgettext_lazy("policies", "In use"), Q(domains__gt=0) | Q(mailboxes__gt=0) | Q(site=True)),
    "unused": (pgettext_lazy("policies", "Not used"), Q(domains=0, mailboxes=0, site=False)),
    "offered": (pgettext_lazy("policies", "Offered to domain admins"), Q(offered=True)),
}


class PolicyFilters(Filters):
    q = SearchBox(label=gettext_lazy("Search policies"), placeholder=gettext_lazy("Part of a name"))
    use = forms.ChoiceField(
        label=gettext_lazy("Use"),
        choices=[("", gettext_lazy("Any use")), *((use, label) for use, (label, _q) in USES.items())],
    )

    @classmethod
    def views(cls) -> tuple[ReadyView, ...]:
        return tuple(ReadyView(label, {"use": use}) for use, (label, _q) in USES.items())

    def by_q(self, rows: Rows, query: str) -> Rows:
        return rows.filter(words_anywhere(query, "name"))

    def by_use(self, rows: Rows, use: str) -> Rows:
        return rows.filter(USES[use][1])


class Policies(access.AdminPage, ListPage):
    template_name = "panel/policies.html"
    name = "policies"
    filters = PolicyFilters
    columns = (
        Column("name", gettext_lazy("Policy"), F("name")),
        Column("state", gettext_lazy("State")),
        Column("rules", gettext_lazy("Rules")),
        Column("domains", gettext_lazy("Domains"), F("domains"), down=True, css="n c-more"),
        Column("mailboxes", gettext_lazy("Mailboxes"), css="n"),
    )
    exported = (
        Exported(gettext_lazy("Policy"), lambda row: row.name),
        Exported(gettext_lazy("Rules"), lambda row: facts(leaving_rules(row))),
        Exported(gettext_lazy("Site policy"), lambda row: row.site),
        Exported(pgettext_lazy("policy", "Offered"), lambda row: row.offered),
        Exported(gettext_lazy("Domains that chose it"), lambda row: row.domains),
        Exported(gettext_lazy("Mailboxes that chose it"), lambda row: row.mailboxes),
    )

    def rows(self) -> Rows:
        return policy_use.with_use(signed_in(self.request))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add to each policy of the page how many mailboxes use it."""
        user = signed_in(self.request)
        context = super().get_context_data(**kwargs, host=people.is_host(user))
        counts = policy_use.followers(user)
        for policy in context["page"].rows:
            policy.follower_count = counts.get(policy.pk, 0)
        return context
