"""The choices for a device, each with an explanation: how it shares the mailbox, and which mail it starts with."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from mailstore.directory.fields.mailbox import DEVICE, NO_POP
from mailstore.models import Device
from popadmin.web.form_fields import Option

_MODE, _START = DEVICE["mode"].choice_labels, DEVICE["start"].choice_labels
MODES = (
    Option(
        Device.Mode.INDEPENDENT,
        _MODE[Device.Mode.INDEPENDENT],
        _("What you delete here disappears from this device only; your other devices still get it."),
    ),
    Option(
        Device.Mode.PRIMARY,
        _MODE[Device.Mode.PRIMARY],
        _("What you delete here is removed for all devices. It stays in recovery for a while."),
    ),
    Option(
        Device.Mode.PEEK,
        _MODE[Device.Mode.PEEK],
        _("For a device you rarely use: nothing waits for it, and what you delete here disappears here only."),
    ),
)
STARTS = (
    Option("all", _START["all"], _("Everything that is in the mailbox now.")),
    Option("30d", _START["30d"], _("Older mail stays in the mailbox, but this device does not fetch it.")),
    Option("now", _START["now"], _("No mail that is already there.")),
)


_NOT_FOR_POP = Option(
    NO_POP,
    _MODE[NO_POP],
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
