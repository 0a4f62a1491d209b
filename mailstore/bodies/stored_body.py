"""The file of a stored body: how it ends, and how it is opened and checked before it is sent.

A file is the wire form of the body, then a trailer of 32 octets that proves what the file holds.
"""

from __future__ import annotations

import os
import struct

import xxhash

from mailstore.bodies import disk
from mailstore.errors import BodyLost
from mailstore.ports.bodies import BodyRef, OpenBody

HELD_OCTETS = 128 * 1024  # up to this size a body is read when opened: one read, and the digest proves every octet
_MAGIC = b"popbody1"  # the last character is the version
_LAYOUT = struct.Struct(">8s16sQ")  # magic, XXH3-128 of the wire octets, their count
TRAILER_OCTETS = _LAYOUT.size


class HeldBody:
    """An open body that is held in memory; its file is closed."""

    def __init__(self, wire: bytes) -> None:
        self.wire_octets = len(wire)
        self._wire = wire

    def read(self, offset: int, count: int) -> bytes:
        return self._wire[offset : offset + count]

    def descriptor(self) -> int | None:
        return None

    def close(self) -> None:
        self._wire = b""


class FileBody:
    """An open body that is read from its file. The file stays open, so that a purge does no harm."""

    def __init__(self, descriptor: int, ref: BodyRef) -> None:
        self.wire_octets = ref.wire_octets
        self._key = ref.key
        self._descriptor = descriptor
        self._closed = False

    def read(self, offset: int, count: int) -> bytes:
        wanted = max(0, min(count, self.wire_octets - offset))
        try:
            data = disk.read_all(self._descriptor, wanted, offset)
        except OSError as error:
            raise disk.fault(error, f"reading the body {self._key}") from error
        if len(data) < wanted:
            raise BodyLost(f"body {self._key} became shorter while it was read")
        return data

    def descriptor(self) -> int | None:
        return self._descriptor

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self._descriptor)


def open_body(path: str, ref: BodyRef) -> OpenBody:
    """Open the body at `path` and check that it is the one of `ref`. BodyLost, and every OSError."""
    descriptor = open_file(path)
    keep = False
    try:
        if ref.wire_octets <= HELD_OCTETS:
            return HeldBody(_whole(descriptor, ref))
        _check_end(descriptor, ref)
        keep = True
        return FileBody(descriptor, ref)
    finally:
        if not keep:
            os.close(descriptor)


def open_file(path: str) -> int:
    """Open the file in the place of a body. A pipe in that place is opened too, instead of waiting for a writer."""
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def _whole(descriptor: int, ref: BodyRef) -> bytes:
    # Two reads cost less than cutting the trailer off a copy. The second asks for one octet more, to see the end.
    wire = disk.read_all(descriptor, ref.wire_octets, 0)
    check_trailer(os.pread(descriptor, TRAILER_OCTETS + 1, ref.wire_octets), ref)
    compare(xxhash.xxh3_128_digest(wire), ref)
    return wire


def _check_end(descriptor: int, ref: BodyRef) -> None:
    """Raise BodyLost unless the file has the right length and ends in the right trailer. OSError."""
    expected = ref.wire_octets + TRAILER_OCTETS
    found = os.fstat(descriptor).st_size
    if found != expected:
        raise BodyLost(f"body {ref.key} is {found} octets long, not {expected}")
    check_trailer(disk.read_all(descriptor, TRAILER_OCTETS, ref.wire_octets), ref)


def compare(digest: bytes, ref: BodyRef) -> None:
    """Raise BodyLost unless the digest is that of the body."""
    if digest != ref.digest:
        raise BodyLost(f"body {ref.key} has other content than was stored: its digest is {digest.hex()}")


def seal(digest: bytes, wire_octets: int) -> bytes:
    """Return the trailer of a body."""
    return _LAYOUT.pack(_MAGIC, digest, wire_octets)


def check_trailer(trailer: bytes, ref: BodyRef) -> None:
    """Raise BodyLost unless `trailer` is whole and is the one of `ref`."""
    if trailer != seal(ref.digest, ref.wire_octets):
        raise BodyLost(f"body {ref.key} is short, damaged or another one: its trailer is {trailer.hex()}")
