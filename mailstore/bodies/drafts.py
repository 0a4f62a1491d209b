"""Drafts: bodies that are being written to a file store, and how several become durable together."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import xxhash

from mailstore.bodies import disk, layout, stored_body
from mailstore.bodies.folders import Folder, Folders
from mailstore.errors import TryAgain, Unavailable
from mailstore.file_owner import identity_of
from mailstore.ports.bodies import BodyRef

BUFFER_OCTETS = 128 * 1024  # most mail is smaller: it costs one write, and no file at all if it is refused


Outcomes = dict["FileDraft", "BodyRef | TryAgain"]


class FileDraft:
    """A body that is being written: in memory up to BUFFER_OCTETS, then in a file in the drafts' folder.

    Where the file system allows it, the file has no name until it is a body, so that a crash leaves no litter. `commit`
    calls the steps, which raise OSError.
    """

    def __init__(self, root: str, key: str, folders: Folders, *, unnamed: bool) -> None:
        self.key = key
        self.folder: Folder | None = None  # of the body; set by `publish`
        self._root = root
        self._drafts = f"{root}/{layout.DRAFTS}"
        self._path: str | None = None  # of a draft that has a name
        self._folders = folders
        self._unnamed = unnamed
        self._pending: list[bytes] = []
        self._pending_octets = 0
        self._wire_octets = 0
        self._has_nul = False
        self._digest = xxhash.xxh3_128()
        self._descriptor: int | None = None
        self._over = False

    def write(self, wire: bytes) -> None:
        self._refuse_when_over()
        self._pending.append(wire)
        self._pending_octets += len(wire)
        self._wire_octets += len(wire)
        self._digest.update(wire)
        self._has_nul = self._has_nul or b"\0" in wire
        if self._pending_octets > BUFFER_OCTETS:
            self._flush_or_give_up()

    def finish(self) -> None:
        """Add the trailer and write what is still held in memory."""
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
            with contextlib.suppress(OSError), identity_of(self._root):  # if it stays, the sweep removes it as litter
                Path(self._path).unlink()
            self._path = None
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def ref(self, octets: int) -> BodyRef:
        """Return what a row has to know of this body; `octets` is its unstuffed length."""
        return BodyRef(self.key, self._wire_octets, octets, self._digest.digest(), self._has_nul)

    # --- the steps of a commit ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start writing to disk. Then the first fsync of several drafts finds the others on their way already."""
        self._refuse_when_over()
        disk.start_writing(self._file())

    def sync(self) -> None:
        """Make the content durable."""
        self._refuse_when_over()
        os.fsync(self._file())

    def publish(self) -> None:
        """Give the finished file its name. A link, unlike a rename, never replaces a file."""
        with identity_of(self._root):
            self.folder = self._folders.of(self.key)
            if self._path is None:
                disk.name(self._file(), self.key, self.folder.descriptor)
            else:
                os.link(self._path, self.key, dst_dir_fd=self.folder.descriptor)

    def withdraw(self) -> None:
        """Remove a name that could not be made durable."""
        if self.folder is not None:
            with contextlib.suppress(OSError), identity_of(self._root):
                os.unlink(self.key, dir_fd=self.folder.descriptor)

    def failed(self, error: OSError) -> TryAgain:
        """Return the outcome of a draft for which a step raised `error`."""
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
    """Make finished drafts durable, each with its unstuffed length; return one outcome for each, in order.

    Each step is done for all drafts before the next one: the first fsync of a file or of a folder makes the file system
    write what is pending for all of them, so the others find little left to do. The caller then aborts each draft.
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
