"""Sizes and counts as people read them, in their language."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext, pgettext

register = template.Library()

STEP = 1024  # the units of quotas: powers of 1024, as mailstore.policy.quota reads them


@register.filter
def size(octets: int) -> str:
    """`1.5 GB`, in French `1,5 Go`; below 1 KB the exact number."""
    if octets < STEP:
        return ngettext("%(count)s byte", "%(count)s bytes", octets) % {"count": octets}
    units = (
        pgettext("unit", "KB"),
        pgettext("unit", "MB"),
        pgettext("unit", "GB"),
        pgettext("unit", "TB"),
    )
    amount, unit = _scaled(octets, units)
    return f"{number_format(round(amount, 1), decimal_pos=1)}\N{NO-BREAK SPACE}{unit}"


@register.filter
def size_or_none(octets: int | None) -> str:
    """A quota; None is no quota."""
    return gettext("no limit") if octets is None else size(octets)


@register.filter
def count(number: int) -> str:
    """`12,345`, in French `12 345`."""
    return number_format(number, force_grouping=True)


def _scaled(octets: int, units: tuple[str, ...]) -> tuple[float, str]:
    """The amount in the largest unit that leaves at least 1, after rounding to what is shown."""
    amount = octets / STEP
    for unit in units[:-1]:
        if round(amount, 1) < STEP:
            return amount, unit
        amount /= STEP
    return amount, units[-1]
