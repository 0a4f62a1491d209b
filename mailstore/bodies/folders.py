"""The folders of a file store, made where missing and durable before a body is put in. Knows no bodies."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from mailstore.bodies import disk, layout

REMEMBERED_FOLDERS = 1024  # twelve days' folders


class Folder:
    """One that is there, open for as long as anybody holds this: what comes in the same half second needs it again."""

    def __init__(self, path: str, inner: str) -> None:
        self.inner = inner
        self.descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # it could not be opened
            os.close(self.descriptor)


class Folders:
    """Which folders are known to be there; shared by all drafts of a store, in any thread."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._durable: set[str] = set()
        self._last: Folder | None = None

    def of(self, key: str) -> Folder:
        """Return the folder of `key`."""
        outer, inner = layout.folders(key)
        last = self._last
        if last is not None and last.inner == inner:
            return last
        if inner not in self._durable:
            self._make(self._root, outer)
            self._make(f"{self._root}/{outer}", inner.removeprefix(f"{outer}/"))
            if len(self._durable) >= REMEMBERED_FOLDERS:
                self.forget()
            self._durable.add(inner)
        self._last = last = Folder(f"{self._root}/{inner}", inner)
        return last

    def forget(self) -> None:
        """Look again which folders there are."""
        self._durable.clear()
        self._last = None

    @staticmethod
    def _make(parent: str, name: str) -> None:
        # Also where it exists: the process that made it may not have come to the fsync yet.
        with contextlib.suppress(FileExistsError):
            Path(parent, name).mkdir(mode=0o700)
        disk.sync_folder(parent)
