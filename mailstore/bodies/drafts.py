"""Bodies being written to a file store, and how several become durable together. What opens them again is `opened`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import xxhash

from mailstore.bodies import disk, layout, stored_body
from mailstore.bodies.folders import Folder, Folders
from mailstore.bodies.store_owner import identity_of
from mailstore.errors import TryAgain, Unavailable
from mailstore.ports.bodies import BodyRef

BUFFER_OCTETS = 128 * 1024  # most mail is smaller: one write, and no file at all for what is refused


Outcomes = dict["FileDraft", "BodyRef | TryAgain"]


class FileDraft:
    """A body being written: in memory up to BUFFER_OCTETS, then in a file of the drafts' folder.

    That file has no name until it is a body, where the file system can do so: whatever happens, it leaves no litter.
    `commit` drives its steps, which raise OSError.
    """

    def __init__(self, root: str, key: str, folders: Folders, *, unnamed: bool) -> None:
        self.key = key
        self.folder: Folder | None = None  # where the body lies, once it was published
        self._root = root
        self._drafts = f"{root}/{layout.DRAFTS}"
        self._path: str | None = None  # of a draft with a name
        self._folders = folders
        self._unnamed = unnamed
        self._pending: list[bytes] = []
        self._pending_octets = 0
        self._wire_octets = 0
        self._digest = xxhash.xxh3_128()
        self._descriptor: int | None = None
        self._over = False

    def write(self, wire: bytes) -> None:
        self._refuse_when_over()
        self._pending.append(wire)
        self._pending_octets += len(wire)
        self._wire_octets += len(wire)
        self._digest.update(wire)
        if self._pending_octets > BUFFER_OCTETS:
            self._flush_or_give_up()

    def finish(self) -> None:
        """All of it was written."""
        self._refuse_when_over()
        self._pending.append(stored_body.seal(self._digest.digest(), self._wire_octets))
        self._flush_or_give_up()

    def commit(self, octets: int) -> BodyRef:
        self.finish()
        (outcome,) = commit([(self, octets)])
        self.abort()
        if isinstance(outcome, TryAgain):
            raise outcome
        return outcome

    def abort(self) -> None:
        self._over = True
        self._pending.clear()
        if self._path is not None:
            with contextlib.suppress(OSError), identity_of(self._root):  # what stays is litter, and is swept
                Path(self._path).unlink()
            self._path = None
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def ref(self, octets: int) -> BodyRef:
        return BodyRef(self.key, self._wire_octets, octets, self._digest.digest())

    # --- the steps of a commit ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Set the disk to work, so that the fsync of one of several finds the others on their way."""
        self._refuse_when_over()
        disk.start_writing(self._file())

    def sync(self) -> None:
        self._refuse_when_over()
        os.fsync(self._file())

    def publish(self) -> None:
        """Give the finished file its name. A link, unlike a rename, never replaces what is there."""
        with identity_of(self._root):
            self.folder = self._folders.of(self.key)
            if self._path is None:
                disk.name(self._file(), self.key, self.folder.descriptor)
            else:
                os.link(self._path, self.key, dst_dir_fd=self.folder.descriptor)

    def withdraw(self) -> None:
        """Take back a name that could not be made durable."""
        if self.folder is not None:
            with contextlib.suppress(OSError), identity_of(self._root):
                os.unlink(self.key, dir_fd=self.folder.descriptor)

    def failed(self, error: OSError) -> TryAgain:
        """Return what `error` in one of the steps means."""
        self._folders.forget()
        return disk.fault(error, f"storing the body {self.key}")

    # --- its file -------------------------------------------------------------------------------------------------

    def _refuse_when_over(self) -> None:
        if self._over:
            raise Unavailable(f"the draft of {self.key} was ended before")

    def _flush_or_give_up(self) -> None:
        try:
            disk.write_all(self._file(), b"".join(self._pending))
        except OSError as error:
            self.abort()
            raise disk.fault(error, f"writing the draft of {self.key}") from error
        self._pending.clear()
        self._pending_octets = 0

    def _file(self) -> int:
        if self._descriptor is None:
            with identity_of(self._root):
                self._descriptor = self._create()
        return self._descriptor

    def _create(self) -> int:
        descriptor = disk.create_unnamed(self._drafts) if self._unnamed else None
        if descriptor is None:
            path = f"{self._drafts}/{self.key}"
            descriptor = disk.create(path)
            self._path = path
        return descriptor


def commit(finished: Sequence[tuple[FileDraft, int]]) -> list[BodyRef | TryAgain]:
    """Make bodies durable, each with its unstuffed length; one outcome each, whatever becomes of the others.

    Each step is taken for all before the next: the first fsync, of a file as of a folder, makes the file system write
    what it owes for all of them, and the others find little left to do. The drafts are to be aborted afterwards.
    """
    outcomes: Outcomes = {draft: draft.ref(octets) for draft, octets in finished}
    steps = (FileDraft.start, FileDraft.sync, FileDraft.publish)
    for step in steps if len(outcomes) > 1 else steps[1:]:
        _take(step, outcomes)
    _sync_folders(outcomes)
    return list(outcomes.values())


def _take(step: Callable[[FileDraft], None], outcomes: Outcomes) -> None:
    for draft in _going(outcomes):
        try:
            step(draft)
        except OSError as error:
            outcomes[draft] = draft.failed(error)
        except TryAgain as error:
            outcomes[draft] = error


def _sync_folders(outcomes: Outcomes) -> None:
    for folder, drafts in _by_folder(_going(outcomes)).items():
        try:
            os.fsync(folder.descriptor)
        except OSError as error:
            for draft in drafts:
                draft.withdraw()
                outcomes[draft] = draft.failed(error)


def _by_folder(published: list[FileDraft]) -> dict[Folder, list[FileDraft]]:
    folders: dict[Folder, list[FileDraft]] = {}
    for draft in published:
        if draft.folder is not None:
            folders.setdefault(draft.folder, []).append(draft)
    return folders


def _going(outcomes: Outcomes) -> list[FileDraft]:
    return [draft for draft, outcome in outcomes.items() if isinstance(outcome, BodyRef)]
