"""Domains and aliases as the pages show them: state and targets. Python builds them, without a template per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from mailstore.models import Alias
from popadmin.templatetags.drawings import quota_bar
from popadmin.templatetags.mailboxes import in_script, small, with_unicode
from popadmin.web.formats import count, moment, size
from popadmin.web.icons import icon

register = template.Library()

TARGETS_SHOWN = 3  # targets of an alias in a list
Badge = tuple[str, str]  # style and text
Word = tuple[str, str, str]  # level, icon and text of a state
DOMAIN_CELLS = (
    '<th scope="row" class="name"><a href="{url}">{name}</a>{script}</th>'
    '<td data-label="{state_label}">{state}</td>'
    '<td data-label="{stored_label}">{stored}</td>'
    '<td data-label="{mailboxes_label}" class="number"><a href="{its_mailboxes}">{mailboxes}</a>{mailboxes_most}</td>'
    '<td data-label="{aliases_label}" class="number"><a href="{its_aliases}">{aliases}</a>{aliases_most}</td>'
    '<td data-label="{allotted_label}" class="number together">{allotted}</td>'
    '<td data-label="{delivered_label}" class="number">{delivered}</td>'
    '<td data-label="{made_label}" class="together less spare">{made}</td>'
)


@register.simple_tag
def domain_cells(domain: Any, labels: Mapping[str, str], mailboxes: str, aliases: str) -> SafeString:
    """Return the cells of a row of the list; `mailboxes` and `aliases` are the URLs of their lists."""
    return format_html(
        DOMAIN_CELLS,
        url=reverse("domains-one", args=[domain.pk]),
        name=domain.name,
        script=small(in_script(domain.name)),
        state=domain_state(domain),
        stored=quota_bar(domain.octets, domain.quota_octets),
        its_mailboxes=f"{mailboxes}?domain={domain.name}",
        mailboxes=count(domain.mailboxes),
        mailboxes_most=_most(domain.mailbox_limit),
        its_aliases=f"{aliases}?domain={domain.name}",
        aliases=count(domain.aliases),
        aliases_most=_most(domain.alias_limit),
        allotted=size(domain.allotted_octets),
        delivered=count(domain.delivered),
        made=moment(domain.created_at),
        **{f"{name}_label": label for name, label in labels.items()},
    )


@register.simple_tag
def domain_state(domain: Any) -> SafeString:
    """Return the state of a domain that has `other`, see `access.naming_other`."""
    return _states(_domain_badges(domain))


@register.simple_tag
def alias_state(alias: Alias) -> SafeString:
    """Return what is unusual about an alias, in words with an icon; nothing if nothing is."""
    return format_html_join(
        " ",
        '<span class="state {}">{}{}</span>',
        ((level, icon(mark), text) for level, mark, text in _alias_states(alias)),
    )


@register.simple_tag
def alias_targets(targets: Sequence[str]) -> SafeString:
    """Return the first few targets in one line, and how many more there are."""
    items = format_html_join(", ", "{}", ((with_unicode(target),) for target in targets[:TARGETS_SHOWN]))
    more = len(targets) - TARGETS_SHOWN
    if more <= 0:
        return items
    text = ngettext("and %(number)s more", "and %(number)s more", more) % {"number": count(more)}
    return format_html("{} {}", items, text)


def _most(limit: int | None) -> str:
    return "" if limit is None else f" / {count(limit)}"


def _states(badges: Sequence[Badge]) -> SafeString:
    spans = format_html_join("", '<span class="badge badge-{}">{}</span>', badges)
    return format_html('<span class="states">{}</span>', spans)


def _domain_badges(domain: Any) -> list[Badge]:
    badges = [("good", pgettext("domain", "Active")) if domain.active else ("warn", pgettext("domain", "Suspended"))]
    if domain.stands_for_id is not None:
        other = _("alias of %(domain)s") % {"domain": domain.other} if domain.other else _("alias of another domain")
        badges.append(("note", other))
    return badges


def _alias_states(alias: Any) -> list[Word]:
    """Return what is unusual about an alias. `unknown` targets, if the page looked for them, lead to nobody."""
    states: list[Word] = []
    unknown = getattr(alias, "unknown", [])
    if alias.expires_at is not None and alias.expires_at <= timezone.now():
        states.append(("warn", "exclamation-triangle-fill", pgettext("alias", "Expired")))
    elif not alias.active:
        states.append(("note", "slash-circle", pgettext("alias", "Switched off")))
    if unknown and len(unknown) == len(alias.targets) and not alias.keep_copy:
        states.append(("bad", "exclamation-octagon-fill", _("Leads to nobody")))
    elif unknown:
        states.append(("warn", "exclamation-triangle-fill", _("Partly to nobody")))
    if alias.mailbox_id is not None:
        states.append(("note", "forward", _("Forwards, keeps a copy") if alias.keep_copy else _("Forwards")))
    if alias.address.startswith("@"):
        states.append(("note", "at", _("Catch-all")))
    return states
