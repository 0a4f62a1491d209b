"""Mailboxes as the pages show them: their state, their address in both spellings, and what was found in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import ngettext, pgettext

from mailstore.models import Finding, Mailbox
from mailstore.policy.addresses import shown_name
from popadmin.templatetags.lists import State, state_marks, use_cell
from popadmin.web import finding_text, mailbox_state
from popadmin.web.formats import count, moment

register = template.Library()

MAILBOX_CELLS = (
    '<td class="c-addr" role="rowheader"><a class="addr" href="{url}">{address}</a></td>'
    '<td class="c-name quiet">{name}</td><td class="c-state">{state}</td><td class="c-use">{usage}</td>'
    '<td class="n c-more c-less">{messages}</td><td class="n quiet c-more">{seen}</td>'
)
LEVELS = ("bad", "warn", "note")  # worst first


@register.filter
def state_words(mailbox: Mailbox) -> list[str]:
    """Return everything that is unusual about its state, or "Active"."""
    return [str(state.word) for state in mailbox_state.states(mailbox)] or [pgettext("mailbox", "Active")]


@register.simple_tag(name="mailbox_state")
def mailbox_marks(mailbox: Mailbox) -> SafeString:
    """Return the worst of what is unusual, and the number of its problems if the list has read them (`found`)."""
    marks: list[State] = [(state.level, state.icon, state.word) for state in mailbox_state.states(mailbox)[:1]]
    if problems := len(getattr(mailbox, "found", ())):
        words = ngettext("%(number)s problem", "%(number)s problems", problems) % {"number": count(problems)}
        marks.append(("warn", "exclamation-triangle-fill", words))
    return state_marks(sorted(marks, key=lambda mark: LEVELS.index(mark[0])))


@register.simple_tag
def mailbox_cells(mailbox: Mailbox) -> SafeString:
    """Return the cells of a row of the list. Python builds them: a template would take half of the page's time."""
    user = mailbox.user
    return format_html(
        MAILBOX_CELLS,
        url=reverse("mailboxes-one", args=[mailbox.pk]),
        address=address(user.address),
        name=user.name,
        state=mailbox_marks(mailbox),
        usage=use_cell(mailbox.octets, mailbox.quota_octets),
        messages=count(mailbox.messages),
        seen=moment(mailbox.last_sign_in_at),
    )


@register.filter
def address(text: str) -> SafeString:
    """Return an address with its local part in bold and its domain in its own script; the title has it as stored."""
    local_part, at, domain = text.rpartition("@")
    unicode_name = in_script(domain)
    if not unicode_name:
        return format_html("<b>{}</b>{}{}", local_part, at, domain)
    return format_html('<span title="{}"><b>{}</b>{}{}</span>', text, local_part, at, unicode_name)


@register.filter
def with_unicode(name: str) -> SafeString:
    """Return an address or a domain as stored, followed by its Unicode form if that differs."""
    return format_html("{}{}", name, small(in_script(name)))


@register.filter
def in_script(name: str) -> str:
    """Return the Unicode form of an address or a domain; empty if it is stored like that."""
    if "xn--" not in name:
        return ""
    unicode_name = shown_name(name)
    return "" if unicode_name == name else unicode_name


register.filter("shown", shown_name)


@register.filter
def in_scripts(names: Iterable[str]) -> list[str]:
    """Return domains in their own scripts, for a list that has no room for both spellings."""
    return [shown_name(name) for name in names]


def spare(text: str) -> SafeString:
    """Return what follows a name in small letters, where there is room."""
    return format_html(' <small class="c-more">{}</small>', text) if text else SafeString()


def small(text: str) -> SafeString:
    return format_html(" <small>{}</small>", text) if text else SafeString()


@register.inclusion_tag("partials/findings.html")
def finding_notices(found: Iterable[Finding]) -> dict[str, Any]:
    """Show one notice per finding, with its remedy. The owner's page for the remedy."""
    return {"notices": [_notice(finding, "mailbox-stopped", finding.pk) for finding in found]}


@register.inclusion_tag("partials/findings.html")
def finding_notices_for_admins(found: Iterable[Finding]) -> dict[str, Any]:
    """Show the same with the admins' page for the remedy."""
    return {"notices": [_notice(finding, "mailboxes-stopped", finding.mailbox_id, finding.pk) for finding in found]}


def _notice(finding: Finding, *page: Any) -> dict[str, Any]:
    return {
        "since": finding.since,
        "title": capfirst(finding_text.heading(finding)),
        "fact": finding_text.fact(finding),
        "remedy": finding_text.remedy(finding),
        "url": reverse(page[0], args=page[1:]) if finding.kind == Finding.Kind.STOPPED else "",
    }
