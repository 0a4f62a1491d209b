"""Unpack compressed messages as a stream, with a bound: gzip, bzip2, xz, zstd, and lz4 as Dovecot and lz4 write it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

import lz4.block
import lz4.frame

from mailstore.messages.message_file import CHUNK_OCTETS

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

XZ_MEMORY_OCTETS = 128 * 1024 * 1024  # `xz -9` needs 65 MB; a forged file may ask for gigabytes
DOVECOT_LZ4 = b"Dovecot-LZ4\x0d\x2a\x9b\xc5"
NUMBER_OCTETS = 4  # big-endian
LZ4_BLOCK_OCTETS = 1024 * 1024  # Dovecot writes blocks of 64 KB; a forged file may ask for gigabytes


class _Readable(Protocol):
    def read(self, count: int, /) -> bytes: ...


class Damaged(ValueError):
    """The file cannot be unpacked, or does not have the size that it should have. The text says why."""


def readable(packing: str) -> bool:
    """Return whether messages in this packing are unpacked here."""
    return packing in _OPENERS


def unpacked(stream: BinaryIO, packing: str, *, octets: int | None, most_octets: int) -> Iterator[bytes]:
    """Yield the content of a compressed file. `octets` is its size, if that is known.

    Raises Damaged as soon as there is more than that, or more than `most_octets`, and at the end if there is less.
    """
    bound, count = min(most_octets, most_octets if octets is None else octets), 0
    try:
        for chunk in _OPENERS[packing](stream):
            count += len(chunk)
            if count > bound:
                raise Damaged(_excess(octets, most_octets))
            yield chunk
    except _ERRORS as error:
        raise Damaged(f"{packing}: {error}") from error
    if octets is not None and count != octets:
        raise Damaged(f"it unpacks to {count} octets, but its name says S={octets}")


def _excess(octets: int | None, most_octets: int) -> str:
    if octets is None or octets > most_octets:
        return f"it unpacks to more than MAX_MESSAGE_OCTETS, {most_octets}"
    return f"it unpacks to more octets than its name says, S={octets}"


def _chunks(file: _Readable) -> Iterator[bytes]:
    return iter(lambda: file.read(CHUNK_OCTETS), b"")


def _xz(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the content of an xz file. Python's LZMAFile has no bound of memory."""
    packed = stream.read(CHUNK_OCTETS)
    while packed:
        unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_OCTETS)
        while not unpacker.eof:
            chunk = unpacker.decompress(packed, CHUNK_OCTETS)
            if chunk:
                yield chunk
            packed = stream.read(CHUNK_OCTETS) if unpacker.needs_input else b""
            if unpacker.needs_input and not packed:
                raise EOFError("it ends too early")
        packed = (unpacker.unused_data or stream.read(CHUNK_OCTETS)).lstrip(b"\0")  # xz pads with NULs between streams


def _dovecot_lz4(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the content of a file of Dovecot's own lz4 format (its source: `lib-compression/iostream-lz4.h`).

    Behind its magic stands the most octets of an unpacked block, then each block with its packed size before it.
    """
    stream.read(len(DOVECOT_LZ4))
    most_octets = _number(stream.read(NUMBER_OCTETS))
    if most_octets > LZ4_BLOCK_OCTETS:
        raise Damaged(f"lz4: a block may have {most_octets} octets")
    while head := stream.read(NUMBER_OCTETS):
        size = _number(head)
        if size > lz4_bound(most_octets):
            raise Damaged(f"lz4: a packed block has {size} octets")
        packed = stream.read(size)
        if len(packed) < size:
            raise EOFError("it ends too early")
        yield lz4.block.decompress(packed, uncompressed_size=most_octets)


def lz4_bound(octets: int) -> int:
    """Return how many octets so many can have when they are packed (LZ4_compressBound)."""
    return octets + octets // 255 + 16


def _number(data: bytes) -> int:
    if len(data) < NUMBER_OCTETS:
        raise EOFError("it ends too early")
    return int.from_bytes(data, "big")


def _lz4(stream: BinaryIO) -> Iterator[bytes]:
    begin = stream.read(len(DOVECOT_LZ4))
    stream.seek(0)
    return _dovecot_lz4(stream) if begin == DOVECOT_LZ4 else _chunks(lz4.frame.LZ4FrameFile(stream))


_OPENERS: dict[str, Callable[[BinaryIO], Iterator[bytes]]] = {
    "gzip": lambda stream: _chunks(gzip.GzipFile(fileobj=stream)),
    "bzip2": lambda stream: _chunks(bz2.BZ2File(stream)),
    "xz": _xz,
    "zstd": lambda stream: _chunks(zstd.ZstdFile(stream)),
    "lz4": _lz4,
}
_ERRORS: tuple[type[Exception], ...] = (
    EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zstd.ZstdError, lz4.block.LZ4BlockError, RuntimeError,
)  # fmt: skip
