"""Mailboxes as the panel shows them: their state in words, their address in both spellings."""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from mailstore.models import Mailbox
from mailstore.policy.addresses import shown_domain

register = template.Library()


@register.filter
def state_words(mailbox: Mailbox) -> list[str]:
    """What is not as usual; where nothing is, "Active"."""
    unusual = (
        (_suspended(mailbox), pgettext("mailbox", "Suspended")),
        (mailbox.held, _("On hold")),
        (not mailbox.receives, _("Receives nothing")),
        (not mailbox.pop, _("No POP")),
        (not mailbox.smtp, _("No SMTP")),
        (not mailbox.web, _("No web")),
        (mailbox.pop and not mailbox.main_pop, _("Devices only")),
    )
    return [word for so, word in unusual if so] or [_usual()]


@register.simple_tag
def mailbox_state(mailbox: Mailbox) -> SafeString:
    """The words, each as a badge: the usual one green, a suspension amber, the others grey."""
    words = state_words(mailbox)
    first = "good" if words == [_usual()] else "warn" if _suspended(mailbox) else "note"
    badges = format_html_join(
        "", '<span class="badge badge-{}">{}</span>', zip([first, *["note"] * len(words)], words, strict=False)
    )
    return format_html('<span class="states">{}</span>', badges)


@register.filter
def onoff(switch: bool) -> str:
    return _("on") if switch else _("off")


@register.filter
def in_script(name: str) -> str:
    """An address or a domain with its domain as people write it; empty where that is how it is stored."""
    if "xn--" not in name:
        return ""
    user, at, domain = name.rpartition("@")
    shown = f"{user}{at}{shown_domain(domain)}"
    return "" if shown == name else shown


def _usual() -> str:
    return pgettext("mailbox", "Active")


def _suspended(mailbox: Mailbox) -> bool:
    return not mailbox.user.is_active or not mailbox.domain.active
