"""Bodies of a file store read whole to see whether they are whole: for checks, never to be sent."""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Iterator

import xxhash

from mailstore.bodies import disk, opened, trailer
from mailstore.errors import BodyLost
from mailstore.ports import BodyRef

CHUNK_OCTETS = 1024 * 1024


def verify(path: str, ref: BodyRef) -> None:
    """Read all of the body at `path`. BodyLost unless it is the one of `ref`, and every OSError."""
    descriptor = opened.open_file(path)
    try:
        opened.check_end(descriptor, ref)
        digest = xxhash.xxh3_128()
        for chunk in _chunks(descriptor, ref.wire_octets):
            digest.update(chunk)
        opened.compare(digest.digest(), ref)
    finally:
        os.close(descriptor)


def examine(path: str, key: str) -> tuple[BodyRef, float]:
    """Return what the body at `path` is by its own trailer, and when its file was written. BodyLost, OSError."""
    descriptor = opened.open_file(path)
    try:
        state = os.fstat(descriptor)
        wire_octets = state.st_size - trailer.TRAILER_OCTETS
        if wire_octets < 0:
            raise BodyLost(f"body {key} is not whole: it has {state.st_size} octets")
        end = disk.read_all(descriptor, trailer.TRAILER_OCTETS, wire_octets)
        digest, promised_octets = trailer.read(end, key)
        ref = BodyRef(key, promised_octets, promised_octets - _stuffed_dots(descriptor, wire_octets), digest)
    finally:
        os.close(descriptor)
    verify(path, ref)
    return ref, state.st_mtime


def _stuffed_dots(descriptor: int, wire_octets: int) -> int:
    """Count the dots that stand doubled at the beginning of a line: the message has one less of each."""
    count, before = 0, b"\r\n"
    for chunk in _chunks(descriptor, wire_octets):
        data = before + chunk
        count += data.count(b"\r\n.")
        before = data[-2:]
    return count


def _chunks(descriptor: int, octets: int) -> Iterator[bytes]:
    """Yield the first octets of a file. What was not in the page cache is not there afterwards either.

    So a check of all mail does not put out of it what people fetch.
    """
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)  # no reading ahead, which would look as if it was there
    for offset in range(0, octets, CHUNK_OCTETS):
        count = min(CHUNK_OCTETS, octets - offset)
        cached_octets = _cached(descriptor, count, offset)
        data = disk.read_all(descriptor, count, offset)
        if len(data) < count:
            raise BodyLost("a body became shorter while it was read")
        yield data
        if cached_octets < count:
            start = offset + cached_octets // mmap.PAGESIZE * mmap.PAGESIZE
            os.posix_fadvise(descriptor, start, offset + count - start, os.POSIX_FADV_DONTNEED)


def _cached(descriptor: int, count: int, offset: int) -> int:
    """Return how many octets from `offset` on are in the page cache; all of them where that cannot be known."""
    with contextlib.suppress(BlockingIOError):
        try:
            return os.preadv(descriptor, [bytearray(count)], offset, os.RWF_NOWAIT)
        except OSError as error:
            if isinstance(error, BlockingIOError):
                raise
            return count
    return 0
