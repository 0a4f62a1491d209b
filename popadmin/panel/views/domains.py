"""The lists of domains and of removed domains."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mailstore.directory import domain_usage, removal_state
from mailstore.directory.fields.domain import DOMAIN
from mailstore.models import Domain
from popadmin.lists.columns import Column, Exported, Rows, exported_fields
from popadmin.lists.views import EXPORT, ListPage
from popadmin.panel import access
from popadmin.panel.domain_filters import DOMAIN_VIEWS, DomainFilters
from popadmin.panel.removed_filters import RemovedDomainFilters
from popadmin.panel.row_page import DOMAINS
from popadmin.web import people
from popadmin.web.people import signed_in

ANOTHER = _("another domain")


class Domains(access.AdminPage, ListPage):
    template_name = "panel/domains.html"
    name = "domains"
    filters = DomainFilters
    views = DOMAIN_VIEWS
    columns = (
        Column("name", _("Domain"), F("name")),
        Column("state", _("State")),
        Column("stored", _("Storage"), domain_usage.octets(), down=True),
        Column("mailboxes", _("Mailboxes"), domain_usage.mailboxes(), down=True, css="n c-more"),
        Column("aliases", _("Aliases"), domain_usage.aliases(), down=True, css="n c-more"),
        Column("allotted", _("Allotted"), domain_usage.allotted_octets(), down=True, css="n c-more c-least"),
        Column("delivered", _("Deliveries, 30 days"), domain_usage.delivered(), down=True, css="n c-more"),
        Column("made", _("Created"), F("created_at"), down=True, css="n c-more c-least"),
    )
    exported = (
        Exported(_("Domain"), lambda row: row.name),
        *exported_fields(DOMAIN, stands_for=lambda row: row.other or (row.stands_for_id and ANOTHER) or ""),
        Exported(_("Mailboxes"), lambda row: row.mailboxes),
        Exported(_("Aliases"), lambda row: row.aliases),
        Exported(_("Messages"), lambda row: row.messages),
        Exported(_("Bytes"), lambda row: row.octets),
        Exported(_("Bytes allotted"), lambda row: row.allotted_octets),
        Exported(_("Deliveries, 30 days"), lambda row: row.delivered),
    )
    row_fields = ("name", "active", "stands_for", "quota_octets", "mailbox_limit", "alias_limit", "created_at")

    def rows(self) -> Rows:
        user = signed_in(self.request)
        rows = access.naming_other(access.domains(user), user)
        rows = rows.select_related("policy") if EXPORT in self.request.GET else rows
        return domain_usage.counted(rows).annotate(delivered=domain_usage.delivered())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the URLs that the numbers of each row lead to, looked up once per page."""
        return super().get_context_data(
            **kwargs,
            host=people.is_host(signed_in(self.request)),
            mailboxes=reverse("mailboxes"),
            aliases=reverse("aliases"),
        )


class Removed(access.HostPage, ListPage):
    template_name = "panel/domains_removed.html"
    name = "domains-removed"
    filters = RemovedDomainFilters
    columns = (
        Column("name", _("Domain"), F("name")),
        Column("at", pgettext_lazy("domain", "Removed"), F("removed_at"), down=True, css="c-more"),
        Column("until", pgettext_lazy("domain", "Deleted for good")),
        Column("mailboxes", _("Mailboxes"), css="n c-more"),
        Column("stored", _("Storage"), css="n c-more"),
        Column("do", _("Actions")),
    )
    exported = (
        Exported(_("Domain"), lambda row: row.name),
        Exported(pgettext_lazy("domain", "Removed"), lambda row: row.removed_at.isoformat()),
        Exported(_("Removed by"), lambda row: row.removed_by),
        Exported(
            pgettext_lazy("domain", "Deleted for good"),
            lambda row: "" if row.purge_requested_at else removal_state.kept_until(row.removed_at).isoformat(),
        ),
        Exported(_("Mailboxes"), lambda row: row.mailboxes),
        Exported(_("Messages"), lambda row: row.messages),
        Exported(_("Bytes"), lambda row: row.octets),
    )

    def rows(self) -> Rows:
        return domain_usage.counted(Domain.objects.filter(removed_at__isnull=False))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs, breadcrumbs=[DOMAINS])
        for row in context["page"].rows:
            row.kept_until = removal_state.kept_until(row.removed_at)
        return context
