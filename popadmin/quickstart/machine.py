"""The machine that `quickstart` sets up: its folders, its programs, and how popadmin is started on it."""

from __future__ import annotations

import grp
import pwd
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

USER = "popadmin"
LONGEST_SECONDS = 900  # of one command: `mta check` waits for mail on its way


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a site has its files. `root` is / but for tests."""

    root: Path = Path("/")

    @property
    def settings(self) -> Path:
        return self.root / "etc/popadmin.env"

    @property
    def data(self) -> Path:
        return self.root / "var/lib/popadmin"

    @property
    def tls(self) -> Path:
        return self.root / "etc/popadmin/tls"

    @property
    def units(self) -> Path:
        return self.root / "etc/systemd/system"

    @property
    def packaged_units(self) -> Path:
        return self.root / "lib/systemd/system"

    @property
    def nginx(self) -> Path:
        return self.root / "etc/nginx/conf.d"

    @property
    def letsencrypt(self) -> Path:
        return self.root / "etc/letsencrypt"


def program() -> tuple[str, ...]:
    """Return the words that start popadmin as it was started now: the installed command, or the one of a checkout."""
    started = Path(sys.argv[0]).absolute()
    return (sys.executable, str(started)) if started.name == "manage.py" else (str(started),)


def user_exists(name: str = USER) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def group_id(name: str = USER) -> int:
    """Return the number of a group; -1, which chown(2) leaves alone, if there is no such group yet."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return -1


def run(command: Sequence[str], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command to its end, and return its code and what it printed."""
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS)
