"""A check reads bodies whole, and the page cache is afterwards what it was."""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

import pytest

from mailstore.bodies import layout
from mailstore.bodies.files import FileBodies
from mailstore.ports import BodyRef
from tests.suites.bodies import stored

LARGE = b"x" * 3_000_000 + b"\r\n"
MIXED = b"..a\r\n" + b"b\r\n..\r\n" * 300_000 + b"...c"


@pytest.fixture
def store(tmp_path: Path) -> FileBodies:
    made = FileBodies(tmp_path / "bodies")
    made.prepare()
    return made


def file_of(tmp_path: Path, ref: BodyRef) -> Path:
    return tmp_path / "bodies" / layout.path(ref.key)


def pages_in_cache(file: Path) -> int:
    """Return how many pages of a file are in the page cache: mincore(2)."""
    size = file.stat().st_size
    states = (ctypes.c_ubyte * -(-size // mmap.PAGESIZE))()
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), size, access=mmap.ACCESS_COPY) as mapped:
        first = ctypes.c_char.from_buffer(mapped)
        done = ctypes.CDLL(None).mincore(ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(size), states)
        del first
    assert done == 0
    return sum(state & 1 for state in states)


def forget(file: Path) -> None:
    with file.open("rb") as stream:
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@pytest.mark.parametrize("wire", [b"small\r\n", LARGE], ids=len)
def test_what_was_not_in_the_page_cache_is_not_there_afterwards(store: FileBodies, tmp_path: Path, wire: bytes) -> None:
    ref = stored(store, wire)
    file = file_of(tmp_path, ref)
    forget(file)
    if pages_in_cache(file):
        pytest.skip("this file system keeps all of it in memory")
    store.verify(ref)
    assert pages_in_cache(file) == 0


@pytest.mark.parametrize("wire", [b"small\r\n", LARGE], ids=len)
def test_what_was_in_the_page_cache_stays_there(store: FileBodies, tmp_path: Path, wire: bytes) -> None:
    ref = stored(store, wire)
    file = file_of(tmp_path, ref)
    file.read_bytes()
    before = pages_in_cache(file)
    store.verify(ref)
    assert pages_in_cache(file) == before > 0


@pytest.mark.parametrize("wire", [b"", b"..", MIXED, b"x" * (1024 * 1024 - 1) + b"\r\n..\r\n", LARGE], ids=len)
def test_a_body_tells_by_itself_what_it_is(store: FileBodies, wire: bytes) -> None:
    ref = stored(store, wire)
    found, _arrived_at = store.examine(ref.key)
    dots = sum(line.startswith(b".") for line in wire.split(b"\r\n"))
    assert found == ref._replace(octets=len(wire) - dots)
