"""Format sizes and counts in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.formats import get_format, number_format
from django.utils.translation import gettext, ngettext, pgettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

GROUPED = 1000  # smaller numbers look the same everywhere; lists have a hundred of them
STEP = 1024  # the units of quotas: powers of 1024, as mailstore.policy.quota reads them
UNITS = (
    pgettext_lazy("unit", "KB"),
    pgettext_lazy("unit", "MB"),
    pgettext_lazy("unit", "GB"),
    pgettext_lazy("unit", "TB"),
)


def size(octets: int) -> str:
    """Format octets: `1.5 GB`, in French `1,5 Go`; below 1 KB the exact number."""
    if octets < STEP:
        return ngettext("%(count)s byte", "%(count)s bytes", octets) % {"count": octets}
    amount, unit = _scaled(octets)
    return f"{amount:.1f}\N{NO-BREAK SPACE}{unit}".replace(".", get_format("DECIMAL_SEPARATOR"), 1)


def size_or_none(octets: int | None) -> str:
    """Format a quota; None means no quota."""
    return gettext("no limit") if octets is None else size(octets)


def count(number: int) -> str:
    """Format a number: `12,345`, in French `12 345`."""
    return str(number) if 0 <= number < GROUPED else number_format(number, force_grouping=True)


def _scaled(octets: int) -> tuple[float, StrOrPromise]:
    """Return the amount in the largest unit that leaves at least 1, after rounding."""
    amount = octets / STEP
    for unit in UNITS[:-1]:
        if round(amount, 1) < STEP:
            return amount, unit
        amount /= STEP
    return amount, UNITS[-1]
