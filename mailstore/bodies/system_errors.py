"""What the system's errors mean for mail; one table."""

from __future__ import annotations

import errno

from mailstore.errors import StorageFull, TryAgain, Unavailable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# What opening or reading says of a folder, a socket, a pipe, a device or a link to itself. None of them is a body.
NO_FILE = frozenset({errno.EISDIR, errno.ENOTDIR, errno.ENXIO, errno.ENODEV, errno.ESPIPE, errno.ELOOP})

# What is wrong with one file, and not with the machine or its limits.
UNREADABLE = frozenset({errno.EIO, errno.EACCES, errno.EPERM, errno.EUCLEAN, errno.EBADMSG, errno.ENODATA})


def fault(error: OSError, doing: str) -> TryAgain:
    """Return the error to raise instead of `error`. None of them is the message's fault, so all are temporary."""
    kind = StorageFull if error.errno in _FULL else Unavailable
    return kind(f"{doing}: {error}")
