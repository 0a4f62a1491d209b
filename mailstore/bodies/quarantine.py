"""The quarantine of a file store: bodies set aside by day, until the sweep destroys them."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from mailstore.bodies import disk, layout
from mailstore.bodies.folders import Folders
from mailstore.policy import sortable_ids
from mailstore.ports.bodies import QuarantinedBody


class Quarantine:
    """Moves bodies into the quarantine and back by renaming, so that a body is always in exactly one place.

    The caller has taken the identity of the store's owner. Every method may raise OSError.
    """

    def __init__(self, root: str, folders: Folders) -> None:
        self._root = root
        self._folders = folders

    def put(self, keys: Sequence[str]) -> set[str]:
        """Move bodies into the quarantine, durably; return the keys of those that were files in their places."""
        day = datetime.now(UTC).date().isoformat()
        moved = {key: layout.aside(day, key) for key in keys if self._is_file(layout.path(key))}
        for folder in sorted({name[: -len(key) - 1] for key, name in moved.items()}):
            self._make(folder)
        for key, name in moved.items():
            Path(self._root, layout.path(key)).rename(f"{self._root}/{name}")
        self._sync(moved)
        return set(moved)

    def bodies(self, older_than_days: float) -> Iterator[QuarantinedBody]:
        """Yield what was put here at least so many days ago, sorted by name."""
        last = (datetime.now(UTC) - timedelta(days=older_than_days)).date()
        for day in self._listed(layout.QUARANTINE):
            if _is_day(day) and day <= last.isoformat():
                for inner in self._listed(f"{layout.QUARANTINE}/{day}"):
                    folder = f"{layout.QUARANTINE}/{day}/{inner}"
                    for key in filter(sortable_ids.is_id, self._listed(folder)):
                        yield QuarantinedBody(key, f"{folder}/{key}")

    def take_back(self, name: str) -> str:
        """Move a body back to its place, durably; return its key."""
        key = layout.key_of(name)
        self._folders.of(key)
        Path(self._root, layout.path(name)).rename(f"{self._root}/{layout.path(key)}")
        self._sync({key: name})
        self.tidy(name)
        return key

    def tidy(self, name: str) -> None:
        """Remove the folders of a name if they are empty now."""
        inner = Path(self._root, name).parent
        for folder in (inner, inner.parent):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _is_file(self, path: str) -> bool:
        try:
            return stat.S_ISREG(Path(self._root, path).lstat().st_mode)
        except FileNotFoundError:
            return False

    def _make(self, folder: str) -> None:
        made = Path(self._root)
        for part in Path(folder).parts:
            above, made = made, made / part
            with contextlib.suppress(FileExistsError):
                made.mkdir(mode=0o700)
            disk.sync_folder(str(above))

    def _sync(self, moved: dict[str, str]) -> None:
        """Make the moves durable: sync the new folders first, then the old ones."""
        places = [*moved.values(), *(layout.path(key) for key in moved)]
        for folder in dict.fromkeys(os.path.split(place)[0] for place in places):
            disk.sync_folder(f"{self._root}/{folder}")

    def _listed(self, folder: str) -> list[str]:
        try:
            return disk.names(f"{self._root}/{folder}")
        except (FileNotFoundError, NotADirectoryError):
            return []


def _is_day(name: str) -> bool:
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False
