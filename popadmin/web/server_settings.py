"""What somebody types into a mail program to use this site, besides the address and the password."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

IMPLICIT_TLS, STARTTLS = "SSL/TLS", "STARTTLS"


@dataclass(frozen=True, slots=True)
class Port:
    """A port that mail programs connect to; `encryption` is the name that they have for it."""

    number: int
    encryption: str


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What the owner types into a mail program, besides the address and the password.

    `ports` are those of POP3, `smtp_ports` those of the server that sends mail; the latter may be none.
    """

    host: str
    ports: tuple[Port, ...]
    smtp_host: str
    smtp_ports: tuple[Port, ...]


def server_settings() -> ServerSettings:
    """Return the settings of this site: ports as clients connect to them, the best first, without disabled ones."""
    return ServerSettings(
        settings.PUBLIC_HOSTNAME,
        _ports((settings.PUBLIC_POP3S_PORT, IMPLICIT_TLS), (settings.PUBLIC_POP3_PORT, STARTTLS)),
        settings.PUBLIC_SMTP_HOSTNAME,
        _ports((settings.PUBLIC_SUBMISSIONS_PORT, IMPLICIT_TLS), (settings.PUBLIC_SUBMISSION_PORT, STARTTLS)),
    )


def _ports(*offers: tuple[int | None, str]) -> tuple[Port, ...]:
    return tuple(Port(number, encryption) for number, encryption in offers if number is not None)
