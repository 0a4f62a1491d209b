"""Bodies of a file store read whole to see whether they are whole: for checks, never to be sent."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass

import xxhash

from mailstore.bodies import disk, stored_body
from mailstore.errors import BodyLost
from mailstore.ports.bodies import BodyRef

CHUNK_OCTETS = 1024 * 1024  # a multiple of every page's size


@dataclass(frozen=True, slots=True)
class _Read:
    """What a file holds: wire octets, then a trailer. `written_at` is a Unix time."""

    digest: bytes
    wire_octets: int
    stuffed_dots: int  # that stand doubled at the beginning of a line: the message has one less of each
    end: bytes
    written_at: float


def verify(path: str, ref: BodyRef) -> None:
    """Read all of the body at `path`. BodyLost unless it is the one of `ref`, and every OSError."""
    read = _read(path, ref.key)
    stored_body.check_trailer(read.end, ref)
    stored_body.compare(read.digest, ref)


def examine(path: str, key: str) -> tuple[BodyRef, float]:
    """Return what the body at `path` is by its own trailer, and when its file was written. BodyLost, OSError."""
    read = _read(path, key)
    ref = BodyRef(key, read.wire_octets, read.wire_octets - read.stuffed_dots, read.digest)
    stored_body.check_trailer(read.end, ref)
    return ref, read.written_at


def _read(path: str, key: str) -> _Read:
    descriptor = stored_body.open_file(path)
    try:
        state = os.fstat(descriptor)
        wire_octets = state.st_size - stored_body.TRAILER_OCTETS
        if wire_octets < 0:
            raise BodyLost(f"body {key} is short: it has {state.st_size} octets")
        digest, dots, end, before = xxhash.xxh3_128(), 0, b"", b"\r\n"
        for offset, chunk in _chunks(descriptor, state.st_size):
            wire = chunk[: max(0, wire_octets - offset)]
            end += chunk[len(wire) :]
            digest.update(wire)
            dots += (before + wire).count(b"\r\n.")
            before = (before + wire)[-2:]
        return _Read(digest.digest(), wire_octets, dots, end, state.st_mtime)
    finally:
        os.close(descriptor)


def _chunks(descriptor: int, octets: int) -> Iterator[tuple[int, bytes]]:
    """Yield a file piece by piece, each behind its offset. What was not in the page cache is not there afterwards.

    So a check of all mail does not put out of it what people fetch.
    """
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)  # no reading ahead, which would look as if it was there
    for offset in range(0, octets, CHUNK_OCTETS):
        count = min(CHUNK_OCTETS, octets - offset)
        cached_octets = _cached(descriptor, count, offset)
        data = disk.read_all(descriptor, count, offset)
        if len(data) < count:
            raise BodyLost("a body became shorter while it was read")
        yield offset, data
        if cached_octets < count:
            start = offset + cached_octets // mmap.PAGESIZE * mmap.PAGESIZE
            os.posix_fadvise(descriptor, start, offset + count - start, os.POSIX_FADV_DONTNEED)


def _cached(descriptor: int, count: int, offset: int) -> int:
    """Return how many octets from `offset` on are in the page cache; all of them where that cannot be known."""
    try:
        return os.preadv(descriptor, [bytearray(count)], offset, os.RWF_NOWAIT)
    except BlockingIOError:
        return 0
    except OSError:  # the file system cannot say
        return count
