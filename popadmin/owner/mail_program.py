"""What an owner types into a mail program: host, ports, encryption. Read from the settings, not from the network."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Door:
    """One way in: `encryption` as mail programs call it."""

    port: int
    encryption: str


@dataclass(frozen=True, slots=True)
class MailProgram:
    host: str
    doors: tuple[Door, ...]


def mail_program() -> MailProgram:
    """The best way in first; a listener that is switched off is not offered."""
    doors = [Door(port, "SSL/TLS") for port in _ports(settings.POP3S_LISTEN)[:1]]
    doors += [Door(port, "STARTTLS") for port in _ports(settings.POP3_LISTEN)[:1]]
    return MailProgram(settings.PUBLIC_HOSTNAME, tuple(doors))


def _ports(listen: tuple[str, ...]) -> list[int]:
    return [int(address.rpartition(":")[2]) for address in listen if not address.startswith("unix:")]
