"""A body store in memory, for tests that stand on one. It passes the same suite as the real ones."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import xxhash

from mailstore.errors import BodyLost, MailError, TryAgain, Unavailable
from mailstore.policy import sortable_ids
from mailstore.ports import BodyRef, Done, ForeignFile, OpenBody
from mailstore.ports.bodies import QuarantinedBody
from tests.fakes.pop3 import Answers, MemoryBody


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
        return BodyRef(self._name, len(wire), octets, xxhash.xxh3_128_digest(wire), b"\0" in wire)

    def abort(self) -> None:
        self._store.drafts.pop(self._name, None)

    def _check(self) -> None:
        try:
            self._store.require_reachable()
        except TryAgain:
            self.abort()
            raise
        if self._name not in self._store.drafts:
            raise Unavailable("the draft was ended before")


class FakeBodies:
    """Bodies by key in `wires`, which a test may spoil. While `trouble` is set everything raises it.

    While `answers.held` is True, `open` answers late, as a remote store does.
    """

    def __init__(self) -> None:
        self.wires: dict[str, bytes] = {}
        self.drafts: dict[str, float] = {}
        self.quarantine: dict[str, bytes] = {}  # by name
        self.trouble: TryAgain | None = None
        self.answers = Answers()
        self._prepared = False
        self._store_id: str | None = None

    def prepare(self) -> None:
        if self.trouble is not None:
            raise self.trouble
        self._prepared = True

    def prepared(self) -> bool:
        return self._prepared and self.trouble is None

    def begin(self) -> FakeDraft:
        return FakeDraft(self, sortable_ids.new_id(time.time_ns() // 1_000_000, os.urandom(sortable_ids.RANDOM_OCTETS)))

    def commit(self, finished: Sequence[tuple[FakeDraft, int]]) -> list[BodyRef | TryAgain]:
        return [_outcome(draft, octets) for draft, octets in finished]

    def open(self, ref: BodyRef, done: Done[OpenBody]) -> None:
        self.answers.give(done, self._opened(ref))

    def _opened(self, ref: BodyRef) -> MemoryBody | MailError:
        try:
            self.verify(ref)
        except MailError as error:
            return error
        return MemoryBody(self.wires[ref.key])

    def verify(self, ref: BodyRef) -> bool:
        self.require_reachable()
        wire = self.wires.get(ref.key)
        if wire is None or len(wire) != ref.wire_octets or xxhash.xxh3_128_digest(wire) != ref.digest:
            raise BodyLost(ref.key)
        return b"\0" in wire

    def examine(self, name: str) -> tuple[BodyRef, float]:
        self.require_reachable()
        wire = self.wires.get(name, self.quarantine.get(name))
        if wire is None:
            raise BodyLost(name)
        key = name.rpartition("/")[2]
        octets = len(wire) - (b"\r\n" + wire).count(b"\r\n.")
        ref = BodyRef(key, len(wire), octets, xxhash.xxh3_128_digest(wire), b"\0" in wire)
        return ref, sortable_ids.parts(key)[0] / 1000

    def remove(self, key: str) -> None:
        self.require_reachable()
        if self.quarantine.pop(key, None) is not None:
            return
        if not sortable_ids.is_id(key.removeprefix("tmp/")):
            raise BodyLost(key)
        self.wires.pop(key, None)
        self.drafts.pop(key.removeprefix("tmp/"), None)

    def keys(self) -> Iterator[str]:
        self.require_reachable()
        return iter(list(self.wires))

    def litter(self, older_than_seconds: float) -> Iterator[str]:
        self.require_reachable()
        return iter([f"tmp/{name}" for name, at in self.drafts.items() if time.time() - at >= older_than_seconds])

    def set_aside(self, keys: Sequence[str]) -> set[str]:
        self.require_reachable()
        day = datetime.now(UTC).date().isoformat()
        moved = {key for key in keys if key in self.wires}
        for key in moved:
            self.quarantine[f"quarantine/{day}/{key}"] = self.wires.pop(key)
        return moved

    def quarantined(self, older_than_days: float = 0) -> Iterator[QuarantinedBody]:
        self.require_reachable()
        last = (datetime.now(UTC) - timedelta(days=older_than_days)).date().isoformat()
        names = sorted(name for name in self.quarantine if name.split("/")[1] <= last)
        return iter([QuarantinedBody(name.rpartition("/")[2], name) for name in names])

    def bring_back(self, name: str) -> str:
        self.require_reachable()
        if name not in self.quarantine:
            raise Unavailable(f"{name} is not in the quarantine")
        key = name.rpartition("/")[2]
        self.wires[key] = self.quarantine.pop(name)
        return key

    def foreign(self) -> Iterator[tuple[int, list[ForeignFile]]]:
        self.require_reachable()
        return iter([(len(self.wires), [])])

    def mend(self, file: ForeignFile) -> bool:
        return False

    def store_id(self) -> str | None:
        return self._store_id

    def set_store_id(self, store_id: str) -> None:
        self.require_reachable()
        self._store_id = store_id

    def require_usable(self, keys: Sequence[str]) -> None:
        self.require_reachable()

    def place(self) -> str:
        return "memory"

    def probe(self) -> None:
        self.require_reachable()

    def require_reachable(self) -> None:
        if self.trouble is not None:
            raise self.trouble
        if not self._prepared:
            raise Unavailable("the store was never prepared")


def _outcome(draft: FakeDraft, octets: int) -> BodyRef | TryAgain:
    try:
        return draft.commit(octets)
    except TryAgain as error:
        return error
