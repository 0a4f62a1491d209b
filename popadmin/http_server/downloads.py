"""Room for the answers that are too large for memory: how many there are at once, and how much disk they take.

Each is a file without a name in one folder: it is gone when its answer is, and when the process is.
"""

from __future__ import annotations

import errno
import os
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import IO

from popadmin.http_server.limits import Limits


class NoRoom(OSError):
    """This answer cannot be kept. gunicorn takes it for a peer that is gone, and logs nothing."""

    def __init__(self, cause: str) -> None:
        super().__init__(errno.EPIPE, cause)
        self.cause = cause


class Downloads:
    """The large answers of one process. Threads write them, so a lock guards the figures."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._lock = threading.Lock()
        self._of: Counter[str] = Counter()
        self._octets = 0

    def begin(self, session: str) -> IO[bytes]:
        """A file for one more answer of this session. NoRoom when there are enough, or the disk has none."""
        with self._lock:
            if self._of.total() >= self._limits.downloads:
                raise NoRoom(f"{self._limits.downloads} downloads run already")
            if self._of[session] >= self._limits.downloads_of_a_session:
                raise NoRoom(f"{self._limits.downloads_of_a_session} downloads of one session run already")
            self._of[session] += 1
        try:
            return self._file()
        except OSError as error:
            self.end(session, 0)
            raise NoRoom(f"{self._folder}: {error.strerror}") from error

    def grow(self, octets: int) -> None:
        """One of them takes so much more. NoRoom when all of them together would take too much."""
        with self._lock:
            if self._octets + octets > self._limits.download_room_octets:
                raise NoRoom(f"downloads take {self._octets} octets already")
            self._octets += octets

    def end(self, session: str, octets: int) -> None:
        """An answer that took so much is gone."""
        with self._lock:
            self._octets -= octets
            self._of[session] -= 1
            self._of += Counter()  # keeps what is above 0

    def _file(self) -> IO[bytes]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize < self._limits.spare_disk_octets:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return tempfile.TemporaryFile(dir=self._folder, buffering=0)
