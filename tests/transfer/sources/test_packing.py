"""Compressed messages are read as a stream, and never beyond their size."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable

import lz4.block
import lz4.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.transfer.sources import packing
from mailstore.transfer.sources.packing import Damaged

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": packing.zstd.compress,
    "lz4": lz4.frame.compress,
}  # fmt: skip
ENOUGH = 10_000_000


def dovecot_lz4(*blocks: bytes) -> bytes:
    """What Dovecot's zlib plugin writes for lz4."""
    packed = [lz4.block.compress(block, store_size=False) for block in blocks]
    return b"".join(
        [packing.DOVECOT_LZ4, (65536).to_bytes(4, "big"), *(len(each).to_bytes(4, "big") + each for each in packed)]
    )


def unpack(data: bytes, name: str, octets: int | None = None, most_octets: int = ENOUGH) -> bytes:
    return b"".join(packing.unpacked(io.BytesIO(data), name, octets=octets, most_octets=most_octets))


@pytest.mark.parametrize("name", PACKERS)
@given(parts=st.lists(st.binary(max_size=2000), min_size=1, max_size=3))
def test_what_was_packed_comes_back_also_from_several_streams_in_one_file(name: str, parts: list[bytes]) -> None:
    content = b"".join(parts)
    assert unpack(b"".join(PACKERS[name](part) for part in parts), name, len(content)) == content


@pytest.mark.parametrize("name", PACKERS)
def test_a_bomb_is_left_after_the_first_chunk_above_its_bound(name: str) -> None:
    chunks: list[bytes] = []
    with pytest.raises(Damaged, match="more than MAX_MESSAGE_OCTETS, 100000"):
        chunks.extend(
            packing.unpacked(io.BytesIO(PACKERS[name](bytes(20_000_000))), name, octets=None, most_octets=100_000)
        )
    assert sum(map(len, chunks)) <= 100_000


@pytest.mark.parametrize("name", PACKERS)
def test_a_file_that_is_cut_off_or_of_another_size_is_damaged(name: str) -> None:
    packed = PACKERS[name](b"Subject: x\n\n" * 1000)
    with pytest.raises((Damaged, OSError)):
        unpack(packed[:-5], name)
    with pytest.raises((Damaged, OSError)):
        unpack(packed[: len(packed) // 2] + b"\xff" * 20, name)
    with pytest.raises(Damaged, match="its name says S=12001"):
        unpack(packed, name, octets=12_001)
    with pytest.raises(Damaged, match="more octets than its name says, S=11999"):
        unpack(packed, name, octets=11_999)


def test_a_size_in_the_name_does_not_raise_the_bound() -> None:
    with pytest.raises(Damaged, match="more than MAX_MESSAGE_OCTETS"):
        unpack(gzip.compress(bytes(2000)), "gzip", octets=2000, most_octets=1000)


def test_an_xz_file_that_asks_for_too_much_memory_is_damaged() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 256 * 1024 * 1024}]
    with pytest.raises(Damaged, match="xz: Memory usage limit"):
        unpack(lzma.compress(b"x", filters=filters), "xz")


def test_the_lz4_of_dovecot_is_read_block_by_block() -> None:
    packed = dovecot_lz4(b"Subject: x\n\n", b"text\n" * 10_000)
    assert unpack(packed, "lz4") == b"Subject: x\n\n" + b"text\n" * 10_000
    with pytest.raises(Damaged, match="lz4: it ends too early"):
        unpack(packed[:-3], "lz4")


def test_a_block_of_lz4_that_says_to_be_huge_is_damaged() -> None:
    with pytest.raises(Damaged, match="a block may have 1073741824 octets"):
        unpack(packing.DOVECOT_LZ4 + (2**30).to_bytes(4, "big"), "lz4")
    with pytest.raises(Damaged, match="a packed block has"):
        unpack(packing.DOVECOT_LZ4 + (2**16).to_bytes(4, "big") + (2**30).to_bytes(4, "big"), "lz4")
    with pytest.raises(Damaged, match="lz4"):
        unpack(packing.DOVECOT_LZ4 + (2**16).to_bytes(4, "big") + (5).to_bytes(4, "big") + b"\xff" * 5, "lz4")
