"""Storage for answers that are too large for memory: limits on their number and on the disk space they use.

Each is an unnamed file in one folder; it disappears with its answer, or with the process.
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
    """There is no room for this answer. gunicorn treats it as a peer that has gone, and logs nothing."""

    def __init__(self, cause: str) -> None:
        super().__init__(errno.EPIPE, cause)
        self.cause = cause


class Downloads:
    """The large answers of one process. Threads write them, so a lock protects the counts."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._lock = threading.Lock()
        self._of: Counter[str] = Counter()
        self._octets = 0

    def begin(self, session: str) -> IO[bytes]:
        """Return a file for one more answer of this session. NoRoom at the limit, or when the disk is full."""
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
        """Count more octets for one answer. NoRoom if all answers together would use too much."""
        with self._lock:
            if self._octets + octets > self._limits.download_room_octets:
                raise NoRoom(f"downloads take {self._octets} octets already")
            self._octets += octets

    def end(self, session: str, octets: int) -> None:
        """Release an answer that used this many octets."""
        with self._lock:
            self._octets -= octets
            self._of[session] -= 1
            self._of += Counter()  # keeps positive counts only

    def _file(self) -> IO[bytes]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize < self._limits.spare_disk_octets:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return tempfile.TemporaryFile(dir=self._folder, buffering=0)
