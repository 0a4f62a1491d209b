"""What helps an owner to connect a mail program: its settings, a QR code, and why a sign-in was refused."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import segno
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mailstore.models import Device, DiarySession
from popadmin.owner import access


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code for an SVG. `side` counts squares, with the quiet zone; `path` draws all dark squares."""

    text: str
    side: int
    path: str


def qr_code(text: str) -> QrCode:
    """Encode a text with error correction M: it survives a fingerprint on the screen, and its squares stay large."""
    rows = [bytes(row) for row in segno.make_qr(text, error="m").matrix_iter(border=4)]
    return QrCode(text, len(rows), "".join(_line(number, row) for number, row in enumerate(rows)))


def _line(number: int, row: bytes) -> str:
    """Draw one stroke per run of dark squares, so that no reader sees gaps between them."""
    strokes, at = [], 0
    for dark, run in groupby(row):
        length = len(list(run))
        if dark:
            strokes.append(f"M{at} {number}h{length}v1h-{length}z")
        at += length
    return "".join(strokes)


Ended = DiarySession.Ended
LEADS: dict[str, Promise] = {
    Ended.WRONG: _("Almost: the password was refused"),
    Ended.PREVIOUS: _("Almost: an old password was refused"),
    Ended.SUSPENDED: _("Refused: the mailbox is suspended"),
    Ended.POP_OFF: _("Refused: POP is off"),
    Ended.MAIN_OFF: _("Refused: the main password"),
    Ended.THROTTLED: _("Refused: too many wrong passwords"),
}
REMEDIES: dict[str, Promise] = {
    Ended.WRONG: _("the password was wrong. Copy all of it again; capitals and hyphens do not matter."),
    Ended.PREVIOUS: _("it used your previous main password. Type the password of the device."),
    Ended.SUSPENDED: _("the mailbox is suspended. Ask your administrator."),
    Ended.POP_OFF: _("POP is off for this mailbox. Ask your administrator to switch it on."),
    Ended.MAIN_OFF: _("it used the main password, which mail programs may not use. Type the password of the device."),
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
