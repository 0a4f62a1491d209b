"""The folders of a file store: makes missing ones, and makes them durable before a body is put in. Knows no bodies."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from mailstore.bodies import disk, layout

REMEMBERED_FOLDERS = 1024  # the folders of twelve days


class Folder:
    """An existing folder. It stays open while this object lives: bodies of the same half second need it again."""

    def __init__(self, path: str, inner: str) -> None:
        self.inner = inner
        self.descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # opening it failed
            os.close(self.descriptor)


class Folders:
    """The folders that are known to exist. All drafts of a store share it, in any thread."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._durable: set[str] = set()
        self._last: Folder | None = None

    def of(self, key: str) -> Folder:
        """Return the folder of `key`; make it first if it is missing. OSError."""
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
        """Forget what is known, so that folders are looked for again."""
        self._durable.clear()
        self._last = None

    @staticmethod
    def _make(parent: str, name: str) -> None:
        # The folder is synced even if it exists: the process that made it may not have synced it yet.
        with contextlib.suppress(FileExistsError):
            Path(parent, name).mkdir(mode=0o700)
        disk.sync_folder(parent)
