"""A password somebody can sign in with, for printing; kept nowhere by this module."""

from __future__ import annotations

from dataclasses import dataclass

from mailstore.directory import admins
from mailstore.directory.audit import Actor
from mailstore.models import User

FIRST_ADMIN = "admin"
ACTOR = Actor("popadmin up", "shell")


@dataclass(frozen=True, slots=True)
class Credential:
    """`note` says whose it is or what it is for."""

    login: str
    password: str
    note: str = ""


def first_administrator() -> Credential | None:
    """Make `admin` where the site has no hosting admin yet; its password is shown once and nowhere else."""
    if User.objects.filter(role=User.Role.ADMIN).exists():
        return None
    made = admins.ensure(FIRST_ADMIN, actor=ACTOR)
    return Credential(FIRST_ADMIN, made.secret, "hosting admin") if made.secret else None
