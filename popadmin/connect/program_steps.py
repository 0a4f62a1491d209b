"""The mail programs that people set up: what to open, and the values in the order in which the program asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mailstore.models import Device
from popadmin.web.server_settings import Port, ServerSettings, server_settings

USER, SECRET, HOST, PORT, ENCRYPTION = "user", "secret", "host", "port", "encryption"
SMTP_HOST, SMTP_PORT, SMTP_ENCRYPTION = "smtp-host", "smtp-port", "smtp-encryption"


class Place(StrEnum):
    """Where a program runs."""

    COMPUTER = "computer"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Program:
    """A mail program. `kind` is what the form suggests as the kind of device; its owner chooses.

    `note` is what its users should know before they begin. With `has_profile` it installs a profile of Apple's.
    """

    name: str
    label: Promise | str
    icon: str
    place: Place
    kind: str
    steps: tuple[Promise, ...]
    asks: tuple[str, ...] = (USER, SECRET, HOST, PORT, ENCRYPTION)
    note: Promise | str = ""
    has_profile: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """A value to type: `name` is one of those of `Program.asks`. Without `text` it is not known on this page."""

    name: str
    label: Promise
    text: str


_CLOUD = _(
    "This Outlook does not connect to the server itself: Microsoft's servers fetch the mail and keep the password. "
    "Give it a device password of its own, which you can revoke."
)
PROGRAMS = (
    Program(
        "thunderbird",
        "Thunderbird",
        "envelope",
        Place.COMPUTER,
        Device.Kind.PC,
        (
            _("In Thunderbird, open the menu, then “New account”, then “Email”."),
            _("Type your name and the address below, then “Continue”. Thunderbird finds the server by itself."),
            _("Type the password below, then “Continue”. If no server is found, choose “Configure manually” and POP3."),
        ),
    ),
    Program(
        "outlook",
        _("Outlook (classic)"),
        "windows",
        Place.COMPUTER,
        Device.Kind.PC,
        (
            _("In Outlook for Windows, open “File”, then “Add account”."),
            _("Type the address below, open “Advanced options”, tick “Let me set up my account manually”, choose POP."),
            _("Under “Incoming mail”, type the server and the port and choose the encryption. Then type the password."),
        ),
        (USER, HOST, PORT, ENCRYPTION, SECRET),
        _("Leave “Require logon using Secure Password Authentication (SPA)” empty."),
    ),
    Program(
        "outlook-applet",
        _("Outlook (Control Panel)"),
        "windows",
        Place.COMPUTER,
        Device.Kind.PC,
        (
            _("In the Control Panel of Windows, open “Mail (Microsoft Outlook)”, “Email Accounts…”, then “New…”."),
            _("Choose “Manual setup or additional server types”, then “POP or IMAP”, and POP3 as the “Account Type”."),
            _("Type address, “Incoming mail server”, user name and password, then open “More Settings…”."),
            _("Under “Advanced”, tick “This server requires an encrypted connection (SSL/TLS)” and type the port."),
            _("Under “Outgoing Server”, tick “My outgoing server (SMTP) requires authentication”. Then “OK”, “Next”."),
        ),
        (USER, HOST, SECRET, PORT, ENCRYPTION),
        _("Leave “Require logon using Secure Password Authentication (SPA)” empty."),
    ),
    Program(
        "outlook-new",
        _("Outlook (new)"),
        "windows",
        Place.COMPUTER,
        Device.Kind.PC,
        (
            _("In the new Outlook, open “Settings” (the gear), “Accounts”, “Your accounts”, then “Add account”."),
            _("Type the address below, then “Continue”. If Outlook asks for the kind of account, choose POP."),
            _("Type the password, open “Show more”, and type the server and the port. Then “Continue”."),
        ),
        (USER, SECRET, HOST, PORT, ENCRYPTION),
        _CLOUD,
    ),
    Program(
        "outlook-mac",
        _("Outlook for Mac"),
        "apple",
        Place.COMPUTER,
        Device.Kind.PC,
        (
            _("In Outlook on the Mac, open the menu “Tools”, “Accounts…”, the plus sign, then “Add an Account…”."),
            _("Type the address below, then “Continue”. As the provider choose “IMAP/POP”, and POP as the “Type”."),
            _("Type the user name, the password, the “Incoming server” and the port. Then “Add Account”."),
            _("Leave “Use SSL to connect (recommended)” ticked."),
        ),
        (USER, SECRET, HOST, PORT, ENCRYPTION),
    ),
    Program(
        "mac",
        "Mac",
        "apple",
        Place.COMPUTER,
        Device.Kind.PC,
        (
            _("In Mail on the Mac, open the menu “Mail”, then “Add Account…”, then “Other Mail Account…”."),
            _("Type your name, and the address and the password below, then “Sign In”."),
            _("When Mail asks for more, choose POP as the “Account Type”, and type the server. Then “Sign In”."),
        ),
        has_profile=True,
    ),
    Program(
        "apple",
        _("iPhone, iPad"),
        "apple",
        Place.PHONE,
        Device.Kind.PHONE,
        (
            _("On an iPhone or iPad, open the settings of Mail, then “Add account”, then “Other”."),
            _("Type your name, and the address and the password below. Then “Next”, and choose POP."),
            _("Under “Incoming mail server”, type the server, the user name and the password again. Then “Save”."),
        ),
        has_profile=True,
    ),
    Program(
        "android",
        _("Gmail app"),
        "android2",
        Place.PHONE,
        Device.Kind.PHONE,
        (
            _("In the Gmail app, open “Settings”, then “Add account”, then “Other”."),
            _("Type the address below, choose “Personal (POP3)”, then type the password."),
            _("Type the server, choose the encryption as the “Security type”, and check the port. Then “Next”."),
        ),
    ),
    Program(
        "k9",
        "Thunderbird, K-9",
        "envelope",
        Place.PHONE,
        Device.Kind.PHONE,
        (
            _("In Thunderbird or K-9 Mail on Android, open the menu, then “Add account”, and type the address below."),
            _("Choose “Set up manually” if it is offered, then POP3 as the kind of account."),
            _("Type the server, the security, the port, the user name and the password. Then “Next”."),
        ),
        (USER, HOST, ENCRYPTION, PORT, SECRET),
        _("On Android this program finds no POP server by itself."),
    ),
    Program(
        "fairemail",
        "FairEmail",
        "envelope",
        Place.PHONE,
        Device.Kind.PHONE,
        (
            _("In FairEmail, open the menu, then “Settings”, then “Manual setup”, then “Accounts”."),
            _("Tap the plus sign, then “POP3”."),
            _("Type the server, the port, the encryption, the user name and the password. Then “Check”, and “Save”."),
        ),
        (HOST, ENCRYPTION, PORT, USER, SECRET),
    ),
    Program(
        "outlook-mobile",
        _("Outlook on a phone"),
        "phone",
        Place.PHONE,
        Device.Kind.PHONE,
        (
            _("In Outlook, open “Settings” (the gear), then “Add account”, then “Add email account”."),
            _("Type the address below, then “Continue”. If Outlook asks for the kind of account, choose POP3."),
            _("Switch on “Advanced settings”, type the server, port, user name and password. Then “Sign in”."),
        ),
        note=_CLOUD,
    ),
    Program(
        "other",
        _("Other"),
        "three-dots",
        Place.COMPUTER,
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
    SMTP_HOST: _("Outgoing server"),
    SMTP_PORT: _("Port"),
    SMTP_ENCRYPTION: _("Encryption"),
}
GROUPS: tuple[tuple[Promise, tuple[Program, ...]], ...] = (
    (_("On a computer"), tuple(program for program in PROGRAMS if program.place == Place.COMPUTER)),
    (_("On a phone or tablet"), tuple(program for program in PROGRAMS if program.place == Place.PHONE)),
)


def program(name: str | None) -> Program | None:
    """Return the program with this name; None for any other text."""
    return next((program for program in PROGRAMS if program.name == name), None)


def values(chosen: Program, site: ServerSettings, *, address: str, secret: str) -> Iterator[Value]:
    """Yield what the program asks for receiving mail, in its order. The port is the best one of the site."""
    texts = {USER: address, SECRET: secret, **_server(site.host, site.ports, HOST, PORT, ENCRYPTION)}
    return (Value(name, LABELS[name], texts[name]) for name in chosen.asks)


def outgoing_values(site: ServerSettings) -> list[Value]:
    """Return what every program asks for sending mail; nothing where the site names no server for it."""
    if not site.smtp_ports:
        return []
    texts = _server(site.smtp_host, site.smtp_ports, SMTP_HOST, SMTP_PORT, SMTP_ENCRYPTION)
    return [Value(name, LABELS[name], text) for name, text in texts.items()]


def page_values(chosen: Program, *, address: str, secret: str, may_send: bool = True) -> dict[str, Any]:
    """Return what a page shows about a program: itself, the values that it asks, and the ports of the site.

    With a password that may only fetch mail, it shows no outgoing server, and why.
    """
    site = server_settings()
    return {
        "chosen": chosen,
        "groups": GROUPS,
        "values": list(values(chosen, site, address=address, secret=secret)),
        "other_ports": site.ports[1:],
        "outgoing": outgoing_values(site) if may_send else [],
        "only_fetches": not may_send,
    }


def _server(host: str, ports: tuple[Port, ...], *names: str) -> dict[str, str]:
    number, encryption = (str(ports[0].number), ports[0].encryption) if ports else ("", "")
    return dict(zip(names, (host, number, encryption), strict=True))
