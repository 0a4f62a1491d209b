"""Checks bodies of a file store by reading all of them. What is sent to clients is opened by `stored_body`."""

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
class _Content:
    """What was found in a file. `written_at` is a Unix time."""

    digest: bytes
    wire_octets: int
    stuffed_dots: int  # doubled dots at the beginning of a line; the message has one dot less for each
    has_nul: bool
    trailer: bytes
    written_at: float


def verify(path: str, ref: BodyRef) -> bool:
    """Read the whole body at `path`; return whether it holds NUL. BodyLost unless it is that of `ref`; any OSError."""
    content = _read(path, ref.key)
    stored_body.check_trailer(content.trailer, ref)
    stored_body.compare(content.digest, ref)
    return content.has_nul


def examine(path: str, key: str) -> tuple[BodyRef, float]:
    """Return what the trailer says of the body at `path`, and when its file was written. BodyLost, OSError."""
    content = _read(path, key)
    octets = content.wire_octets - content.stuffed_dots
    ref = BodyRef(key, content.wire_octets, octets, content.digest, content.has_nul)
    stored_body.check_trailer(content.trailer, ref)
    return ref, content.written_at


def _read(path: str, key: str) -> _Content:
    descriptor = stored_body.open_file(path)
    try:
        state = os.fstat(descriptor)
        wire_octets = state.st_size - stored_body.TRAILER_OCTETS
        if wire_octets < 0:
            raise BodyLost(f"body {key} is short: it has {state.st_size} octets")
        digest, dots, has_nul, trailer, before = xxhash.xxh3_128(), 0, False, b"", b"\r\n"
        for offset, chunk in _chunks(descriptor, state.st_size):
            wire = chunk[: max(0, wire_octets - offset)]
            trailer += chunk[len(wire) :]
            digest.update(wire)
            dots += (before + wire).count(b"\r\n.")
            has_nul = has_nul or b"\0" in wire
            before = (before + wire)[-2:]
        return _Content(digest.digest(), wire_octets, dots, has_nul, trailer, state.st_mtime)
    finally:
        os.close(descriptor)


def _chunks(descriptor: int, octets: int) -> Iterator[tuple[int, bytes]]:
    """Yield the pieces of a file, each with its offset. Drop those from the page cache that were not in it before.

    Without that, a check of all mail would push the mail that people fetch out of the cache.
    """
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)  # read-ahead would look like cached pages
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
    """Return how many octets from `offset` on are in the page cache; `count` if the system cannot say."""
    try:
        return os.preadv(descriptor, [bytearray(count)], offset, os.RWF_NOWAIT)
    except BlockingIOError:
        return 0
    except OSError:
        return count
