"""Unpack compressed messages as a stream, with a bound. Only what Python itself can unpack; the rest is refused."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, BinaryIO, Protocol

from mailstore.messages.message_file import CHUNK_OCTETS

XZ_MEMORY_OCTETS = 128 * 1024 * 1024  # `xz -9` needs 65 MB; a forged file may ask for gigabytes


class _Readable(Protocol):
    def read(self, count: int, /) -> bytes: ...


class Damaged(ValueError):
    """The file cannot be unpacked, or does not have the size that it should have. The text says why."""


def readable(packing: str) -> bool:
    """Return whether this Python can unpack it."""
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


def _zstd() -> Any:
    """Return the module for zstd, which Python has from 3.14 on. None if there is none."""
    try:
        return import_module("compression.zstd")
    except ImportError:
        return None


_ZSTD = _zstd()
_OPENERS: dict[str, Callable[[BinaryIO], Iterator[bytes]]] = {
    "gzip": lambda stream: _chunks(gzip.GzipFile(fileobj=stream)),
    "bzip2": lambda stream: _chunks(bz2.BZ2File(stream)),
    "xz": _xz,
}
_ERRORS: tuple[type[Exception], ...] = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)
if _ZSTD is not None:
    _OPENERS["zstd"] = lambda stream: _chunks(_ZSTD.ZstdFile(stream))
    _ERRORS = (*_ERRORS, _ZSTD.ZstdError)
