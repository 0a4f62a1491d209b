"""The last 32 octets of a body's file, by which it proves that it is itself. Knows no files."""

from __future__ import annotations

import struct

from mailstore.errors import BodyLost
from mailstore.ports.bodies import BodyRef

_MAGIC = b"popbody1"  # the last character is the version
_LAYOUT = struct.Struct(">8s16sQ")  # magic, XXH3-128 of the wire octets, their count
TRAILER_OCTETS = _LAYOUT.size


def seal(digest: bytes, wire_octets: int) -> bytes:
    """Return the trailer of a body."""
    return _LAYOUT.pack(_MAGIC, digest, wire_octets)


def check(trailer: bytes, ref: BodyRef) -> None:
    """Raise BodyLost unless `trailer` is whole and is the one of `ref`."""
    if trailer != seal(ref.digest, ref.wire_octets):
        raise BodyLost(f"body {ref.key} is short, damaged or another one: its trailer is {trailer.hex()}")
