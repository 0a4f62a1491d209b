"""The mail programs that an owner connects: what to open, and the values in the order in which the program asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mailstore.models import Device
from popadmin.web.server_settings import ServerSettings

USER, SECRET, HOST, PORT, ENCRYPTION = "user", "secret", "host", "port", "encryption"


@dataclass(frozen=True, slots=True)
class Program:
    """A mail program. `kind` is what the form suggests as the kind of device; its owner chooses."""

    name: str
    label: Promise | str
    icon: str
    kind: str
    steps: tuple[Promise, ...]
    asks: tuple[str, ...] = (USER, SECRET, HOST, PORT, ENCRYPTION)


@dataclass(frozen=True, slots=True)
class Value:
    """A value to type: `name` is one of those of `Program.asks`. Without `text` it is not known on this page."""

    name: str
    label: Promise
    text: str


PROGRAMS = (
    Program(
        "thunderbird",
        "Thunderbird",
        "envelope",
        Device.Kind.PC,
        (
            _("In Thunderbird, open the menu, then “New account”, then “Email”."),
            _("Type your name, and the address and the password below. Choose “Configure manually”."),
            _("Choose POP3, type the server and the port, and choose the encryption. Then “Done”."),
        ),
    ),
    Program(
        "outlook",
        "Outlook",
        "windows",
        Device.Kind.PC,
        (
            _("In Outlook for Windows, open “File”, then “Add account”."),
            _("Type the address below, open “Advanced options”, tick “Let me set up my account manually”, choose POP."),
            _("Under “Incoming mail”, type the server and the port and choose the encryption. Then type the password."),
        ),
        (USER, HOST, PORT, ENCRYPTION, SECRET),
    ),
    Program(
        "apple",
        "Apple Mail",
        "apple",
        Device.Kind.PHONE,
        (
            _("On an iPhone or iPad, open the settings of Mail, then “Add account”, then “Other”."),
            _("Type your name, and the address and the password below. Then “Next”, and choose POP."),
            _("Under “Incoming mail server”, type the server, the user name and the password again. Then “Save”."),
        ),
    ),
    Program(
        "android",
        "Android",
        "android2",
        Device.Kind.PHONE,
        (
            _("In the Gmail app, open “Settings”, then “Add account”, then “Other”."),
            _("Type the address below, choose “Personal (POP3)”, then type the password."),
            _("Type the server, choose the encryption as the “Security type”, and check the port. Then “Next”."),
        ),
    ),
    Program(
        "other",
        _("Other"),
        "three-dots",
        Device.Kind.OTHER,
        (_("Add an account in your mail program, and choose POP3."), _("Type the values below.")),
        (HOST, PORT, ENCRYPTION, USER, SECRET),
    ),
)
OTHER = PROGRAMS[-1]
LABELS: dict[str, Promise] = {
    USER: _("User name"),
    SECRET: _("Password"),
    HOST: _("Server"),
    PORT: _("Port"),
    ENCRYPTION: _("Encryption"),
}


def program(name: str | None) -> Program | None:
    """Return the program with this name; None for any other text."""
    return next((program for program in PROGRAMS if program.name == name), None)


def values(chosen: Program, site: ServerSettings, *, address: str, secret: str) -> Iterator[Value]:
    """Yield what the program asks, in its order. The port is the best one of the site."""
    port = site.ports[0] if site.ports else None
    texts = {
        USER: address,
        SECRET: secret,
        HOST: site.host,
        PORT: "" if port is None else str(port.number),
        ENCRYPTION: "" if port is None else port.encryption,
    }
    return (Value(name, LABELS[name], texts[name]) for name in chosen.asks)
