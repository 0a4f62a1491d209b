"""The folder of the private Postgres socket; settings.py and the cluster both ask here, so that they agree."""

from __future__ import annotations

import hashlib
from pathlib import Path

PORT = 5432  # only part of the socket's name
LONGEST_PATH = 107  # octets of sun_path on Linux, without the final NUL
SHORT_FOLDERS = Path("/tmp")  # noqa: S108 - the cluster makes the folder 0700 and refuses one of another owner


def folder(data_dir: Path) -> Path:
    """Return the folder in the data folder, or a short one in /tmp if the first would not fit into a socket address."""
    usual = data_dir / "postgres" / "socket"
    if len(str(usual / f".s.PGSQL.{PORT}").encode()) <= LONGEST_PATH and "," not in str(usual):
        return usual  # a comma separates hosts in a conninfo
    name = hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    return SHORT_FOLDERS / f"popadmin-{name}"
