"""As whom files below a folder are made: root takes the identity of the folder's owner for what it writes there.

The identity is that of one thread and of file accesses alone (setfsuid(2)): other threads, and what the process may do
otherwise, stay as they are. So an import reads another user's folders as root, and writes bodies as the store's owner.
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

from mailstore.bodies import layout

_libc = ctypes.CDLL(None)
_ASK = -1  # setfsuid(2): an id that cannot be had changes nothing, and the answer is the one in force
_PR_SET_PDEATHSIG, _PR_GET_PDEATHSIG = 1, 2  # linux/prctl.h


def user_name(uid: int) -> str:
    """Return the name of a user of this system, or the number of one who has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def owner_of(path: str) -> os.stat_result:
    """Return the state of the folder, or of the nearest one above it that is there: who owns it owns what is made.

    Where a store's folder is root's, as the place of a mounted disk may be, its marker says whose the store is.
    """
    place = Path(path)
    while not place.exists() and place != place.parent:
        place = place.parent
    state = place.stat()
    if state.st_uid == 0:
        with contextlib.suppress(OSError):
            return (place / layout.MARKER).stat()
    return state


def identity_of(path: str) -> AbstractContextManager[None]:
    """Within it this thread accesses files as the owner of `path` does, where it runs as root; else as itself.

    PermissionError where root cannot do so. Nothing within it may wait for other coroutines of the thread.
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
    """Take an identity where the system has such calls, which only Linux does; returns the one before."""
    if not hasattr(_libc, "setfsuid"):
        return 0, 0
    group = _libc.setfsgid(gid)  # first: who is not root may not choose a group
    return _libc.setfsuid(uid), group


def _require(path: str, uid: int) -> None:
    """Neither call says whether it worked."""
    if not hasattr(_libc, "setfsuid") or _libc.setfsuid(_ASK) != uid:
        name = user_name(uid)
        text = f"root cannot write as {name} here, who owns it: run this as {name} (runuser -u {name} -- …)"
        raise PermissionError(errno.EPERM, text, path)


def _signal_at_parents_death() -> int:
    number = ctypes.c_int(0)
    if hasattr(_libc, "prctl"):
        _libc.prctl(_PR_GET_PDEATHSIG, ctypes.byref(number), 0, 0, 0)
    return number.value
