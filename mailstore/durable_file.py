"""Small files that survive a power cut: they are written whole or not at all. Their content is the caller's part."""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
import time
from pathlib import Path


def write(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write `data` to `path`, and replace what is there. After a power cut the file has its old content or the new."""
    unfinished = _written(path, data, mode)
    try:
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    sync(path.parent)


def create(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Make `path` with this content. FileExistsError if it exists. No reader ever sees a part of the content."""
    unfinished = _written(path, data, mode)
    try:
        path.hardlink_to(unfinished)
    finally:
        unfinished.unlink()
    sync(path.parent)


def set_aside(path: Path) -> Path:
    """Rename a damaged file or folder, so that somebody can look at it; return its new path."""
    name = f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))  # of the same second
    aside = next(place for place in map(path.with_name, names) if not place.exists())
    path.rename(aside)
    sync(path.parent)
    return aside


def sync(path: Path) -> None:
    """Sync a file that others have written, or the names in a folder, so that they survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _written(path: Path, data: bytes, mode: int) -> Path:
    """Write a file with another name beside `path`, and sync it; return its path."""
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, mode)
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    return Path(name)
