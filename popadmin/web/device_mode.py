"""The choices for a device, each with an explanation: how it shares the mailbox, and which mail it starts with."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from mailstore.directory.fields.mailbox import NO_POP
from mailstore.models import Device
from popadmin.web.form_fields import Option

MODES = (
    Option(
        Device.Mode.INDEPENDENT,
        _("Independent"),
        _("What you delete here disappears from this device only; your other devices still get it."),
    ),
    Option(
        Device.Mode.PRIMARY,
        _("Primary"),
        _("What you delete here is removed for all devices. It stays in recovery for a while."),
    ),
    Option(
        Device.Mode.PEEK,
        _("View only"),
        _("For a device you rarely use: nothing waits for it, and what you delete here disappears here only."),
    ),
)
STARTS = (
    Option("all", _("All mail"), _("Everything that is in the mailbox now.")),
    Option("30d", _("The last 30 days"), _("Older mail stays in the mailbox, but this device does not fetch it.")),
    Option("now", _("New mail only"), _("No mail that is already there.")),
)


_NOT_FOR_POP = Option(
    NO_POP,
    _("Not for mail programs"),
    _(
        "Each mail program needs a device password; these pages still accept the main password. Mail "
        "that waits only for the main password goes to recovery."
    ),
)
MAIN_ALONE = (
    Option(
        Device.Mode.PRIMARY,
        _("Mail programs may use it"),
        _("While there is no other device, mail that a mail program deletes leaves the mailbox and goes to recovery."),
    ),
    _NOT_FOR_POP,
)
MAIN = (*MODES, _NOT_FOR_POP)


def of(device: Device) -> Option:
    """Return how a device shares the mailbox now."""
    if device.main and not device.mailbox.main_pop:
        return _NOT_FOR_POP
    return next(option for option in MODES if option.value == device.mode)


def offered(device: Device, *, only_main: bool) -> tuple[Option, ...]:
    """Return what the owner may choose; `only_main`: the main password is the only device."""
    if not device.main:
        return MODES
    return MAIN_ALONE if only_main else MAIN
