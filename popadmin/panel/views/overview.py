"""The start page of admins: what is wrong, how mail flows, which domains grew; and the page of the parts."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.views.generic import TemplateView

from mailstore.directory.site_figures import SiteFigures
from mailstore.mta import last_check
from popadmin.panel import access, daily_traffic, menu_counts, overview_stats, site_facts
from popadmin.panel.attention.fault import Evidence, SiteEvidence
from popadmin.panel.attention.ledger import check, check_site, ledger
from popadmin.web import people, site_parts
from popadmin.web.certificates import certificates
from popadmin.web.people import signed_in
from popadmin.web.site_parts import disks

ALL = "all"  # in the query string: show every fault


class Overview(access.AdminPage, TemplateView):
    template_name = "panel/overview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        figures = menu_counts.figures(self.request, user)
        totals = overview_stats.totals(user, mailboxes=figures.counts.mailboxes)
        site = _site_evidence(figures) if people.is_host(user) else None
        checked = check(Evidence(user, figures, totals, timezone.now()))
        found = ledger([*checked, *check_site(site)] if site else checked)
        menu_counts.note_faults(self.request, found.fault_count)
        mark = overview_stats.tally_mark()
        parts = site_facts.rows(site.parts, site.disks, site.certificates) if site else []
        return super().get_context_data(
            **kwargs,
            host=site is not None,
            totals=totals,
            domains=figures.domains,
            verdict=found.verdict(mailboxes=totals.total.mailboxes),
            ledger=found,
            faults=found.faults if ALL in self.request.GET else found.first,
            flows=daily_traffic.flows(daily_traffic.days(user)),
            counted_at=mark.counted_at,
            hours_until=mark.hours_until,
            grown=totals.grown,
            parts=parts,
            parts_summary=site_facts.summary(parts),
        )


class SiteParts(access.HostPage, TemplateView):
    """All parts of the site, its disks, and all certificates; what is wrong comes first."""

    template_name = "panel/site_parts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        site = _site_evidence(menu_counts.figures_now(self.request, signed_in(self.request)))
        return super().get_context_data(
            **kwargs,
            ledger=ledger(check_site(site)),
            parts=site_facts.rows(site.parts, [], []),
            disks=site.disks,
            certificates=site.certificates,
            stored_mail=site_parts.stored_mail(),
        )


def _site_evidence(figures: SiteFigures) -> SiteEvidence:
    parts = site_parts.parts(figures.heartbeats, figures.swept_at)
    served = certificates(figures.certificate_reports)
    flow = last_check.read(figures.mail_flow)
    return SiteEvidence(timezone.now(), parts, disks(), served, figures.damaged, figures.crowded, flow)
