"""The file store: bodies as files below one folder, ROOT/PERIOD/X/KEY (see `layout` and `stored_body`)."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from mailstore.bodies import body_check, disk, drafts, foreign_files, layout, stored_body
from mailstore.bodies.drafts import FileDraft
from mailstore.bodies.folders import Folders
from mailstore.bodies.quarantine import Quarantine
from mailstore.errors import BodyLost, BodyUnreadable, Done, MailError, StorageFull, TryAgain, Unavailable
from mailstore.file_owner import STORE_MARKER, identity_of, owner_of, user_name
from mailstore.policy import sortable_ids
from mailstore.ports.bodies import BodyRef, ForeignFile, OpenBody, QuarantinedBody

FREE_OCTETS = 1024 * 1024  # with less free room, enough for a few messages, the store reports that it is full
FOLDER_MILLISECONDS = 500  # after this time the next folder is used, so that all 32 of a period fill evenly
_MARKER_TEXT = "This folder holds popadmin's mail bodies. Its name stands in MAIL_STORE_URL; do not remove this file.\n"
# A draft may still be put into a folder that is younger than this; an older one may be removed when it is empty.
_LIVE_MILLISECONDS = 2 * 86_400_000


class FileBodies:
    """ports.BodyStore on a local file system, or on another one with hard links and a true fsync."""

    def __init__(self, root: Path, *, unnamed: bool = True) -> None:
        """`unnamed` False makes drafts with names everywhere, as on a system that cannot make files without one."""
        self._root = str(root)
        self._folders = Folders(self._root)
        self._quarantine = Quarantine(self._root, self._folders)
        self._unnamed = unnamed and Path("/proc/self/fd").is_dir()

    def prepare(self) -> None:
        root = Path(self._root)
        try:
            with identity_of(self._root):
                root.mkdir(mode=0o700, parents=True, exist_ok=True)
                (root / layout.DRAFTS).mkdir(mode=0o700, exist_ok=True)
                with contextlib.suppress(FileExistsError):
                    _write_durably(f"{self._root}/{STORE_MARKER}", _MARKER_TEXT)
                disk.sync_folder(self._root)
                disk.sync_folder(str(root.parent))
        except OSError as error:
            raise disk.fault(error, f"making the mail store {self._root}") from error

    def prepared(self) -> bool:
        """Return True if the store was made and its disk is mounted. Makes the folder of drafts again if it is missing.

        Copies leave it out if they carry no empty folders.
        """
        try:
            root = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return False
        # By the descriptor of the folder that has the marker: never in the mount point of a disk that goes meanwhile.
        try:
            if not _exists(STORE_MARKER, root):
                return False
            if not _exists(layout.DRAFTS, root):
                self._make_drafts(root)
        finally:
            os.close(root)
        return True

    def _make_drafts(self, root: int) -> None:
        with contextlib.suppress(OSError), identity_of(self._root):  # the next delivery reports a failure
            os.mkdir(layout.DRAFTS, 0o700, dir_fd=root)
            os.fsync(root)

    def begin(self) -> FileDraft:
        return FileDraft(self._root, fresh_key(time.time_ns() // 1_000_000), self._folders, unnamed=self._unnamed)

    def commit(self, finished: Sequence[tuple[FileDraft, int]]) -> list[BodyRef | TryAgain]:
        return drafts.commit(finished)

    def open(self, ref: BodyRef, done: Done[OpenBody]) -> None:
        """Answer at once: a read from disk costs less than asking a thread for it."""
        done(self._opened(ref))

    def _opened(self, ref: BodyRef) -> OpenBody | MailError:
        try:
            return stored_body.open_body(self._path(ref.key), ref)
        except MailError as error:
            return error
        except OSError as error:
            return self._meaning(error, ref.key)

    def verify(self, ref: BodyRef) -> bool:
        try:
            return body_check.verify(self._path(ref.key), ref)
        except OSError as error:
            raise self._meaning(error, ref.key) from error

    def examine(self, name: str) -> tuple[BodyRef, float]:
        key = layout.key_of(name)
        try:
            ref, written_at = body_check.examine(self._path(name), key)
        except OSError as error:
            raise self._meaning(error, name) from error
        milliseconds, _chance = sortable_ids.parts(key)
        return ref, min(written_at, milliseconds / 1000)  # a copied file may be younger than its key

    def remove(self, name: str) -> None:
        path = Path(self._path(name))
        try:
            with identity_of(self._root):
                _unlink(path)
                if name.startswith(layout.QUARANTINE):
                    self._quarantine.tidy(name)
                elif sortable_ids.is_id(name) and layout.period(name) < _first_live_period():
                    self._tidy(name)
        except OSError as error:
            if error.errno not in {*disk.NOT_REMOVABLE, *disk.UNREADABLE}:
                raise disk.fault(error, f"removing the body {name}") from error
            self.require_mounted()
            raise BodyUnreadable(f"body {name} cannot be removed: {error}") from error

    def keys(self) -> Iterator[str]:
        self.require_mounted()
        for outer in filter(layout.is_period, self._names("")):
            for inner in self._names(outer):
                yield from filter(sortable_ids.is_id, self._names(f"{outer}/{inner}"))

    def litter(self, older_than_seconds: float) -> Iterator[str]:
        self.require_mounted()
        for draft_id in filter(sortable_ids.is_id, self._names(layout.DRAFTS)):
            name = layout.draft(draft_id)
            with contextlib.suppress(FileNotFoundError):
                if time.time() - Path(self._path(name)).stat().st_mtime >= older_than_seconds:
                    yield name

    def set_aside(self, keys: Sequence[str]) -> set[str]:
        try:
            with identity_of(self._root):
                return self._quarantine.put(keys)
        except OSError as error:
            raise disk.fault(error, "moving bodies into the quarantine") from error

    def quarantined(self, older_than_days: float = 0) -> Iterator[QuarantinedBody]:
        self.require_mounted()
        try:
            yield from self._quarantine.bodies(older_than_days)
        except OSError as error:
            raise disk.fault(error, "reading the quarantine") from error

    def bring_back(self, name: str) -> str:
        try:
            with identity_of(self._root):
                return self._quarantine.take_back(name)
        except OSError as error:
            raise disk.fault(error, f"bringing back {name}") from error

    def foreign(self) -> Iterator[tuple[int, list[ForeignFile]]]:
        self.require_mounted()
        yield from foreign_files.walk(self._root)

    def mend(self, file: ForeignFile) -> bool:
        try:
            foreign_files.mend(self._root, file.name)
        except OSError:  # this process is not root, or the file has several names
            return False
        return True

    def require_mounted(self) -> None:
        """Raise Unavailable if the store was not made, or its disk is not mounted."""
        try:
            Path(self._root, STORE_MARKER).stat()
        except PermissionError as error:
            owner = user_name(owner_of(self._root).st_uid)
            raise Unavailable(f"{self._root} belongs to {owner}: run this as {owner}, or as root. {error}") from error
        except OSError as error:
            raise Unavailable(f"{self._root} is not a mail store now; is its disk mounted? {error}") from error

    def require_usable(self, keys: Sequence[str]) -> None:
        self.require_mounted()
        try:
            each = (foreign_files.one(self._root, layout.path(key)) for key in keys if sortable_ids.is_id(key))
            found = foreign_files.recent(self._root) or next(filter(None, each), None)
        except OSError as error:
            raise disk.fault(error, f"looking at {self._root}") from error
        if found is not None:
            raise Unavailable(f"{self._root}/{found.name} {found.detail}: {found.remedy}")

    def store_id(self) -> str | None:
        try:
            return Path(self._root, layout.STORE_ID).read_text().strip() or None
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        except OSError as error:
            raise disk.fault(error, f"reading {self._root}/{layout.STORE_ID}") from error

    def set_store_id(self, store_id: str) -> None:
        unfinished = f"{self._root}/{layout.draft(fresh_key(time.time_ns() // 1_000_000))}"
        try:
            with identity_of(self._root):
                _write_durably(unfinished, f"{store_id}\n")
                Path(unfinished).rename(f"{self._root}/{layout.STORE_ID}")
                disk.sync_folder(self._root)
        except OSError as error:
            raise disk.fault(error, f"writing {self._root}/{layout.STORE_ID}") from error

    def place(self) -> str:
        return self._root

    def probe(self) -> None:
        self.require_mounted()
        draft = self.begin()
        draft.write(b"\0" * (stored_body.HELD_OCTETS + 1))  # large enough to reach the disk
        draft.abort()
        state = os.statvfs(self._root)
        if state.f_bavail * state.f_frsize < FREE_OCTETS:
            raise StorageFull(f"{self._root} has less than {FREE_OCTETS} octets left")

    def _path(self, name: str) -> str:
        return f"{self._root}/{layout.path(name)}"

    def _meaning(self, error: OSError, name: str) -> MailError:
        """Return the error that a system error for a body means; Unavailable if the store is away."""
        if error.errno not in {errno.ENOENT, *disk.NO_FILE, *disk.UNREADABLE}:
            return disk.fault(error, f"reading the body {name}")
        try:
            self.require_mounted()
        except Unavailable as away:
            return away
        if error.errno in disk.UNREADABLE:
            return BodyUnreadable(f"body {name} cannot be read: {error}")
        if isinstance(error, FileNotFoundError):
            return BodyLost(f"body {name} is missing from {self._root}")
        return BodyLost(f"in the place of body {name} lies something else: {error}")

    def _names(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted; none if it cannot be listed, which `foreign` reports."""
        try:
            return disk.names(f"{self._root}/{folder}")
        except OSError:
            return []

    def _tidy(self, key: str) -> None:
        """Remove the folders of `key`, of a past period, if they are empty now."""
        for folder in reversed(layout.folders(key)):
            with contextlib.suppress(OSError):
                Path(self._root, folder).rmdir()


def _unlink(path: Path) -> None:
    """Remove a file, or an empty folder in its place."""
    try:
        path.unlink(missing_ok=True)
    except IsADirectoryError:
        path.rmdir()


def _exists(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder)
    except OSError:
        return False
    return True


def _write_durably(path: str, text: str) -> None:
    """Write a new file and sync it."""
    descriptor = disk.create(path)
    try:
        disk.write_all(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fresh_key(milliseconds: int) -> str:
    """Return a new key. Keys of the same half second share a folder, so that one fsync of it serves several bodies."""
    turn = milliseconds // FOLDER_MILLISECONDS % layout.FOLDERS
    return sortable_ids.new_id(milliseconds, os.urandom(sortable_ids.RANDOM_OCTETS - 1) + bytes([turn]))


def _first_live_period() -> str:
    """Return the oldest period whose folders may still get a body."""
    return layout.period(
        sortable_ids.new_id(time.time_ns() // 1_000_000 - _LIVE_MILLISECONDS, bytes(sortable_ids.RANDOM_OCTETS))
    )
