"""Explain from the diary why a mail program was refused, and what the owner can do."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mailstore.models import Device, DiarySession
from popadmin.owner import access

Ended = DiarySession.Ended
REMEDIES: dict[str, Promise] = {
    Ended.WRONG: _("the password was wrong. Copy all of it again; capitals and hyphens do not matter."),
    Ended.PREVIOUS: _("it used your previous main password. Type the password of the device."),
    Ended.SUSPENDED: _("the mailbox is suspended. Ask your administrator."),
    Ended.POP_OFF: _("POP is switched off for this mailbox. Ask your administrator."),
    Ended.MAIN_OFF: _("it used the main password, which mail programs may not use. Type the password of the device."),
    Ended.THROTTLED: _("there were too many wrong passwords from that address. Wait a while, then try again."),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    row: DiarySession
    remedy: Promise


def last(device: Device) -> Refusal | None:
    """Return the last refused sign-in since this device was created. It may come from any program of the mailbox."""
    rows = access.diary(device.mailbox.user).filter(ended__in=REMEDIES, ended_at__gte=device.created_at)
    row = rows.order_by("-ended_at").first()
    return Refusal(row, REMEDIES[row.ended]) if row else None
