"""Devices as the pages show them: an icon by the kind that people chose, and a name."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from mailstore.messages.message_history import Holder
from mailstore.models import Device, DiarySession
from popadmin.lists.diary_list import device_name
from popadmin.web import device_kind, session_text
from popadmin.web.icons import icon

register = template.Library()
register.filter("device_name", device_name)
register.filter("deed", session_text.sentence)
register.filter("session_times", session_text.times)


@register.filter
def holders_text(holders: Sequence[Holder]) -> str:
    """Return which devices a live message waits for, or that all of them have it; empty if no device counts."""
    waiting = [_("main password") if holder.main else holder.name for holder in holders if holder.waits]
    if waiting:
        return _("waits for %(names)s") % {"names": ", ".join(waiting)}
    return _("every device has it") if any(holder.has for holder in holders) else ""


@register.filter
def session_origin(row: DiarySession) -> str:
    """Return where a session came from; of a refused one, also with which device, as far as that is known."""
    device = (device_name(row.device) if row.device else _("unknown program")) if row.ended in row.REFUSED else None
    return ", ".join(filter(None, (device, row.client)))


@register.simple_tag
def device_icon(device: Device) -> SafeString:
    return icon(device_kind.icon(device))
