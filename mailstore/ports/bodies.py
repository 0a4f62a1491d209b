"""The port of the body store: bodies at rest, written once and read many times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from mailstore.errors import TryAgain


class BodyRef(NamedTuple):
    """A stored body: where it is, how long, and what proves that it is itself."""

    key: str
    wire_octets: int  # as stored, dot-stuffed
    octets: int  # unstuffed
    digest: bytes  # XXH3-128 of the wire form


class ForeignFile(NamedTuple):
    """A file or folder that the owner of the store cannot use: its name below the store's folder, why, what to do."""

    name: str
    detail: str
    remedy: str


class OpenBody(Protocol):
    """A body at rest, opened and checked: it has the announced length and is the one that was stored."""

    wire_octets: int  # as RETR sends it: CRLF, dot-stuffed, no terminator

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` octets from `offset`, fewer only at the end. Raises BodyLost, Unavailable."""

    def descriptor(self) -> int | None:
        """A file descriptor whose octets 0..wire_octets are the body, for sendfile; None where there is none."""

    def close(self) -> None: ...


class Draft(Protocol):
    """A body being written. Nobody can see it before `commit` returns."""

    def write(self, wire: bytes) -> None:
        """Append octets of wire form. StorageFull, Unavailable."""

    def finish(self) -> None:
        """Hand over what is still held; all of it was written. As quick as `write`. StorageFull, Unavailable."""

    def commit(self, octets: int) -> BodyRef:
        """Finish, and block until the body survives a power cut; `octets` is the unstuffed length. StorageFull,
        Unavailable."""

    def abort(self) -> None:
        """Forget it; nothing stays behind. Harmless after commit."""


class BodyStore(Protocol):
    """Bodies at rest. Blocking; whoever stands on an event loop calls it where that is right (see DESIGN.md)."""

    def begin(self) -> Draft: ...

    def commit(self, finished: Sequence[tuple[Any, int]]) -> Sequence[BodyRef | TryAgain]:
        """Block until these finished drafts, each with its unstuffed length, survive a power cut, for less than one by
        one costs. One outcome each, in order, whatever becomes of the others; each is to be aborted afterwards."""

    def open(self, ref: BodyRef) -> OpenBody:
        """BodyLost when missing, short or another one; BodyUnreadable; Unavailable when the store is away."""

    def verify(self, ref: BodyRef) -> None:
        """Read it whole and compare the digest. BodyLost, BodyUnreadable, Unavailable.

        It leaves others' place in the page cache.
        """

    def examine(self, name: str) -> tuple[BodyRef, float]:
        """Read a body of which no row is known: what it is, by its own trailer, and the Unix time of its arrival.

        BodyLost where it is not whole, BodyUnreadable, Unavailable.
        """

    def remove(self, key: str) -> None:
        """Destroy; a missing one is fine."""

    def keys(self) -> Iterator[str]:
        """Every body in the store, folder by folder, sorted within each; a folder that cannot be listed has none."""

    def litter(self, older_than_seconds: float) -> Iterator[str]:
        """Unfinished drafts nobody owns any more; `remove` takes these names too."""

    def set_aside(self, keys: Sequence[str]) -> set[str]:
        """Move bodies into the quarantine, durably; returns which: what is no file stays where it is."""

    def quarantined(self, older_than_days: float = 0) -> Iterator[str]:
        """Names of what rests in the quarantine, sorted; `remove` and `examine` take these names too."""

    def bring_back(self, name: str) -> str:
        """Move a body from the quarantine to its place, durably; returns its key."""

    def foreign(self) -> Iterator[tuple[int, list[ForeignFile]]]:
        """For each folder how many names it has, and what in it the owner of the store cannot use."""

    def mend(self, file: ForeignFile) -> bool:
        """Give it to the owner of the store; False where this process may not."""

    def store_id(self) -> str | None:
        """What ties the store to its database; None where nothing has yet."""

    def set_store_id(self, store_id: str) -> None:
        """Write it down, durably."""

    def probe(self) -> None:
        """Raise Unavailable or StorageFull when the store cannot take a body now (for /readyz)."""
