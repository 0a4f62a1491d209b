"""Parse and check EMAIL_URL: the server that sends our own mail. This module sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import environ

PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}  # smtp+tls is STARTTLS, smtp+ssl is TLS from the first octet
BY_FILE = "filemail"
SCHEMES = {*PORTS, BY_FILE, "consolemail"}
ALLOWED = (
    "smtp://HOST:25, smtp+tls://USER:PASSWORD@HOST:587, smtp+ssl://USER:PASSWORD@HOST:465, "
    "filemail:////FOLDER or consolemail://"
)


@dataclass(frozen=True, slots=True)
class MailOut:
    """The settings as Django wants them; `folder` is set when mail is written to files instead."""

    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False
    folder: str = ""


def to_files(folder: Path) -> MailOut:
    """Write each mail to a file in `folder`, which is created with the first mail."""
    return MailOut(environ.Env.EMAIL_SCHEMES[BY_FILE], folder=str(folder))


def read(url: str) -> MailOut:
    """Parse the URL. Raise ValueError for any form outside `ALLOWED`. Never show the URL: it may hold a password."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or parts.query or parts.fragment:
        raise ValueError(url)
    found = environ.Env.email_url_config(url)
    if parts.scheme not in PORTS:
        folder = found["EMAIL_FILE_PATH"]
        if (parts.scheme == BY_FILE) != folder.startswith("/") or parts.netloc:
            raise ValueError(url)
        return MailOut(found["EMAIL_BACKEND"], folder=folder)
    if not parts.hostname or parts.path.strip("/") or parts.port == 0:
        raise ValueError(url)
    return MailOut(
        found["EMAIL_BACKEND"],
        host=parts.hostname,
        port=parts.port or PORTS[parts.scheme],
        user=found["EMAIL_HOST_USER"] or "",
        password=found["EMAIL_HOST_PASSWORD"] or "",
        starttls=parts.scheme == "smtp+tls",
        tls=parts.scheme == "smtp+ssl",
    )
