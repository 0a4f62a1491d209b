"""System calls on files: write and read in full, sync folders, and say what a system error means. Knows no bodies."""

from __future__ import annotations

import ctypes
import errno
import os

from mailstore.errors import StorageFull, TryAgain, Unavailable

# Errors of a file system that cannot make a file without a name (NFS, old overlayfs), or of a kernel that cannot.
_NAMES_ONLY = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL})

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# Errors from opening or reading a folder, a socket, a pipe, a device or a link to itself. None of them is a body.
NO_FILE = frozenset({errno.EISDIR, errno.ENOTDIR, errno.ENXIO, errno.ENODEV, errno.ESPIPE, errno.ELOOP})

# Errors from removing a file if a folder that is not empty has its name, or if a file has the name of its folder.
NOT_REMOVABLE = frozenset({errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY, errno.ELOOP})

# Errors of one file, as opposed to those of the machine or its limits.
UNREADABLE = frozenset({errno.EIO, errno.EACCES, errno.EPERM, errno.EUCLEAN, errno.EBADMSG, errno.ENODATA})

# sync_file_range(2), which Python does not offer; only Linux has it.
_sync_file_range = getattr(ctypes.CDLL(None), "sync_file_range", None)
_SYNC_FILE_RANGE_WRITE = 2
if _sync_file_range is not None:
    _sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


def create(path: str) -> int:
    """Make a new file and return its descriptor. Raises FileExistsError if there is one."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def create_unnamed(folder: str) -> int | None:
    """Make a file without a name and return its descriptor; None if the system cannot. `name` gives it a name later."""
    try:
        return os.open(folder, os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno in _NAMES_ONLY:
            return None
        raise


def name(descriptor: int, name: str, folder: int) -> None:
    """Give a file without a name its name in an open folder. Raises FileExistsError if the name is taken."""
    # open(2), O_TMPFILE. Python follows the link in /proc only if it is given a folder to start from.
    os.link(f"/proc/self/fd/{descriptor}", name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=True)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every octet. A single write may stop early, and does so on a disk that fills up."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def start_writing(descriptor: int) -> None:
    """Ask the system to begin writing to disk, if it can. This guarantees nothing; an fsync must follow."""
    if _sync_file_range is not None:
        _sync_file_range(descriptor, 0, 0, _SYNC_FILE_RANGE_WRITE)


def read_all(descriptor: int, count: int, offset: int) -> bytes:
    """Read `count` octets at `offset`, fewer only at the end of the file."""
    data = os.pread(descriptor, count, offset)
    if len(data) == count:
        return data
    chunks = [data]
    while chunks[-1]:
        offset += len(chunks[-1])
        count -= len(chunks[-1])
        chunks.append(os.pread(descriptor, count, offset))
    return b"".join(chunks)


def names(folder: str) -> list[str]:
    """Return the names in a folder, sorted."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries)


def sync_folder(path: str) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fault(error: OSError, doing: str) -> TryAgain:
    """Return the error to raise instead of `error`. No system error is the message's fault, so all are temporary."""
    kind = StorageFull if error.errno in _FULL else Unavailable
    return kind(f"{doing}: {error}")
