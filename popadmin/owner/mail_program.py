"""The settings that an owner types into a mail program: host, ports, encryption. They come from the site's settings."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Normalizer:
    """One way in: `encryption` as mail programs call it."""

    port: int
    encryption: str


@dataclass(frozen=True, slots=True)
class MailProgram:
    host: str
    doors: tuple[Normalizer, ...]


def mail_program() -> MailProgram:
    """Return the ways in, the best first, without disabled ones. The ports are those that clients connect to."""
    ways = ((settings.PUBLIC_POP3S_PORT, "SSL/TLS"), (settings.PUBLIC_POP3_PORT, "STARTTLS"))
    return MailProgram(
        settings.PUBLIC_HOSTNAME, tuple(Normalizer(port, name) for port, name in ways if port is not None)
    )
