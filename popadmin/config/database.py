"""Which Postgres holds the rows: the one of DATABASE_URL, or the private one, by its socket. It connects to nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import conninfo

from popadmin.config.environment import bad

ALLOWED = "postgres://USER:PASSWORD@HOST:PORT/NAME, or postgres://USER@/NAME?host=/socket/folder"
KEYS = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}  # libpq's, Django's
# On any server what the private one is set to: rows are mostly in memory, where a look-up by key costs little more than
# a walk, and no page's statement is worth compiling. The options of the operator's URL come last and win.
PLANNING = "-c random_page_cost=1.1 -c jit=off"

SOCKET_PORT = 5432  # where nobody comes by TCP, only part of the socket's name
LONGEST_PORT = 65535
LONGEST_PATH = 107  # octets of sun_path on Linux, without the final NUL
SHORT_FOLDERS = Path("/tmp")  # noqa: S108 - the cluster makes the folder 0700 and refuses one of another owner


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """Where the private Postgres lets the MTA in. The name of its socket has the same port."""

    host: str
    port: int


def private(data_dir: Path, *, mta_address: TcpAddress | None = None) -> dict[str, Any]:
    """Return how to reach the private Postgres that `up` runs under the data folder, in Django's form."""
    port = mta_address.port if mta_address else SOCKET_PORT
    return {"NAME": "popadmin", "USER": "popadmin", "HOST": str(socket_folder(data_dir)), "PORT": str(port)}


def from_url(url: str) -> dict[str, Any]:
    """Parse DATABASE_URL into Django's form. ImproperlyConfigured never shows the URL: it may hold a password."""
    if not url.startswith(("postgres://", "postgresql://")):
        scheme, colon, _ = url.partition("://")
        raise bad("DATABASE_URL", f"{scheme}://…" if colon else "…", ALLOWED)
    try:
        parts = conninfo.conninfo_to_dict(url)
    except Exception as error:
        raise bad("DATABASE_URL", "…", ALLOWED) from error
    found: dict[str, Any] = {KEYS[key]: str(value) for key, value in parts.items() if key in KEYS and value}
    ports = found.get("PORT", "5432").split(",")
    if "NAME" not in found or not all(map(_is_port, ports)):
        raise bad("DATABASE_URL", "…", ALLOWED)
    found["OPTIONS"] = {key: value for key, value in parts.items() if key not in KEYS}
    return found


def libpq_form(database: dict[str, Any]) -> str:
    """Return the same as a connection string of libpq, for code that does not use Django."""
    given: dict[str, Any] = {key: database.get(name) for key, name in KEYS.items()}
    return conninfo.make_conninfo(**given, **database.get("OPTIONS", {}))


def django_form(database: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of Django's DATABASES setting, with its time limits and the planner's options."""
    given = database.get("OPTIONS", {})
    return {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        **database,
        "OPTIONS": {"connect_timeout": 5, **given, "options": f"{PLANNING} {given.get('options', '')}".strip()},
    }


def socket_folder(data_dir: Path) -> Path:
    """Return the folder of the private Postgres's socket; settings.py and the cluster both ask here, and so agree.

    It is in the data folder, or a short one in /tmp where that path would not fit into a socket address.
    """
    usual = data_dir / "postgres" / "socket"
    if len(str(usual / f".s.PGSQL.{LONGEST_PORT}").encode()) <= LONGEST_PATH and "," not in str(usual):
        return usual  # a comma separates hosts in a conninfo
    name = hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    return SHORT_FOLDERS / f"popadmin-{name}"


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536
