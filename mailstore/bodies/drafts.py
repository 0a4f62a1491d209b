"""Bodies being written to a file store. What opens them again is `opened`."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import xxhash

from mailstore.bodies import disk, layout, trailer
from mailstore.bodies.faults import fault
from mailstore.errors import Unavailable
from mailstore.ports import BodyRef

BUFFER_OCTETS = 128 * 1024  # most mail is smaller: one write, and no file at all for what is refused
REMEMBERED_FOLDERS = 1024  # twelve days' folders


class Folders:
    """The folders of a store, made where missing and durable before a body is put in."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._durable: set[str] = set()

    def make(self, key: str) -> str:
        """Return the path of the folder of `key`."""
        outer, inner = layout.folders(key)
        path = f"{self._root}/{inner}"
        if inner not in self._durable:
            self._make(self._root, outer)
            self._make(f"{self._root}/{outer}", inner.removeprefix(f"{outer}/"))
            if len(self._durable) >= REMEMBERED_FOLDERS:
                self.forget()
            self._durable.add(inner)
        return path

    def forget(self) -> None:
        """Look again which folders there are."""
        self._durable.clear()

    @staticmethod
    def _make(parent: str, name: str) -> None:
        # Also where it exists: the process that made it may not have come to the fsync yet.
        with contextlib.suppress(FileExistsError):
            Path(parent, name).mkdir(mode=0o700)
        disk.sync_folder(parent)


class FileDraft:
    """A body being written: in memory up to BUFFER_OCTETS, then in a file of the drafts' folder."""

    def __init__(self, root: str, made: str, folders: Folders) -> None:
        self._key = made
        self._path = f"{root}/{layout.path(layout.draft(made))}"
        self._folders = folders
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
            try:
                self._flush()
            except OSError as error:
                self.abort()
                raise fault(error, f"writing the draft {self._path}") from error

    def commit(self, octets: int) -> BodyRef:
        self._refuse_when_over()
        digest = self._digest.digest()
        self._pending.append(trailer.seal(digest, self._wire_octets))
        try:
            self._publish(self._flush())
        except OSError as error:
            self._folders.forget()
            raise fault(error, f"storing the body {self._key}") from error
        finally:
            self.abort()
        return BodyRef(self._key, self._wire_octets, octets, digest)

    def abort(self) -> None:
        self._over = True
        self._pending.clear()
        if self._descriptor is not None:
            with contextlib.suppress(OSError):  # what stays is litter, and is swept
                Path(self._path).unlink()
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def _refuse_when_over(self) -> None:
        if self._over:
            raise Unavailable(f"the draft {self._path} was ended before")

    def _flush(self) -> int:
        if self._descriptor is None:
            self._descriptor = disk.create(self._path)
        disk.write_all(self._descriptor, b"".join(self._pending))
        self._pending.clear()
        self._pending_octets = 0
        return self._descriptor

    def _publish(self, descriptor: int) -> None:
        """Give the finished file its name. A link, unlike a rename, never replaces what is there."""
        os.fsync(descriptor)
        folder = self._folders.make(self._key)
        body = f"{folder}/{self._key}"
        os.link(self._path, body)
        try:
            disk.sync_folder(folder)
        except OSError:
            Path(body).unlink()
            raise
