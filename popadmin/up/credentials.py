"""Logins and passwords for `up` to print, and the first administrator. Nothing here stores a password."""

from __future__ import annotations

from dataclasses import dataclass

from mailstore.directory import admins
from mailstore.directory.audit import Actor
from mailstore.models import User

FIRST_ADMIN = "admin"
ACTOR = Actor("popadmin up", "shell")


@dataclass(frozen=True, slots=True)
class Credential:
    """A login with its password. `note` says whose it is or what it is for."""

    login: str
    password: str
    note: str = ""


def first_administrator() -> Credential | None:
    """Create `admin` if the site has no hosting admin yet; the password is shown only once."""
    if User.objects.filter(role=User.Role.ADMIN).exists():
        return None
    made = admins.ensure(FIRST_ADMIN, actor=ACTOR)
    return Credential(FIRST_ADMIN, made.secret, "hosting admin") if made.secret else None
