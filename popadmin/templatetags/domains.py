"""Domains and aliases as the pages show them: state and targets. Python builds them, without a template per row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from mailstore.models import Alias
from mailstore.policy.addresses import shown_domain
from popadmin.templatetags.lists import State, state_marks, use_cell
from popadmin.templatetags.mailboxes import spare, with_unicode
from popadmin.web import mailbox_state
from popadmin.web.formats import count, moment, size
from popadmin.web.usage_share import share_level, share_percent

register = template.Library()

TARGETS_SHOWN = 3  # targets of an alias in a list
DOMAIN_CELLS = (
    '<td class="c-addr" role="rowheader"><a class="addr" href="{url}"><b>{name}</b>{stored}</a></td>'
    '<td class="c-state">{state}</td><td class="c-sub only-phone quiet">{held}</td><td class="c-use">{usage}</td>'
    '<td class="n c-more"><a class="addr" href="{its_mailboxes}">{mailboxes}</a></td>'
    '<td class="n c-more"><a class="addr" href="{its_aliases}">{aliases}</a></td>'
    '<td class="n c-more c-least">{allotted}</td><td class="n c-more">{delivered}</td>'
    '<td class="n quiet c-more c-least">{made}</td>'
)


@register.simple_tag
def domain_cells(domain: Any, mailboxes: str, aliases: str) -> SafeString:
    """Return the cells of a row of the list; `mailboxes` and `aliases` are the URLs of their lists."""
    shown = shown_domain(domain.name)
    return format_html(
        DOMAIN_CELLS,
        url=reverse("domains-one", args=[domain.pk]),
        name=shown,
        stored=spare("" if shown == domain.name else domain.name),
        state=domain_state(domain),
        held=ngettext("%(count)s mailbox", "%(count)s mailboxes", domain.mailboxes)
        % {"count": count(domain.mailboxes)},
        usage=use_cell(domain.octets, domain.quota_octets),
        its_mailboxes=f"{mailboxes}?domain={domain.name}",
        mailboxes=_of(domain.mailboxes, domain.mailbox_limit),
        its_aliases=f"{aliases}?domain={domain.name}",
        aliases=_of(domain.aliases, domain.alias_limit),
        allotted=size(domain.allotted_octets),
        delivered=count(domain.delivered),
        made=moment(domain.created_at),
    )


@register.simple_tag
def domain_state(domain: Any) -> SafeString:
    """Return the state of a domain that has `other`, see `access.naming_other`."""
    return state_marks(_domain_marks(domain))


@register.simple_tag
def alias_state(alias: Alias) -> SafeString:
    """Return what is unusual about an alias, in words with an icon; nothing if nothing is."""
    return state_marks(_alias_states(alias))


@register.simple_tag
def alias_targets(targets: Sequence[str]) -> SafeString:
    """Return the first few targets in one line, and how many more there are."""
    items = format_html_join(", ", "{}", ((with_unicode(target),) for target in targets[:TARGETS_SHOWN]))
    more = len(targets) - TARGETS_SHOWN
    if more <= 0:
        return items
    text = ngettext("and %(number)s more", "and %(number)s more", more) % {"number": count(more)}
    return format_html("{} {}", items, text)


def _of(number: int, limit: int | None) -> str:
    if limit is None:
        return count(number)
    return _("%(used)s of %(limit)s") % {"used": count(number), "limit": count(limit)}


def _domain_marks(domain: Any) -> list[State]:
    marks: list[State] = []
    used = getattr(domain, "octets", None)
    level = "" if used is None else share_level(share_percent(used, domain.quota_octets))
    if level:
        state = mailbox_state.FULL if level == "bad" else mailbox_state.NEAR
        marks.append((state.level, state.icon, state.word))
    if not domain.active:
        marks.append(("note", "pause-circle", pgettext("domain", "Suspended")))
    if domain.stands_for_id is not None:
        other = (
            _("Alias of %(domain)s") % {"domain": shown_domain(domain.other)}
            if domain.other
            else _("Alias of another domain")
        )
        marks.append(("note", "globe2", other))
    return marks


def _alias_states(alias: Any) -> list[State]:
    """Return what is unusual about an alias. `unknown` targets, if the page looked for them, lead to nobody."""
    states: list[State] = []
    unknown = getattr(alias, "unknown", [])
    if alias.expires_at is not None and alias.expires_at <= timezone.now():
        states.append(("warn", "exclamation-triangle-fill", pgettext("alias", "Expired")))
    elif not alias.active:
        states.append(("note", "slash-circle", pgettext("alias", "Switched off")))
    if unknown and len(unknown) == len(alias.targets) and not alias.keep_copy:
        states.append(("bad", "exclamation-octagon-fill", _("Leads to nobody")))
    elif unknown:
        states.append(("warn", "exclamation-triangle-fill", _("Partly to nobody")))
    if alias.unconfirmed:
        states.append(("note", "hourglass-split", pgettext("alias", "Waiting for consent")))
    if alias.mailbox_id is not None:
        states.append(("note", "forward", _("Forwards, keeps a copy") if alias.keep_copy else _("Forwards")))
    if alias.address.startswith("@"):
        states.append(("note", "at", _("Catch-all")))
    return states
