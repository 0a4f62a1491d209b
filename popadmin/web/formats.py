"""Format sizes, counts and moments for the reader: in their language, and in the time zone of their browser."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.formats import date_format, get_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

GROUPED = 1000  # smaller numbers look the same in every language; a list has a hundred of them
STEP = 1024  # the units of quotas: powers of 1024, as mailstore.policy.quota reads them
SIZE_UNITS = (
    pgettext_lazy("unit", "KB"),
    pgettext_lazy("unit", "MB"),
    pgettext_lazy("unit", "GB"),
    pgettext_lazy("unit", "TB"),
)
JUST_NOW_SECONDS = 60
SECONDS_SHOWN = 60  # longer durations are given in minutes only
WORDS_SECONDS = 30 * 86400  # beyond it, a date is clearer than "2 months"
TIME_UNITS: tuple[tuple[int, Callable[[int], str]], ...] = (
    (7 * 86400, lambda number: ngettext("%(number)d week", "%(number)d weeks", number)),
    (86400, lambda number: ngettext("%(number)d day", "%(number)d days", number)),
    (3600, lambda number: ngettext("%(number)d hour", "%(number)d hours", number)),
    (60, lambda number: ngettext("%(number)d minute", "%(number)d minutes", number)),
)


def size(octets: int) -> str:
    """Format octets: `1.5 GB`, in French `1,5 Go`; below 1 KB the exact number."""
    if octets < STEP:
        return ngettext("%(count)s byte", "%(count)s bytes", octets) % {"count": octets}
    amount, unit = _scaled(octets)
    return f"{amount:.1f}\N{NO-BREAK SPACE}{unit}".replace(".", get_format("DECIMAL_SEPARATOR"), 1)


def size_or_none(octets: int | None) -> str:
    """Format a quota; None means no quota."""
    return _("no limit") if octets is None else size(octets)


def count(number: int) -> str:
    """Format a number: `12,345`, in French `12 345`."""
    return str(number) if 0 <= number < GROUPED else number_format(number, force_grouping=True)


def moment(at: datetime.datetime | None, nothing: str | None = None) -> SafeString | str:
    """Return `<time>` with "2 days ago", "in 3 hours" or the date; without a moment `nothing`, else "never"."""
    if at is None:
        return format_html('<span class="nothing">{}</span>', _("never") if nothing is None else nothing)
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact(at), _words(at))


def at(moment: datetime.datetime) -> SafeString:
    """Return `<time>` with date and time, where events follow each other."""
    local = timezone.localtime(moment)
    day, time = date_format(local, "DATE_FORMAT"), date_format(local, "TIME_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}, {}</time>', moment.isoformat(), exact(moment), day, time)


def day(moment: datetime.datetime, shape: str = "DATE_FORMAT") -> SafeString:
    """Return `<time>` with the date only."""
    date_text = date_format(timezone.localtime(moment), shape)
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact(moment), date_text)


def lasted(began: datetime.datetime, ended: datetime.datetime) -> str:
    """Return a duration in words: `12 seconds`, `3 minutes`."""
    seconds = round((ended - began).total_seconds())
    if seconds < SECONDS_SHOWN:
        return ngettext("%(number)d second", "%(number)d seconds", seconds) % {"number": seconds}
    return _number(seconds)


def exact(at: datetime.datetime) -> str:
    """Return the time to the minute, with the zone: `26/11/2026 07:47 CET`."""
    local = timezone.localtime(at)
    return f"{date_format(local, 'SHORT_DATETIME_FORMAT')} {local.tzname()}"


def _scaled(octets: int) -> tuple[float, StrOrPromise]:
    """Return the amount in the largest unit that leaves at least 1, after rounding."""
    amount = octets / STEP
    for unit in SIZE_UNITS[:-1]:
        if round(amount, 1) < STEP:
            return amount, unit
        amount /= STEP
    return amount, SIZE_UNITS[-1]


def _words(at: datetime.datetime) -> str:
    """Return the largest unit only; Django's `timesince` costs ten times as much, and lists have fifty of it."""
    seconds = (timezone.now() - at).total_seconds()
    away = abs(seconds)
    if away < JUST_NOW_SECONDS:
        return _("just now")
    if away >= WORDS_SECONDS:
        return date_format(timezone.localtime(at), "DATE_FORMAT")
    words = _number(away)
    return _("%(time)s ago") % {"time": words} if seconds > 0 else _("in %(time)s") % {"time": words}


def _number(seconds: float) -> str:
    unit, words = next((unit, words) for unit, words in TIME_UNITS if seconds >= unit)
    number = int(seconds // unit)
    return (words(number) % {"number": number}).replace(" ", "\N{NO-BREAK SPACE}")
