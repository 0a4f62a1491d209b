"""The port of the body store: it keeps the bodies of messages, each written once and never changed.

A file store implements it, and a remote store can: `open` may answer late, and only few other methods are called on an
event loop (see `BodyStore`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from mailstore.errors import Done, TryAgain


class BodyRef(NamedTuple):
    """What a row knows of its body: the key, the lengths, the digest that proves the content, and if it holds NUL."""

    key: str
    wire_octets: int  # as stored, dot-stuffed
    octets: int  # unstuffed
    digest: bytes  # XXH3-128 of the wire form
    has_nul: bool | None = None  # None: it was stored before this was noted, and nothing has read all of it since


class ForeignFile(NamedTuple):
    """A file or folder that the owner of the store cannot use: its name in the store, the cause, and what to do."""

    name: str
    detail: str
    remedy: str


class QuarantinedBody(NamedTuple):
    """A body in the quarantine: its key, and its name there."""

    key: str
    name: str


class OpenBody(Protocol):
    """A body that was opened and checked: it has the announced length and is the one that was stored.

    Its octets are on this machine, in memory or in a file. All methods return at once.
    """

    wire_octets: int  # as RETR sends it: CRLF, dot-stuffed, no terminator

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` octets from `offset`, fewer only at the end. Raises BodyLost, Unavailable."""

    def descriptor(self) -> int | None:
        """Return a file descriptor whose octets 0 to wire_octets are the body, for sendfile; None if there is none."""

    def close(self) -> None:
        """Release it. A second call does nothing."""


class Draft(Protocol):
    """A body that is being written. Nobody can see it before `commit` returns."""

    def write(self, wire: bytes) -> None:
        """Append octets of wire form. Called on the loop, so it never waits for a network. StorageFull, Unavailable."""

    def finish(self) -> None:
        """Write what is still held in memory; nothing more follows. Called on the loop. StorageFull, Unavailable."""

    def commit(self, octets: int) -> BodyRef:
        """Finish the draft and block until the body survives a power cut; `octets` is its unstuffed length.

        StorageFull, Unavailable.
        """

    def abort(self) -> None:
        """Discard the draft; nothing of it stays in the store. Called on the loop. Harmless after `commit`."""


class BodyStore(Protocol):
    """Where bodies are kept.

    Called on an event loop: `begin`, `open`, `prepared`, `prepare`, `store_id`, and the methods of Draft that say so.
    All others may block; threads, pages and commands call them. Any thread may call any method.
    """

    def prepare(self) -> None:
        """Make the store if there is none. Called at the first start, before the first body. Unavailable.

        Called only if the database has no body: else an empty place may be a disk that is not mounted.
        """

    def prepared(self) -> bool:
        """Return True if the store was made and can be reached. A remote store answers from what it remembers."""

    def begin(self) -> Draft:
        """Begin a body. Unavailable."""

    def commit(self, finished: Sequence[tuple[Any, int]]) -> Sequence[BodyRef | TryAgain]:
        """Block until these finished drafts survive a power cut; each stands beside its unstuffed length.

        Several together cost less than one by one. Returns one outcome for each, in order; one that fails does not
        affect the others. The caller then aborts each draft.
        """

    def open(self, ref: BodyRef, done: Done[OpenBody]) -> None:
        """Open a body; the caller closes what `done` gets. BodyLost, BodyUnreadable, Unavailable.

        BodyLost: the body is missing, short, or not the one of `ref`. Unavailable: the store cannot be reached.
        If a loop runs in the calling thread, `done` is called in that thread, at once or later. If none runs, any
        thread may call it; `mailstore.bodies.open_and_wait` waits for that.
        """

    def verify(self, ref: BodyRef) -> bool:
        """Read the whole body, compare its digest, return whether it holds NUL. BodyLost, BodyUnreadable, Unavailable.

        It leaves nothing in the page cache, which is for mail that is fetched.
        """

    def examine(self, name: str) -> tuple[BodyRef, float]:
        """Read a body that has no row; return what it says of itself, and the Unix time of its arrival.

        BodyLost if it is not whole, BodyUnreadable, Unavailable.
        """

    def remove(self, key: str) -> None:
        """Destroy a body. A missing one is no error.

        BodyLost for a name of another shape. BodyUnreadable if this body cannot be removed, Unavailable.
        """

    def keys(self) -> Iterator[str]:
        """Yield the key of every body, folder by folder, sorted within each. Skip a folder that cannot be listed."""

    def litter(self, older_than_seconds: float) -> Iterator[str]:
        """Yield the names of unfinished drafts that have no writer any more; `remove` accepts these names."""

    def set_aside(self, keys: Sequence[str]) -> set[str]:
        """Move bodies into the quarantine, durably; return the keys of those that were there and moved."""

    def quarantined(self, older_than_days: float = 0) -> Iterator[QuarantinedBody]:
        """Yield what is in the quarantine, sorted by name; `remove` and `examine` accept these names."""

    def bring_back(self, name: str) -> str:
        """Move a body from the quarantine back to its place, durably; return its key."""

    def foreign(self) -> Iterator[tuple[int, list[ForeignFile]]]:
        """Yield for each folder how many names it has, and what in it the owner of the store cannot use."""

    def mend(self, file: ForeignFile) -> bool:
        """Give a file or folder to the owner of the store; return False if this process may not."""

    def store_id(self) -> str | None:
        """Return the id that ties the store to its database; None if it has none yet. Unavailable."""

    def set_store_id(self, store_id: str) -> None:
        """Write that id, durably. Unavailable, StorageFull."""

    def require_usable(self, keys: Sequence[str]) -> None:
        """Raise Unavailable if the owner of the store cannot use the newest of it, or one of these bodies."""

    def place(self) -> str:
        """Return where the bodies are, for people: a folder, or an address."""

    def probe(self) -> None:
        """Raise Unavailable or StorageFull if the store cannot take a body now (for /readyz)."""
