"""Mailboxes as the pages show them: their state, their address in both spellings, and what was found in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from mailstore.models import Finding, Mailbox
from mailstore.policy.addresses import shown_domain
from popadmin.templatetags.drawings import quota_bar
from popadmin.web import finding_text
from popadmin.web.formats import count, moment
from popadmin.web.icons import icon

register = template.Library()

MAILBOX_CELLS = (
    '<th scope="row" class="name"><a href="{url}">{address}</a>{script}{name}</th>'
    '<td data-label="{state_label}">{state}{found}</td>'
    '<td data-label="{usage_label}">{usage}</td>'
    '<td data-label="{messages_label}" class="number">{messages}</td>'
    '<td data-label="{seen_label}" class="together">{seen}</td>'
)

# Lazy texts, translated only where a row has them: most of fifty rows have none.
_SUSPENDED = pgettext_lazy("mailbox", "Suspended")
_HELD = gettext_lazy("On hold")
_RECEIVES_NOTHING = gettext_lazy("Receives nothing")
_NO_POP = gettext_lazy("No POP")
_NO_WEB = gettext_lazy("No web")
_DEVICES_ONLY = gettext_lazy("Devices only")


@register.filter
def state_words(mailbox: Mailbox) -> list[str]:
    """Return everything that is unusual about its state, or "Active"."""
    unusual = (
        (_suspended(mailbox), _SUSPENDED),
        (mailbox.held, _HELD),
        (not mailbox.receives, _RECEIVES_NOTHING),
        (not mailbox.pop, _NO_POP),
        (not mailbox.web, _NO_WEB),
        (mailbox.pop and not mailbox.main_pop, _DEVICES_ONLY),
    )
    return [str(word) for applies, word in unusual if applies] or [_usual()]


@register.simple_tag
def mailbox_state(mailbox: Mailbox) -> SafeString:
    """Return the state as badges: green when active, amber when suspended, grey otherwise."""
    words = state_words(mailbox)
    first = "good" if words == [_usual()] else "warn" if _suspended(mailbox) else "note"
    badges = format_html_join(
        "", '<span class="badge badge-{}">{}</span>', zip([first, *["note"] * len(words)], words, strict=False)
    )
    return format_html('<span class="states">{}</span>', badges)


@register.simple_tag
def mailbox_cells(mailbox: Mailbox, labels: Mapping[str, str]) -> SafeString:
    """Return the cells of a row of the list. Python builds them: a template would take half of the page's time."""
    user = mailbox.user
    return format_html(
        MAILBOX_CELLS,
        url=reverse("mailboxes-one", args=[mailbox.pk]),
        address=user.address,
        script=small(in_script(user.address)),
        name=small(user.name),
        state=mailbox_state(mailbox),
        found=found_marks(mailbox.found),  # type: ignore[attr-defined]  # prefetched by the list
        usage=quota_bar(mailbox.octets, mailbox.quota_octets),
        messages=count(mailbox.messages),
        seen=moment(mailbox.last_sign_in_at),
        **{f"{name}_label": label for name, label in labels.items()},
    )


@register.filter
def with_unicode(name: str) -> SafeString:
    """Return an address or a domain as stored, followed by its Unicode form if that differs."""
    return format_html("{}{}", name, small(in_script(name)))


@register.filter
def in_script(name: str) -> str:
    """Return the Unicode form of an address or a domain; empty if it is stored like that."""
    if "xn--" not in name:
        return ""
    user, at, domain = name.rpartition("@")
    unicode_name = f"{user}{at}{shown_domain(domain)}"
    return "" if unicode_name == name else unicode_name


def small(text: str) -> SafeString:
    return format_html("<small>{}</small>", text) if text else SafeString()


@register.inclusion_tag("partials/findings.html")
def finding_notices(found: Iterable[Finding]) -> dict[str, Any]:
    """Show one notice per finding, with its remedy."""
    notices = [(finding, capfirst(finding_text.heading(finding)), finding_text.fact(finding)) for finding in found]
    return {"notices": [(*each, finding_text.remedy(each[0])) for each in notices]}


@register.simple_tag
def found_marks(found: list[Finding]) -> SafeString:
    """Return one line per finding for a row of a list. Python builds them, as most rows have none."""
    if not found:
        return SafeString()
    mark = icon("exclamation-triangle")
    return format_html_join(
        "", '<small class="sub finding-mark">{} {}</small>', ((mark, words) for words in finding_text.kinds(found))
    )


def _usual() -> str:
    return pgettext("mailbox", "Active")


def _suspended(mailbox: Mailbox) -> bool:
    return not mailbox.user.is_active or not mailbox.domain.active
