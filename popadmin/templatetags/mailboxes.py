"""Mailboxes as the panel shows them: their state in words, their address in both spellings."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from mailstore.models import Mailbox
from mailstore.policy.addresses import shown_domain

register = template.Library()


@register.filter
def state_words(mailbox: Mailbox) -> list[str]:
    """What is not as usual; where nothing is, "Active"."""
    unusual = (
        (not mailbox.user.is_active or not mailbox.domain.active, pgettext("mailbox", "Suspended")),
        (mailbox.held, _("On hold")),
        (not mailbox.receives, _("Receives nothing")),
        (not mailbox.pop, _("No POP")),
        (not mailbox.smtp, _("No SMTP")),
        (not mailbox.web, _("No web")),
        (mailbox.pop and not mailbox.main_pop, _("Devices only")),
    )
    return [word for so, word in unusual if so] or [pgettext("mailbox", "Active")]


@register.inclusion_tag("parts/mailbox_state.html")
def mailbox_state(mailbox: Mailbox) -> dict[str, Any]:
    words = state_words(mailbox)
    suspended = not mailbox.user.is_active or not mailbox.domain.active
    return {"suspended": suspended, "words": words, "usual": words == [pgettext("mailbox", "Active")]}


@register.filter
def onoff(switch: bool) -> str:
    return _("on") if switch else _("off")


@register.filter
def in_script(name: str) -> str:
    """An address or a domain with its domain as people write it; empty where that is how it is stored."""
    user, at, domain = name.rpartition("@")
    shown = f"{user}{at}{shown_domain(domain)}"
    return "" if shown == name else shown
