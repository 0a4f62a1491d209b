"""What an owner chooses for a device, in a line each: how it shares the mailbox, and what its view begins with."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from mailstore.models import Device
from popadmin.explained import Option

MODES = (
    Option(
        Device.Mode.INDEPENDENT,
        _("Independent"),
        _("What you delete here disappears from this device only; your other devices still get it."),
    ),
    Option(
        Device.Mode.PRIMARY,
        _("Primary"),
        _("What you delete here is removed for all devices. It rests in recovery for a while."),
    ),
    Option(
        Device.Mode.PEEK,
        _("Looks on"),
        _("For a device you rarely use: nothing waits for it, and what you delete here disappears here only."),
    ),
)
STARTS = (
    Option("all", _("All mail"), _("Everything that is in the mailbox now.")),
    Option("30d", _("The last 30 days"), _("Older mail stays in the mailbox, this device just does not fetch it.")),
    Option("now", _("New mail only"), _("Nothing that is there already.")),
)


def mode(value: str) -> Option:
    return next(option for option in MODES if option.value == value)
