"""Amounts as people read them, in the active language: sizes, counts, percents, and what is used of a quota.

Moments are not here: pages need the reader's zone and region for them (`popadmin.web.formats`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.formats import get_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

NBSP = "\N{NO-BREAK SPACE}"
GROUPED = 1000  # smaller numbers look the same in every language; a list has a hundred of them
STEP = 1024  # the units of quotas: powers of 1024, as mailstore.policy.quota reads them
DECIMAL_BELOW = 100  # from here on a size has no decimal
FINE = 100  # used and quota that would read alike have steps of a hundredth of the quota's unit
SIZE_UNITS = (
    pgettext_lazy("unit", "KB"),
    pgettext_lazy("unit", "MB"),
    pgettext_lazy("unit", "GB"),
    pgettext_lazy("unit", "TB"),
)
# Nouns of `numbered`.
MAILBOXES, ALIASES = ("mailbox", "mailboxes"), ("alias", "aliases")
MESSAGES, OCTETS = ("message", "messages"), ("octet", "octets")


def size(octets: int) -> str:
    """Format octets: `2 GB`, `1.2 GB`, in French `1,2 Go`; below 1 KB the exact number; nothing is `0`."""
    if octets < STEP:
        return ngettext("%(count)s byte", "%(count)s bytes", octets) % {"count": octets} if octets else "0"
    amount, unit = _scaled(octets)
    return f"{_decimal(amount)}{NBSP}{unit}"


def size_or_none(octets: int | None) -> str:
    """Format a quota; None means no quota."""
    return _("no limit") if octets is None else size(octets)


def used_of(octets: int, quota_octets: int | None) -> str:
    """Format what is used of a quota: `1.2 GB of 2 GB`. Above the quota it reads above, below it below."""
    if quota_octets is None:
        return _("%(used)s, no limit") % {"used": size(octets)}
    used, quota = size(octets), size(quota_octets)
    if used == quota and octets != quota_octets:
        used, quota = _apart(octets, quota_octets)
    return _("%(used)s of %(quota)s") % {"used": used, "quota": quota}


def count(number: int) -> str:
    """Format a number: `12,345`, in French `12 345`."""
    return str(number) if 0 <= number < GROUPED else number_format(number, force_grouping=True)


def percent(number: int) -> str:
    """Format whole percents: `65 %`, with a no-break space in both languages."""
    return f"{count(number)}{NBSP}%"


def _scaled(octets: int) -> tuple[float, StrOrPromise]:
    """Return the amount in the largest unit that leaves at least 1, after rounding."""
    amount = octets / STEP
    for unit in SIZE_UNITS[:-1]:
        if _rounded(amount) < STEP:
            return _rounded(amount), unit
        amount /= STEP
    return _rounded(amount), SIZE_UNITS[-1]


def _rounded(amount: float) -> float:
    return round(amount, 1) if amount < DECIMAL_BELOW else round(amount)


def _decimal(amount: float) -> str:
    """Return a number without needless zeros, with the separators of the language."""
    if amount >= GROUPED:
        return number_format(f"{amount:.10g}", force_grouping=True)
    return f"{amount:.5g}".replace(".", get_format("DECIMAL_SEPARATOR"), 1)


def _apart(octets: int, quota_octets: int) -> tuple[str, str]:
    """Return two sizes that would read alike with hundredths, and at least one of these between them."""
    step, unit = STEP, 0
    while unit < len(SIZE_UNITS) - 1 and _rounded(quota_octets / step) >= STEP:
        step, unit = step * STEP, unit + 1
    used, quota = round(octets * FINE / step), round(quota_octets * FINE / step)
    used = max(used, quota + 1) if octets > quota_octets else min(used, quota - 1)
    return f"{_decimal(used / FINE)}{NBSP}{SIZE_UNITS[unit]}", f"{_decimal(quota / FINE)}{NBSP}{SIZE_UNITS[unit]}"


def numbered(number: int, one: str, many: str) -> str:
    """Return a number with its noun, such as `1 mailbox` and `2 mailboxes`. The shell speaks English alone."""
    return f"{number} {one if number == 1 else many}"
