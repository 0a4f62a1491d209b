"""What the menu shows admins on every page: how many faults, domains, mailboxes and others there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from mailstore.directory import site_figures
from mailstore.directory.site_figures import SiteFigures
from mailstore.models import User
from mailstore.mta import last_check
from popadmin.web import people, site_parts
from popadmin.web.certificates import certificates

KEPT_FROM = 5000  # mailboxes; fewer are counted for every page, in two milliseconds
KEPT_SECONDS = 20  # in each process of the web server
_FIGURES, _FAULTS = "_site_figures", "_fault_count"  # attributes of a request


def figures(request: HttpRequest, user: User) -> SiteFigures:
    """Return the figures of the user, read once for each request.

    Those of a large site are reused for some seconds, unless somebody changed something.
    """
    if not hasattr(request, _FIGURES):
        kept: SiteFigures | None = cache.get(_key(user))
        if kept is None or site_figures.is_changed(kept):
            return figures_now(request, user)
        setattr(request, _FIGURES, kept)
    return cast("SiteFigures", getattr(request, _FIGURES))


def figures_now(request: HttpRequest, user: User) -> SiteFigures:
    """Return the figures of the user as they are now. The menu of this page shows them too."""
    found = site_figures.read(user)
    if found.counts.mailboxes >= KEPT_FROM:
        cache.set(_key(user), found, KEPT_SECONDS)
    setattr(request, _FIGURES, found)
    return found


def note_faults(request: HttpRequest, faults: int) -> None:
    """Let the menu of this page show the number that the page itself has found."""
    setattr(request, _FAULTS, faults)


def counts(request: HttpRequest, user: User) -> Mapping[str, int]:
    """Return the numbers by the URL names of the menu's items; empty for users who are no admins."""
    if not people.is_admin(user):
        return {}
    seen = figures(request, user)
    faults = getattr(request, _FAULTS, None)
    found = {
        "overview": fault_count(seen, host=people.is_host(user)) if faults is None else faults,
        "domains": seen.domains,
        "mailboxes": seen.counts.mailboxes,
        "aliases": seen.counts.aliases,
        "policies": seen.policies,
    }
    return {**found, "admins": seen.admins} if people.is_host(user) else found


def fault_count(seen: SiteFigures, *, host: bool) -> int:
    """Count the faults of `attention` without looking for them, except those of disks.

    A disk elsewhere that does not answer would stop every page.
    """
    totals = seen.counts
    summed = (totals.near > totals.full, totals.near_domains, totals.capped_domains, seen.damaged)
    faults = totals.full + totals.full_domains + sum(map(bool, summed))
    faults += len(seen.finding_kinds) + seen.imports + seen.jobs
    return faults + _site_faults(seen) if host else faults


def _site_faults(seen: SiteFigures) -> int:
    parts = site_parts.parts(seen.heartbeats, seen.swept_at)
    wrong_certificates = sum(each.wrong for each in certificates(seen.certificate_reports))
    clients = bool(seen.crowded) + bool(settings.POP3S_LEGACY_LISTEN)
    flow = last_check.read(seen.mail_flow)
    is_flow_doubtful = bool(flow.bad) or flow.is_overdue(timezone.now())
    return sum(not part.good for part in parts) + wrong_certificates + clients + is_flow_doubtful


def _key(user: User) -> str:
    return f"site-figures:{user.pk}"
