"""The start page of admins: totals, activity, and what needs attention; each number links to its list."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from popadmin.panel import access, overview_stats
from popadmin.panel.usage_filters import NEAR_PERCENT
from popadmin.web import people, site_parts
from popadmin.web.certificates import certificates
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in
from popadmin.web.site_parts import disks


class Overview(access.AdminPage, TemplateView):
    template_name = "panel/overview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        domains, suspended_domains = overview_stats.domains(user)
        totals = overview_stats.totals(user, suspended_domains)
        days = overview_stats.days(user)
        host = people.is_host(user)
        return super().get_context_data(
            **kwargs,
            domains=domains,
            totals=totals,
            total=totals.total,
            finding_count=overview_stats.with_findings(user),
            near_percent=NEAR_PERCENT,
            largest=overview_stats.largest(user, totals.largest),
            days=days,
            delivered=sum(day.deliveries for day in days),
            signed_in=sum(day.sign_ins for day in days),
            refused=sum(day.refused for day in days),
            counted_at=overview_stats.counted_at(),
            host=host,
            parts=site_parts.parts() if host else [],
            disks=[disk for disk in disks() if disk.trouble] if host else [],
            certificates=certificates()[: overview_stats.LARGEST] if host else [],
            stored_mail=site_parts.stored_mail(named=0) if host else None,
        )


class SiteParts(access.HostPage, TemplateView):
    """All parts of the site, and all certificates; the overview shows only the one that expires first."""

    template_name = "panel/site_parts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        overview = [breadcrumb(_("Overview"), "overview")]
        return super().get_context_data(
            **kwargs,
            parts=site_parts.parts(),
            disks=disks(),
            certificates=certificates(),
            stored_mail=site_parts.stored_mail(),
            breadcrumbs=overview,
        )
