"""A body store in memory, for tests that stand on one. It passes the same suite as the real ones."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence

import xxhash

from mailstore.errors import BodyLost, TryAgain, Unavailable
from mailstore.policy import sortable_ids
from mailstore.ports import BodyRef
from tests.fakes.pop3 import MemoryBody


class FakeDraft:
    def __init__(self, store: FakeBodies, name: str) -> None:
        self._store = store
        self._name = name
        self._chunks: list[bytes] = []
        store.drafts[name] = time.time()

    def write(self, wire: bytes) -> None:
        self._check()
        self._chunks.append(wire)

    def finish(self) -> None:
        self._check()

    def commit(self, octets: int) -> BodyRef:
        self._check()
        self.abort()
        wire = b"".join(self._chunks)
        self._store.wires[self._name] = wire
        return BodyRef(self._name, len(wire), octets, xxhash.xxh3_128_digest(wire))

    def abort(self) -> None:
        self._store.drafts.pop(self._name, None)

    def _check(self) -> None:
        if self._store.trouble is not None:
            self.abort()
            raise self._store.trouble
        if self._name not in self._store.drafts:
            raise Unavailable("the draft was ended before")


class FakeBodies:
    """Bodies by key in `wires`, which a test may spoil. While `trouble` is set everything raises it."""

    def __init__(self) -> None:
        self.wires: dict[str, bytes] = {}
        self.drafts: dict[str, float] = {}
        self.trouble: TryAgain | None = None

    def begin(self) -> FakeDraft:
        return FakeDraft(self, sortable_ids.new_id(time.time_ns() // 1_000_000, os.urandom(sortable_ids.RANDOM_OCTETS)))

    def commit(self, finished: Sequence[tuple[FakeDraft, int]]) -> list[BodyRef | TryAgain]:
        return [_outcome(draft, octets) for draft, octets in finished]

    def open(self, ref: BodyRef) -> MemoryBody:
        self.probe()
        wire = self.wires.get(ref.key)
        if wire is None or len(wire) != ref.wire_octets or xxhash.xxh3_128_digest(wire) != ref.digest:
            raise BodyLost(ref.key)
        return MemoryBody(wire)

    def verify(self, ref: BodyRef) -> None:
        self.open(ref)

    def remove(self, key: str) -> None:
        self.probe()
        if not sortable_ids.is_id(key.removeprefix("tmp/")):
            raise BodyLost(key)
        self.wires.pop(key, None)
        self.drafts.pop(key.removeprefix("tmp/"), None)

    def keys(self) -> Iterator[str]:
        self.probe()
        return iter(list(self.wires))

    def litter(self, older_than_seconds: float) -> Iterator[str]:
        self.probe()
        return iter([f"tmp/{name}" for name, at in self.drafts.items() if time.time() - at >= older_than_seconds])

    def probe(self) -> None:
        if self.trouble is not None:
            raise self.trouble


def _outcome(draft: FakeDraft, octets: int) -> BodyRef | TryAgain:
    try:
        return draft.commit(octets)
    except TryAgain as error:
        return error
