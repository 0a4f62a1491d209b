"""Why a device was refused, and what its owner can do about it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mailstore.models import Device, DiarySession
from popadmin.owner import access

Ended = DiarySession.Ended
LEADS: dict[str, Promise] = {
    Ended.WRONG: _("Almost: the password was refused"),
    Ended.PREVIOUS: _("Almost: an old password was refused"),
    Ended.SUSPENDED: _("Refused: the mailbox is suspended"),
    Ended.POP_OFF: _("Refused: POP is off"),
    Ended.MAIN_OFF: _("Refused: the main password"),
    Ended.SMTP_OFF: _("Refused: sending is off"),
    Ended.NO_SENDER: _("Refused: the device may not send"),
    Ended.MALFORMED: _("Refused: the name or the password cannot be read"),
    Ended.THROTTLED: _("Refused: too many wrong passwords"),
}
REMEDIES: dict[str, Promise] = {
    Ended.WRONG: _("the password was wrong. Copy all of it again; capitals and hyphens do not matter."),
    Ended.PREVIOUS: _("it used your previous main password. Type the password of the device."),
    Ended.SUSPENDED: _("the mailbox is suspended. Ask your administrator."),
    Ended.POP_OFF: _("POP is off for this mailbox. Ask your administrator to switch it on."),
    Ended.MAIN_OFF: _("it used the main password, which mail programs may not use. Type the password of the device."),
    Ended.SMTP_OFF: _("sending is off for this mailbox. Ask your administrator to switch it on."),
    Ended.NO_SENDER: _("its password is for fetching alone. Open the device on these pages, and allow it to send."),
    Ended.MALFORMED: _("its user name or password could not be read. Type both again."),
    Ended.THROTTLED: _("there were too many wrong passwords from that address. Wait a while, then try again."),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused sign-in from the diary, with what the owner can do about it."""

    row: DiarySession
    remedy: Promise

    @property
    def lead(self) -> Promise:
        return LEADS[self.row.ended]


def last_refusal(device: Device) -> Refusal | None:
    """Return the last refused sign-in since this device was created. Any program of the mailbox may have made it."""
    rows = access.diary(device.mailbox.user).filter(ended__in=REMEDIES, ended_at__gte=device.created_at)
    row = rows.order_by("-ended_at").first()
    return Refusal(row, REMEDIES[row.ended]) if row else None
