"""The role and the database of a site in parts, in the Postgres of this machine."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Sequence

from popadmin.quickstart import machine
from popadmin.quickstart.action import Run
from popadmin.quickstart.machine import USER

PASSWORD_OCTETS = 24  # random; no person types it
_AT = f"@127.0.0.1/{USER}"
_AS_POSTGRES = ("runuser", "-u", "postgres", "--")
_PSQL = (*_AS_POSTGRES, "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1")
_ROLES = "SELECT rolname FROM pg_roles"
_DATABASES = "SELECT datname FROM pg_database"


def new_password() -> str:
    return secrets.token_urlsafe(PASSWORD_OCTETS)


def new_url() -> str:
    """Return a DATABASE_URL with a new password."""
    return f"postgres://{USER}:{new_password()}{_AT}"


def password(url: str) -> str:
    """Return the password of such a URL; empty for a database that the operator has made."""
    user, colon, rest = url.removeprefix("postgres://").partition(":")
    return rest.removesuffix(_AT) if user == USER and colon and rest.endswith(_AT) else ""


def make_role(secret: str) -> Run:
    return Run(
        f"make the role {USER} in Postgres",
        _PSQL,
        done=lambda: USER in _names(_ROLES),
        stdin=f"CREATE ROLE {USER} LOGIN PASSWORD '{secret}';",
    )


def make_database() -> Run:
    options = ("--owner", USER, "--encoding=UTF8", "--template=template0")
    return Run(
        f"make the database {USER}",
        (*_AS_POSTGRES, "createdb", *options, USER),
        done=lambda: USER in _names(_DATABASES),
    )


def make_mta_role(secret: str, grant: Sequence[str], *, done: Callable[[], bool]) -> Run:
    """Make the role of the MTA, which popadmin may not: `grant` prints the SQL, with the password that it reads."""
    psql = shlex.join((*_PSQL, USER))
    return Run(
        "let the MTA read its views in Postgres",
        ("sh", "-c", f"sql=$({shlex.join(grant)}) && printf '%s\\n' \"$sql\" | {psql}"),
        done=done,
        stdin=secret,
    )


def _names(query: str) -> list[str]:
    return machine.run(_PSQL, stdin=query).stdout.split()
