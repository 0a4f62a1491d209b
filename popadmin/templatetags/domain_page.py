"""Parts of the page of a domain: a limit as a bar, and the link to a mailbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from popadmin.web.formats import count
from popadmin.web.usage_share import FULL_PERCENT, share_level

if TYPE_CHECKING:
    from mailstore.models import Mailbox

register = template.Library()

CAP = '<div class="cap"><span>{label}</span><small class="num {level}">{said}{percent}</small>{bar}</div>'
BAR = (
    '<svg class="meter" width="100%" height="4" aria-hidden="true" focusable="false"><rect class="track" width="100%"'
    ' height="4" rx="2"></rect><rect class="{level}" width="{width}%" height="4" rx="2"></rect></svg>'
)


class Cap(Protocol):
    """How much of a limit is used, as `domain_state.Cap` has it."""

    @property
    def label(self) -> str: ...

    @property
    def said(self) -> str: ...

    @property
    def percent(self) -> int | None: ...


@register.simple_tag
def cap_bar(cap: Cap) -> SafeString:
    """Return a limit with its use in words and, if there is a limit, as a bar."""
    if cap.percent is None:
        return format_html(CAP, label=cap.label, level="quiet", said=cap.said, percent="", bar="")
    level = share_level(cap.percent)
    bar = format_html(BAR, level=level or "use", width=min(cap.percent, FULL_PERCENT))
    shown = f" · {count(cap.percent)}\N{NO-BREAK SPACE}%"
    return format_html(CAP, label=cap.label, level=level or "quiet", said=cap.said, percent=shown, bar=bar)


@register.simple_tag
def address_link(mailbox: Mailbox) -> SafeString:
    """Return the address of a mailbox, its first part in ink, as a link to its page."""
    local, at, domain = mailbox.user.address.rpartition("@")
    url = reverse("mailboxes-one", args=[mailbox.pk])
    return format_html('<a class="addr" href="{}"><b>{}</b>{}</a>', url, local, f"{at}{domain}")
