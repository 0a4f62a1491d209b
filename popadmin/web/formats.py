"""Format sizes, counts and moments for the reader: in their language, by the habits of their region, in their zone."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from mailstore.amount_text import NBSP, count, percent, size, size_or_none, used_of
from popadmin.web import region

__all__ = (
    "ago",
    "at",
    "calendar_day",
    "clock",
    "count",
    "day",
    "day_and_month",
    "exact",
    "facts",
    "fill",
    "lasted",
    "long_date",
    "moment",
    "percent",
    "short_date",
    "size",
    "size_or_none",
    "used_of",
    "weekday_date",
)

WEEK_DAYS = 7
NOON = 12
JUST_NOW_SECONDS = 60
LIVE_SECONDS = 3600  # beyond it, a time of day is clearer than "7 hours ago"
SECONDS_SHOWN = 60  # longer durations are given in minutes only
TIME_UNITS: tuple[tuple[int, Callable[[int], str]], ...] = (
    (7 * 86400, lambda number: ngettext("%(number)d week", "%(number)d weeks", number)),
    (86400, lambda number: ngettext("%(number)d day", "%(number)d days", number)),
    (3600, lambda number: ngettext("%(number)d hour", "%(number)d hours", number)),
    (60, lambda number: ngettext("%(number)d minute", "%(number)d minutes", number)),
)
# The short names of each language of the site. Django's own are longer in English, and without a full stop in French.
_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "fr": ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
}
_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "fr": ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
}


def moment(at: datetime.datetime | None, nothing: str | None = None) -> SafeString | str:
    """Return `<time>`: today `09:42`, then `Sun 14:05`, `12 Nov`, `2025-11-12`; without a moment `nothing` or "never".

    The next days are `Thu 3 Dec`, as "Thu" alone would be the last one.
    """
    if at is None:
        return format_html('<span class="nothing">{}</span>', _("never") if nothing is None else nothing)
    zone = timezone.get_current_timezone()
    return _time(at, _near(at.astimezone(zone), timezone.now().astimezone(zone).date()))


def ago(at: datetime.datetime | None, nothing: str | None = None) -> SafeString | str:
    """Return `<time>` with "4 minutes ago", for what is live: within an hour. Otherwise as `moment`."""
    if at is None or not 0 <= (seconds := (timezone.now() - at).total_seconds()) < LIVE_SECONDS:
        return moment(at, nothing)
    if seconds < JUST_NOW_SECONDS:
        return _time(at, _("just now"))
    return _time(at, _("%(time)s ago") % {"time": _number(seconds)})


def at(moment: datetime.datetime) -> SafeString:
    """Return `<time>` with the date and the time to the second, for logs and drawers: `2026-11-30 09:42:07`."""
    return _time(moment, f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}")


def day(moment: datetime.datetime) -> SafeString:
    """Return `<time>` with the date only: `12 Nov`, of another year `2025-11-12`."""
    return _time(moment, short_date(timezone.localtime(moment).date()))


def clock(at: datetime.datetime) -> SafeString:
    """Return `<time>` with the time of day, below a heading that has the date: `09:42`."""
    return _time(at, _clock(timezone.localtime(at)))


def exact(at: datetime.datetime) -> str:
    """Return the time to the second, with the zone: `2026-11-26 07:47:00 CET`."""
    local = timezone.localtime(at)
    return f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"


def calendar_day(date: datetime.date, text: str, zone: datetime.tzinfo | None = None) -> SafeString:
    """Return `<time>` of a whole day, with one of the texts below; `zone` is that of the day, else the reader's."""
    noon = datetime.datetime.combine(date, datetime.time(NOON), zone or timezone.get_current_timezone())
    return format_html('<time datetime="{0}" title="{0} {1}">{2}</time>', date.isoformat(), noon.tzname(), text)


def fill(text: str, **values: str) -> str:
    """Fill in a text such as `%(what)s: %(value)s`. With a `<time>` among the values it is HTML, else plain text."""
    if not any(isinstance(value, SafeString) for value in values.values()):
        return text % values
    return SafeString(text % {name: conditional_escape(value) for name, value in values.items()})


def facts(texts: Iterable[str]) -> str:
    """Join them with the semicolon of the language, without the empty ones. With a `<time>` in one it is HTML."""
    shown, semicolon = list(filter(None, texts)), pgettext("between two facts", "; ")
    if any(isinstance(text, SafeString) for text in shown):
        return SafeString(semicolon.join(map(conditional_escape, shown)))
    return semicolon.join(shown)


def short_date(date: datetime.date) -> str:
    """Return `12 Nov`, of another year `2025-11-12`."""
    return day_and_month(date) if date.year == timezone.localdate().year else date.isoformat()


def day_and_month(date: datetime.date) -> str:
    """Return `12 Nov` whatever the year, for the axis of a chart; where the month comes first, `Nov 12`."""
    month = _MONTHS[_language()][date.month - 1]
    return f"{month}{NBSP}{date.day}" if _american() else f"{date.day}{NBSP}{month}"


def weekday_date(date: datetime.date) -> str:
    """Return `Thu 3 Dec`; where the month comes first, `Thu, Dec 3`."""
    comma = "," if _american() else ""
    return f"{_WEEKDAYS[_language()][date.weekday()]}{comma} {day_and_month(date)}"


def long_date(date: datetime.date) -> str:
    """Return `Thursday 3 December`, for a sentence; where the month comes first, `Thursday, December 3`."""
    return date_format(date, "l, F j" if _american() else "l j F")


def lasted(began: datetime.datetime, ended: datetime.datetime) -> str:
    """Return a duration in words: `12 seconds`, `3 minutes`."""
    seconds = round((ended - began).total_seconds())
    if seconds < SECONDS_SHOWN:
        return ngettext("%(number)d second", "%(number)d seconds", seconds) % {"number": seconds}
    return _number(seconds)


def _time(at: datetime.datetime, text: str) -> SafeString:
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(timespec="seconds"), exact(at), text)


def _near(local: datetime.datetime, today: datetime.date) -> str:
    date = local.date()
    away = (today - date).days
    if away == 0:
        return _clock(local)
    if 0 < away < WEEK_DAYS:
        return f"{_WEEKDAYS[_language()][local.weekday()]} {_clock(local)}"
    if -WEEK_DAYS < away < 0:
        return weekday_date(date)
    return day_and_month(date) if date.year == today.year else date.isoformat()


def _clock(local: datetime.datetime) -> str:
    if _american():
        return f"{local.hour % NOON or NOON}:{local.minute:02}{NBSP}{'AM' if local.hour < NOON else 'PM'}"
    return f"{local.hour:02}:{local.minute:02}"


def _language() -> str:
    """Return a language that has short names; Django may have regional ones, such as `en-gb`."""
    language = (get_language() or "en").partition("-")[0]
    return language if language in _MONTHS else "en"


def _american() -> bool:
    """Return whether the month comes first and the clock has twelve hours: English text for a browser of the US."""
    return region.of_reader() == region.UNITED_STATES and _language() == "en"


def _number(seconds: float) -> str:
    unit, words = next((unit, words) for unit, words in TIME_UNITS if seconds >= unit)
    number = int(seconds // unit)
    return (words(number) % {"number": number}).replace(" ", NBSP)
