"""Finds and mends files of a store that its owner cannot use: they belong to another user, or their mode is wrong.

The owner of the store (`file_owner.owner_of`) is the user that the listeners and the pages run as.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from mailstore.bodies import disk, layout
from mailstore.file_owner import STORE_MARKER, owner_of, user_name
from mailstore.ports.bodies import ForeignFile

_DEEPEST = 4  # folders: quarantine, a day, its 32 folders
_RECENT_PERIODS = 2  # of nine hours each


def walk(root: str) -> Iterator[tuple[int, list[ForeignFile]]]:
    """Yield for each folder of the store how many names it has, and what in it the owner cannot use. OSError."""
    yield from _walk(root, "", owner_of(root).st_uid, _DEEPEST)


def recent(root: str) -> ForeignFile | None:
    """Return the first of marker, drafts' folder and newest folders that the owner cannot use; None if all are fine."""
    owner = owner_of(root).st_uid
    names = [STORE_MARKER, layout.DRAFTS]
    for period in list(filter(layout.is_period, disk.names(root)))[-_RECENT_PERIODS:]:
        names += [period, *(f"{period}/{inner}" for inner in _listed(f"{root}/{period}"))]
    return next(filter(None, (one(root, name, owner=owner) for name in names)), None)


def one(root: str, name: str, *, owner: int | None = None) -> ForeignFile | None:
    """Return what keeps the owner from using the file or folder `name`; None if nothing does, or if it is gone."""
    with contextlib.suppress(FileNotFoundError):
        state = Path(root, name).lstat()
        flaw = _flaw(state, owner_of(root).st_uid if owner is None else owner)
        return _foreign(root, name, flaw) if flaw else None
    return None


def mend(root: str, name: str) -> None:
    """Give `name` to the owner of the store and set the mode that the store uses. OSError.

    PermissionError for a file with several names. It may be a link to somebody else's file.
    """
    owner = owner_of(root)
    descriptor = _open_below(root, name)
    try:
        state = os.fstat(descriptor)
        is_folder = stat.S_ISDIR(state.st_mode)
        if not is_folder and state.st_nlink > 1:
            raise PermissionError(errno.EPERM, "it has other names", name)
        path = Path(f"/proc/self/fd/{descriptor}")
        if state.st_uid != owner.st_uid:
            os.chown(path, owner.st_uid, owner.st_gid)
        path.chmod(0o700 if is_folder else 0o600)
    finally:
        os.close(descriptor)


def _walk(root: str, folder: str, owner: int, depth: int) -> Iterator[tuple[int, list[ForeignFile]]]:
    try:
        with os.scandir(f"{root}/{folder}") as entries:
            found = sorted((entry.name, _state(entry)) for entry in entries)
    except FileNotFoundError:
        return
    except OSError as error:
        yield 0, [_foreign(root, folder or ".", f"cannot be listed: {error.strerror}")]
        return
    names = [(f"{folder}/{name}" if folder else name, state) for name, state in found if state is not None]
    flaws = [_foreign(root, name, flaw) for name, (mode, uid) in names if (flaw := _mode_flaw(mode, uid, owner))]
    yield len(names), flaws
    for name, (mode, _uid) in names:
        if depth and stat.S_ISDIR(mode) and os.access(f"{root}/{name}", os.R_OK | os.X_OK, effective_ids=True):
            yield from _walk(root, name, owner, depth - 1)


def _state(entry: os.DirEntry[str]) -> tuple[int, int] | None:
    """Return mode and owner; None if the file is gone."""
    try:
        state = entry.stat(follow_symlinks=False)
    except OSError:
        return None
    return state.st_mode, state.st_uid


def _flaw(state: os.stat_result, owner: int) -> str | None:
    return _mode_flaw(state.st_mode, state.st_uid, owner)


def _mode_flaw(mode: int, uid: int, owner: int) -> str | None:
    if stat.S_ISLNK(mode):  # the owner of a link has no effect
        return None
    if uid != owner:
        return f"belongs to {user_name(uid)}, not to {user_name(owner)}, who owns the store"
    wanted = stat.S_IRWXU if stat.S_ISDIR(mode) else stat.S_IRUSR
    if mode & wanted != wanted:
        return f"its mode {stat.S_IMODE(mode):04o} keeps its owner out"
    return None


def _foreign(root: str, name: str, flaw: str) -> ForeignFile:
    owner = user_name(owner_of(root).st_uid)
    return ForeignFile(name, flaw, f"as root, run `fsck --repair`, or `chown -R {owner}: {root}`")


def _listed(folder: str) -> list[str]:
    """Return the names in a folder. No names if it cannot be listed; then the folder itself is reported."""
    try:
        return disk.names(folder)
    except OSError:
        return []


def _open_below(root: str, name: str) -> int:
    """Open a file without the right to read it (O_PATH). Follow no link below the root."""
    descriptor = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in Path(name).parts:  # none of "."
        above = descriptor
        try:
            descriptor = os.open(part, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
        finally:
            os.close(above)
    return descriptor
