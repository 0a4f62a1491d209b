"""As whom a private Postgres runs: Postgres refuses root, so root hands it a user namespace or the user nobody."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from popadmin.up.errors import UpError

NOBODY = 65534
NAMESPACE = ("unshare", "--user", f"--map-user={NOBODY}", "--")


@dataclass(frozen=True, slots=True)
class Privilege:
    """`prefix` goes before the command; `uid` and `gid` are set when the process itself must change them."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def process(self) -> dict[str, Any]:
        """What subprocess needs to run a command with it."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, folder: Path) -> None:
        """Give a new, empty folder to whom Postgres runs as."""
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)

    def require_passage(self, folder: Path) -> None:
        """Raise UpError where another user's Postgres could not reach its folder."""
        if self.uid is None:
            return
        for parent in folder.parents:
            if not parent.stat().st_mode & stat.S_IXOTH:
                name = pwd.getpwuid(self.uid).pw_name
                raise UpError(
                    f"Postgres runs as {name} here and cannot pass through {parent}: run `chmod o+x {parent}`, "
                    "set POPADMIN_DATA_DIR to another folder, or set DATABASE_URL"
                )


def choose(data: Path) -> Privilege:
    """Ordinary users run Postgres as themselves; root keeps owning the files unless a cluster belongs to another.

    Inside the namespace root appears as nobody, outside all files stay root's. Where namespaces are forbidden (some
    containers), the cluster belongs to nobody, and goes on to do so.
    """
    if os.geteuid() != 0:
        return Privilege()
    if data.exists() and (owner := data.stat().st_uid) != 0:
        return Privilege(uid=owner, gid=data.stat().st_gid)
    if data.exists() or _namespaces_work():
        return Privilege(prefix=NAMESPACE)
    nobody = pwd.getpwuid(NOBODY)
    return Privilege(uid=nobody.pw_uid, gid=nobody.pw_gid)


def _namespaces_work() -> bool:
    return (
        bool(shutil.which(NAMESPACE[0]))
        and not subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode
    )
