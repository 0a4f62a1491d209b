"""One `up` at a time on a data folder; the lock ends with the process, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from popadmin.up.errors import UpError

FOLDER_MODE = 0o711  # others may pass through (a cluster may belong to nobody), and list nothing


@contextmanager
def hold(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for the length of a `with`, and make it where it is missing."""
    try:
        data_dir.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        descriptor = os.open(data_dir / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
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
