"""What `quickstart` is to make: the answers, the choices of the operator, and the machine."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass, field
from enum import StrEnum

from mailstore.mta import program
from mailstore.mta.mtas import MTAS
from popadmin.quickstart import machine, settings_file
from popadmin.quickstart.answers import Answers
from popadmin.quickstart.machine import Folders

READY_SECONDS = 120  # a first start makes a database and migrates it
POLL_SECONDS = 0.5
WEB = ("127.0.0.1", 8000)


class Mta(StrEnum):
    """The MTA in front. Its value is what `mta setup` calls it."""

    POSTFIX = "postfix"
    EXIM = "exim"
    NONE = "none"

    @property
    def socket_folder(self) -> str:
        """Return the folder of our sockets: a process of Postfix sees only its queue (chroot), Exim hides its own."""
        return {"postfix": "/var/spool/postfix/popadmin", "exim": "/var/lib/popadmin/sockets"}.get(self, "")

    @property
    def unit(self) -> str:
        return {"postfix": "postfix.service", "exim": "exim4.service"}.get(self, "")

    @property
    def group(self) -> str:
        return {"postfix": "postfix", "exim": "Debian-exim"}.get(self, "")

    @property
    def key_reader(self) -> str:
        """Return the group that must be able to read the key of the certificate. Postfix reads it as root."""
        return self.group if self is Mta.EXIM else ""


def installed_mta() -> Mta:
    """Return the MTA of this machine; Postfix where there are two."""
    found = (Mta(name) for name, kind in MTAS.items() if program.find(kind.program))
    return next(found, Mta.NONE)


@dataclass(frozen=True, slots=True)
class Site:
    """`in_parts`: a service for each part, and a Postgres of the machine; else one service with a private Postgres."""

    answers: Answers
    mailbox: str
    mta: Mta
    in_parts: bool = False
    folders: Folders = field(default_factory=Folders)

    @property
    def settings_text(self) -> str:
        return settings_file.read(self.folders.settings)

    def command(self, *words: str) -> tuple[str, ...]:
        return (*machine.program(), *words)


def answers() -> bool:
    """Return whether the pages of a site answer on this machine."""
    connection = http.client.HTTPConnection(*WEB, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_until_it_answers() -> bool:
    """Return whether it answers within READY_SECONDS."""
    ends_at = time.monotonic() + READY_SECONDS
    while not answers():
        if time.monotonic() > ends_at:
            return False
        time.sleep(POLL_SECONDS)
    return True
