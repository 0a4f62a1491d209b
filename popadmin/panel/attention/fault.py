"""One fault, and what the functions that look for faults are given."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django_stubs_ext import StrOrPromise

from mailstore.directory.site_figures import SiteFigures
from mailstore.models import User
from mailstore.mta.last_check import LastCheck
from popadmin.lists.columns import midnight
from popadmin.panel.overview_stats import Totals
from popadmin.web.certificates import Certificate
from popadmin.web.formats import day, moment
from popadmin.web.site_parts import Disk, Part

NAMED_MOST = 5  # faults of one kind that have a row each; one row stands for the others
BAD, WARN, NOTE = "bad", "warn", "note"
ICONS = {BAD: "exclamation-octagon-fill", WARN: "exclamation-triangle-fill", NOTE: "hourglass-split"}


class Rank(IntEnum):
    """The kinds of faults, worst first. Up to CERTIFICATE_ENDED something fails now."""

    DISK = 1
    LISTENER = 2
    DOMAIN_FULL = 3
    MAILBOX_FULL = 4
    UNEXPANDED = 5
    MAIL_LOOP = 6
    CERTIFICATE_ENDED = 7
    CERTIFICATE = 8
    DISK_LOW = 9
    STORED_MAIL = 10
    MAIL_FLOW = 11
    SWEEP = 12
    OLD_PASSWORD = 13
    DOMAIN_NEAR = 14
    MAILBOX_NEAR = 15
    PROGRAM = 16
    CROWD = 17
    CAP = 18
    IMPORT = 19
    JOB = 20
    OLD_TLS = 21


@dataclass(frozen=True, slots=True)
class Fault:
    """A row: what is wrong, what follows, since when or until when, and the link `remedy` to the page that mends it.

    `verdict` is the heading of the page if this is the worst fault; empty: `text` is. A row may stand for several
    faults: `count`.
    """

    rank: Rank
    level: str
    text: StrOrPromise
    consequence: StrOrPromise
    remedy: StrOrPromise
    url: str
    when: StrOrPromise = ""
    verdict: StrOrPromise = ""
    count: int = 1

    @property
    def icon(self) -> str:
        return ICONS[self.level]

    @property
    def icon_css(self) -> str:
        return "icon-soft" if self.level == NOTE else f"icon-{self.level}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the domains that a user sees, before somebody looks closer."""

    user: User
    figures: SiteFigures
    totals: Totals
    now: datetime.datetime


@dataclass(frozen=True, slots=True)
class SiteEvidence:
    """What is known of the site itself, which only hosting admins see. `damaged`: some stored mail is.

    `crowded` are the networks in which an address has too many connections day after day.
    """

    now: datetime.datetime
    parts: Sequence[Part]
    disks: Sequence[Disk]
    certificates: Sequence[Certificate]
    damaged: bool
    crowded: Sequence[str]
    mail_flow: LastCheck


def since(at: datetime.datetime | None) -> str:
    """Return "since Sun 14:05"; empty where nobody knows."""
    return "" if at is None else format_html(_("since {at}"), at=moment(at))


def since_day(date: datetime.date | None) -> str:
    """Return "since 12 Nov"; empty where nobody knows."""
    return "" if date is None else format_html(_("since {at}"), at=day(midnight(date)))


def found(at: datetime.datetime | None) -> str:
    return "" if at is None else format_html(_("found {at}"), at=moment(at))
