"""Bodies as files below one folder: ROOT/PERIOD/X/KEY, each ending in the trailer by which it proves itself."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from mailstore.bodies import disk, drafts, layout, opened
from mailstore.bodies.drafts import FileDraft
from mailstore.bodies.faults import fault
from mailstore.bodies.folders import Folders
from mailstore.errors import BodyLost, StorageFull, TryAgain, Unavailable
from mailstore.policy import ids
from mailstore.ports import BodyRef, OpenBody

FREE_OCTETS = 1024 * 1024  # below this the store calls itself full: a few messages' room
FOLDER_MILLISECONDS = 500  # then the next folder has its turn, so that all 32 of a period fill alike
_MARKER_TEXT = "This folder holds popadmin's mail bodies. Its name stands in MAIL_STORE_URL; do not remove this file.\n"
# Drafts begun lately may still be put into the folders of their time; older folders may go when they are empty.
_LIVE_MILLISECONDS = 2 * 86_400_000


class FileBodies:
    """The BodyStore on a local file system, or on any other with hard links and a true fsync."""

    def __init__(self, root: Path, *, unnamed: bool = True) -> None:
        """`unnamed`: drafts have no name where the system can do so; for tests of systems that cannot."""
        self._root = str(root)
        self._folders = Folders(self._root)
        self._unnamed = unnamed and Path("/proc/self/fd").is_dir()

    def prepare(self) -> None:
        """Make the store where there is none; called once, before the first body, never to mend a store that vanished.

        An empty folder may be a disk that is not mounted: whoever calls this knows that nothing was stored yet.
        """
        root = Path(self._root)
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            (root / layout.DRAFTS).mkdir(mode=0o700, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                self._write_marker()
            disk.sync_folder(self._root)
            disk.sync_folder(str(root.parent))
        except OSError as error:
            raise fault(error, f"making the mail store {self._root}") from error

    def prepared(self) -> bool:
        """True when the store was made and its disk is there."""
        return Path(self._root, layout.MARKER).exists()

    def begin(self) -> FileDraft:
        return FileDraft(self._root, fresh_key(time.time_ns() // 1_000_000), self._folders, unnamed=self._unnamed)

    def commit(self, finished: Sequence[tuple[FileDraft, int]]) -> list[BodyRef | TryAgain]:
        return drafts.commit(finished)

    def open(self, ref: BodyRef) -> OpenBody:
        try:
            return opened.open_body(self._path(ref.key), ref)
        except FileNotFoundError as error:
            self._check_mounted()
            raise BodyLost(f"body {ref.key} is missing from {self._root}") from error
        except OSError as error:
            raise fault(error, f"opening the body {ref.key}") from error

    def verify(self, ref: BodyRef) -> None:
        body = self.open(ref)
        try:
            opened.verify(body, ref)
        finally:
            body.close()

    def remove(self, name: str) -> None:
        path = Path(self._path(name))
        try:
            path.unlink(missing_ok=True)
            if ids.is_id(name) and layout.period(name) < _first_live_period():
                self._tidy(name)
        except OSError as error:
            raise fault(error, f"removing the body {name}") from error

    def keys(self) -> Iterator[str]:
        self._check_mounted()
        for outer in self._names(""):
            if outer not in {layout.DRAFTS, layout.MARKER}:
                for inner in self._names(outer):
                    yield from filter(ids.is_id, self._names(f"{outer}/{inner}"))

    def litter(self, older_than_seconds: float) -> Iterator[str]:
        self._check_mounted()
        for made in filter(ids.is_id, self._names(layout.DRAFTS)):
            name = layout.draft(made)
            with contextlib.suppress(FileNotFoundError):
                if time.time() - Path(self._path(name)).stat().st_mtime >= older_than_seconds:
                    yield name

    def probe(self) -> None:
        self._check_mounted()
        draft = self.begin()
        draft.write(b"\0" * (opened.HELD_OCTETS + 1))  # large enough to reach the disk
        draft.abort()
        state = os.statvfs(self._root)
        if state.f_bavail * state.f_frsize < FREE_OCTETS:
            raise StorageFull(f"{self._root} has less than {FREE_OCTETS} octets left")

    def _path(self, name: str) -> str:
        return f"{self._root}/{layout.path(name)}"

    def _check_mounted(self) -> None:
        try:
            Path(self._root, layout.MARKER).stat()
        except OSError as error:
            raise Unavailable(f"{self._root} is not a mail store now; is its disk mounted? {error}") from error

    def _write_marker(self) -> None:
        descriptor = disk.create(f"{self._root}/{layout.MARKER}")
        try:
            disk.write_all(descriptor, _MARKER_TEXT.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _names(self, folder: str) -> list[str]:
        try:
            return [path.name for path in Path(self._root, folder).iterdir()]
        except (FileNotFoundError, NotADirectoryError):  # removed meanwhile; something else that lies here
            return []
        except OSError as error:
            raise fault(error, f"reading the folder {self._root}/{folder}") from error

    def _tidy(self, key: str) -> None:
        """Remove the folders of a past period that are empty now."""
        for folder in reversed(layout.folders(key)):
            with contextlib.suppress(OSError):
                Path(self._root, folder).rmdir()


def fresh_key(milliseconds: int) -> str:
    """What is begun within the same short time goes into the same folder, so that one fsync of it serves several."""
    turn = milliseconds // FOLDER_MILLISECONDS % layout.FOLDERS
    return ids.new_id(milliseconds, os.urandom(ids.RANDOM_OCTETS - 1) + bytes([turn]))


def _first_live_period() -> str:
    return layout.period(ids.new_id(time.time_ns() // 1_000_000 - _LIVE_MILLISECONDS, bytes(ids.RANDOM_OCTETS)))
