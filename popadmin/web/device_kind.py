"""What a device is: the choices of a form, the icon, and its name in a sentence. No icon is guessed from a name."""

from __future__ import annotations

from django.utils.translation import gettext as _

from mailstore.directory.fields.mailbox import DEVICE
from mailstore.models import Device
from popadmin.web.form_fields import Option

MAIN_ICON = "key"
ICONS: dict[str, str] = {
    Device.Kind.PHONE: "phone",
    Device.Kind.TABLET: "tablet",
    Device.Kind.LAPTOP: "laptop",
    Device.Kind.PC: "pc-display",
    Device.Kind.OTHER: "envelope",
}
KINDS = tuple(Option(kind, label) for kind, label in DEVICE["kind"].choice_labels.items())


def icon(device: Device) -> str:
    """Return the name of the icon of a device; the main password has one of its own."""
    return MAIN_ICON if device.main else ICONS[device.kind]


def named(name: str, *, main: bool) -> str:
    """Return what a sentence calls a device: the name that its owner gave it, or that it is the main password."""
    return _("the main password") if main else _("“%(name)s”") % {"name": name}
