"""The owner of a folder. A process that runs as root takes the owner's identity when it makes files there.

The identity holds for the file accesses of one thread (setfsuid(2)). Other threads and the other rights of the process
stay as they are. So an import can read another user's folders as root and write bodies as the owner of the store.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import pwd
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

# In the root of a body store: distinguishes a store from the empty folder of a disk that is not mounted.
STORE_MARKER = "popadmin-bodies"
_libc = ctypes.CDLL(None)
_ASK = -1  # setfsuid(2): an invalid id changes nothing, and the call returns the current one
_PR_SET_PDEATHSIG, _PR_GET_PDEATHSIG = 1, 2  # linux/prctl.h


def user_name(uid: int) -> str:
    """Return the name of a user of this system, or "user 1234" if the system knows none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def owner_of(path: str) -> os.stat_result:
    """Return the state of the folder, or of the nearest existing folder above it. Its owner owns what is made there.

    Root may own the mount point of a body store. Then the state of the store's marker is returned.
    """
    place = Path(path)
    while not place.exists() and place != place.parent:
        place = place.parent
    state = place.stat()
    if state.st_uid == 0:
        with contextlib.suppress(OSError):
            return (place / STORE_MARKER).stat()
    return state


def identity_of(path: str) -> AbstractContextManager[None]:
    """Return a context in which this thread accesses files as the owner of `path`.

    It changes nothing unless the process runs as root. Entering it raises PermissionError if root cannot take that
    identity. Code within it must not await anything.
    """
    if os.geteuid() != 0:
        return _ITSELF
    owner = owner_of(path)
    return _identity(path, owner.st_uid, owner.st_gid) if owner.st_uid else _ITSELF


_ITSELF = nullcontext()


@contextmanager
def _identity(path: str, uid: int, gid: int) -> Iterator[None]:
    signal_at_death = _signal_at_parents_death()
    before = _take(uid, gid)
    try:
        _require(path, uid)
        yield
    finally:
        _take(*before)
        # prctl(2), PR_SET_PDEATHSIG: a change of identity forgets it.
        if signal_at_death:
            _libc.prctl(_PR_SET_PDEATHSIG, signal_at_death, 0, 0, 0)


def _take(uid: int, gid: int) -> tuple[int, int]:
    """Take an identity and return the one before. Do nothing on a system without the call; only Linux has it."""
    if not hasattr(_libc, "setfsuid"):
        return 0, 0
    group = _libc.setfsgid(gid)  # first, since only root may change the group
    return _libc.setfsuid(uid), group


def _require(path: str, uid: int) -> None:
    """Raise PermissionError unless the identity was taken. The calls themselves report no failure."""
    if not hasattr(_libc, "setfsuid") or _libc.setfsuid(_ASK) != uid:
        name = user_name(uid)
        text = f"root cannot write as {name} here, who owns it: run this as {name} (runuser -u {name} -- …)"
        raise PermissionError(errno.EPERM, text, path)


def _signal_at_parents_death() -> int:
    """Return the signal that this process gets when its parent dies (PR_SET_PDEATHSIG); 0 if none."""
    number = ctypes.c_int(0)
    if hasattr(_libc, "prctl"):
        _libc.prctl(_PR_GET_PDEATHSIG, ctypes.byref(number), 0, 0, 0)
    return number.value
