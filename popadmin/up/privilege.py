"""The user of a private Postgres. Postgres refuses root, so root runs it in a user namespace or as nobody."""

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
        """Return the arguments for subprocess to run a command as this user."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, folder: Path) -> None:
        """Give a new, empty folder to the user of Postgres."""
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)

    def require_passage(self, folder: Path) -> None:
        """Raise UpError if Postgres runs as another user who cannot reach its folder."""
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
    """Return the user for Postgres: the current user; for root a namespace, or the owner of an existing cluster.

    Inside the namespace root appears as nobody, but the files belong to root. Where namespaces are forbidden (in some
    containers), the cluster belongs to the user nobody, also later.
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
