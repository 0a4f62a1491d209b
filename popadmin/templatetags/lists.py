"""Parts of a list: the search box, the boxes that select rows, states and usage. Python builds them, for speed."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from popadmin.lists.columns import Filters
from popadmin.lists.selection import Choice
from popadmin.web.formats import percent, size, used_of
from popadmin.web.icons import icon
from popadmin.web.usage_share import share_level, share_percent

register = template.Library()

CHECKBOX = (
    '<label><input type="hidden" name="on_page" value="{key}"><input type="checkbox" class="form-check-input"'
    ' name="ticked" value="{key}" aria-label="{label} {row}"{checked}></label>'
)
SEEK = '<div class="seek" role="search"><label class="visually-hidden" for="{id}">{label}</label>{icon}{box}</div>'
STATE = '<span class="state {}">{}{}</span>'
METER = '<svg class="meter" width="88" height="4" aria-hidden="true" focusable="false">{}</svg>'
BELOW = '<rect class="track" width="100%" height="4" rx="2"/><rect class="{}" width="{}%" height="4" rx="2"/>'
ABOVE = '<rect class="bad" width="100%" height="4" rx="2"/><rect class="quota" x="{}%" width="2" height="4"/>'
USE_CELL = '<div class="use-cell">{}<span class="num {}">{}</span><span class="num quiet">{}</span></div>'
NO_LIMIT = (
    '<div class="use-cell"><span></span><span><span class="only-phone quiet">{}</span></span>'
    '<span class="num quiet">{}</span></div>'
)
State = tuple[str, str, Promise | str]  # level, icon, words


@register.filter
def has(choice: Choice, key: int) -> bool:
    """Return whether the row with this key is selected."""
    return choice.has(key)


@register.simple_tag
def tick(row: Model, choice: Choice, label: str) -> SafeString:
    """Return the checkbox that selects a row of a list; its label fills the cell.

    A hidden field says that the row was shown: so a row that was unticked differs from one that was not on the page. A
    row is called by its `called`, if a list gave it one.
    """
    checked = SafeString(" checked") if choice.has(row.pk) else ""
    return format_html(CHECKBOX, key=row.pk, label=label, row=getattr(row, "called", row), checked=checked)


@register.simple_tag
def seek(filters: Filters) -> SafeString:
    """Return the search box of a list. It stands beside the title and belongs to the form of the list."""
    bound = filters.search_box()
    if bound is None:
        return SafeString()
    box = bound.as_widget(attrs={"class": "form-control", "form": "list"})
    return format_html(SEEK, id=bound.id_for_label, label=bound.label, icon=icon("search"), box=box)


@register.simple_tag
def state_marks(states: Iterable[State]) -> SafeString:
    """Return states in words, each with its icon."""
    return format_html_join(" ", STATE, ((level, icon(mark), words) for level, mark, words in states))


@register.simple_tag
def use_cell(octets: int, quota_octets: int | None) -> SafeString:
    """Return used and allotted as a bar, as percents and as sizes.

    The bar has a colour from 90 % on. Above the quota it is full, and a gap marks the quota.
    """
    share = share_percent(octets, quota_octets)
    if share is None or quota_octets is None:
        return format_html(NO_LIMIT, size(octets), used_of(octets, None))
    level = share_level(share)
    if octets > quota_octets:
        bar = format_html(ABOVE, f"{100 * quota_octets / octets:.1f}")
    else:
        bar = format_html(BELOW, level or "use", share)
    return format_html(USE_CELL, format_html(METER, bar), level, percent(share), used_of(octets, quota_octets))
