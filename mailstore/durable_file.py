"""Small files that survive a power cut, written as bodies are: whole or not at all; what is in them is others' part."""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
import time
from pathlib import Path


def write(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Put `data` in the place of whatever `path` was. After a power cut the old content is there, or the new."""
    unfinished = _written(path, data, mode)
    try:
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    sync(path.parent)


def create(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Make `path` with this content. FileExistsError when it is there; nobody ever reads a part of it."""
    unfinished = _written(path, data, mode)
    try:
        path.hardlink_to(unfinished)
    finally:
        unfinished.unlink()
    sync(path.parent)


def set_aside(path: Path) -> Path:
    """Rename what is damaged, a file or a folder, so that it can be looked at; return where it is now."""
    name = f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))  # of the same second
    aside = next(place for place in map(path.with_name, names) if not place.exists())
    path.rename(aside)
    sync(path.parent)
    return aside


def sync(path: Path) -> None:
    """Make a file that others have written, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _written(path: Path, data: bytes, mode: int) -> Path:
    """A file of another name beside `path`, on the disk in full."""
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
