"""The lock on a data folder: one `up` at a time. It ends with the process."""

from __future__ import annotations

import fcntl
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from popadmin.up.errors import UpError

NAME = "up.lock"
FOLDER_MODE = 0o711  # other users may pass through (a cluster may belong to nobody), but list nothing
LOCKS = Path("/proc/locks")


@contextmanager
def hold(data_dir: Path) -> Iterator[None]:
    """Lock the data folder for the length of a `with`; create it if it is missing."""
    _refuse_root_of_other(data_dir)
    try:
        data_dir.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        descriptor = os.open(data_dir / NAME, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UpError(f"POPADMIN_DATA_DIR={str(data_dir)!r} cannot be used: {error.strerror}") from error
    with os.fdopen(descriptor, "r+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = stream.read().strip()
            raise UpError(
                f"popadmin already runs on {data_dir} (process {holder}): "
                "stop it first, or set POPADMIN_DATA_DIR to another folder"
            ) from None
        stream.truncate()
        stream.write(f"{os.getpid()}\n")
        stream.flush()
        yield


def _refuse_root_of_other(data_dir: Path) -> None:
    """Refuse root on a folder of another user: that user could not read what root's `up` writes."""
    if os.geteuid() != 0 or not data_dir.is_dir() or (owner := data_dir.stat().st_uid) == 0:
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:  # a container's user without an entry
        name = str(owner)
    raise UpError(
        f"{data_dir} belongs to the user {name}: run `up` as that user (runuser -u {name} -- ...), "
        "or set POPADMIN_DATA_DIR to another folder"
    )


def is_held(data_dir: Path) -> bool:
    """Return whether an `up` runs on the data folder. It takes no lock, which would stop an `up` that starts now."""
    try:
        inode = (data_dir / NAME).stat().st_ino
        rows = [line.split() for line in LOCKS.read_text().splitlines()]
    except OSError:
        return False
    # proc(5): number, kind, advisory, READ or WRITE, pid, MAJOR:MINOR:INODE, first and last octet
    return any(row[1] == "FLOCK" and row[3] == "WRITE" and row[5].endswith(f":{inode}") for row in rows if len(row) > 5)
