"""What somebody types into a mail program to fetch mail from this site, besides the address and the password."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Port:
    """A port that mail programs connect to; `encryption` is the name that they have for it."""

    number: int
    encryption: str


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What the owner types into a mail program, besides the address and the password."""

    host: str
    ports: tuple[Port, ...]


def server_settings() -> ServerSettings:
    """Return the settings of this site: ports as clients connect to them, the best first, without disabled ones."""
    ports = ((settings.PUBLIC_POP3S_PORT, "SSL/TLS"), (settings.PUBLIC_POP3_PORT, "STARTTLS"))
    return ServerSettings(settings.PUBLIC_HOSTNAME, tuple(Port(port, name) for port, name in ports if port is not None))
