"""The list of faults, worst first, and the judgement that it gives: the heading of the overview."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_stubs_ext import StrOrPromise

from popadmin.panel.attention import clients, domains, mailboxes, mta, mta_check, programs, site, work
from popadmin.panel.attention.fault import Evidence, Fault, SiteEvidence
from popadmin.web.formats import count

ROWS = 10  # that the page shows at first

CHECKS: tuple[Callable[[Evidence], Iterator[Fault]], ...] = (
    domains.full,
    mailboxes.full,
    mta.misled_mail,
    programs.problems,
    domains.near,
    mailboxes.nearly_full,
    domains.caps,
    work.imports,
    work.jobs,
)
SITE_CHECKS: tuple[Callable[[SiteEvidence], Iterator[Fault]], ...] = (
    site.disks,
    site.listeners,
    site.certificates,
    site.stored_mail,
    mta_check.mail_flow,
    site.sweep,
    clients.crowds,
    clients.old_tls,
)


@dataclass(frozen=True, slots=True)
class Ledger:
    """All faults, worst first, and how many checks found none."""

    faults: Sequence[Fault]
    quiet_count: int

    @property
    def first(self) -> Sequence[Fault]:
        return self.faults[:ROWS]

    @property
    def rest_count(self) -> int:
        return len(self.faults) - len(self.first)

    @property
    def fault_count(self) -> int:
        return sum(fault.count for fault in self.faults)

    def verdict(self, *, mailboxes: int) -> StrOrPromise:
        """Return the heading: the worst fault, or that all is well."""
        if self.faults:
            return self.faults[0].verdict or self.faults[0].text
        return _("All mail flows") if mailboxes else _("All is ready")

    def more(self) -> str:
        """Return how many other kinds of faults there are than the one of the heading; empty if there are none."""
        worst = self.faults[0] if self.faults else None
        of_heading = [fault for fault in self.faults if worst and (fault is worst or _is_told(fault, worst))]
        number = self.fault_count - sum(fault.count for fault in of_heading)
        text = ngettext(
            "%(number)s more thing needs attention.", "%(number)s more things need attention.", number
        ) % {"number": count(number)}  # fmt: skip
        return text if number else ""


def check(evidence: Evidence) -> list[list[Fault]]:
    """Make all checks of the domains that a user sees; return what each has found."""
    return [list(look(evidence)) for look in CHECKS]


def check_site(evidence: SiteEvidence) -> list[list[Fault]]:
    return [list(look(evidence)) for look in SITE_CHECKS]


def ledger(checked: Iterable[Sequence[Fault]]) -> Ledger:
    """Put what the checks have found in order."""
    found = list(checked)
    faults = sorted((fault for faults in found for fault in faults), key=lambda fault: fault.rank)
    return Ledger(faults, sum(not faults for faults in found))


def _is_told(fault: Fault, worst: Fault) -> bool:
    """Return whether the heading, which the worst fault gives, counts this fault too."""
    return bool(worst.verdict) and fault.verdict == worst.verdict
