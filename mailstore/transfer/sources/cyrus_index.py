"""Read `cyrus.index`: which messages a folder of Cyrus has, and by what its POP3 server makes their UIDLs.

The file has a header, whose layout depends on its version, and then records of one size, by ascending UID. All numbers
are big-endian. Cyrus 2.2 (version 6) and newer ones write it so; 20 is the newest version.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

FILE = "cyrus.index"
_BASE = struct.Struct(">6I")  # generation, format, version, octets of the header, octets of a record, records
_HEADER_OCTETS = range(76, 1025)
_RECORD_OCTETS = range(60, 1025)
_NEW_UIDLS = 1 << 0  # of the options: UIDLs have the UIDVALIDITY in them; very old mailboxes have the bare UID
_DELETED = 1 << 2  # of a record's flags
_GONE = 1 << 30 | 1 << 31  # unlinked, expunged: the file may stay on the disk for days


class BadCyrusIndex(ValueError):
    """The file is not one that can be read. The text says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """A message: when it arrived, in seconds since 1970, its octets, and whether it is marked as deleted."""

    uid: int
    arrived_seconds: int
    octets: int
    deleted: bool


@dataclass(frozen=True, slots=True)
class CyrusIndex:
    """The content of the file. `bare_uids`: POP3 shows the UID alone, whatever `uidl_format` says."""

    uidvalidity: int
    last_uid: int
    bare_uids: bool
    records: dict[int, Record]  # by UID, in their order, without those that are expunged


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the fields are: three in the header, and three in a record."""

    last_uid: int
    uidvalidity: int
    options: int
    arrival: Callable[[bytes], int]
    octets: Callable[[bytes], int]
    flags: int


def _number(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "big")


def _long_number(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 8], "big")


_FIRST = _Layout(28, 44, 60, lambda record: _number(record, 4), lambda record: _number(record, 12), 32)
_ALIGNED = _Layout(28, 44, 64, _FIRST.arrival, _FIRST.octets, 32)
_LONG = _Layout(
    88, 92, 64, lambda record: _long_number(record, 8) // 10**9, lambda record: _long_number(record, 24), 36
)
# Version 11 was never released.
_LAYOUTS = dict.fromkeys((6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18), _FIRST) | {19: _ALIGNED, 20: _LONG}


def read(path: Path) -> CyrusIndex:
    """Read the file. Raises BadCyrusIndex and OSError."""
    with path.open("rb") as file:
        begin = file.read(_BASE.size)
        if len(begin) < _BASE.size:
            raise BadCyrusIndex(f"{FILE} ends too early")
        _generation, _format, version, header_octets, record_octets, count = _BASE.unpack(begin)
        layout = _LAYOUTS.get(version)
        if layout is None or header_octets not in _HEADER_OCTETS or record_octets not in _RECORD_OCTETS:
            raise BadCyrusIndex(f"{FILE} is like that of no known version (6 to 20): it says {version}")
        header = begin + file.read(header_octets - _BASE.size)
        last_uid = _number(header, layout.last_uid)
        records = {record.uid: record for record in _records(file, layout, record_octets, count, last_uid)}
    return CyrusIndex(
        _number(header, layout.uidvalidity),
        last_uid,
        not _number(header, layout.options) & _NEW_UIDLS,
        records,
    )


def _records(file: BinaryIO, layout: _Layout, record_octets: int, count: int, last_uid: int) -> Iterator[Record]:
    before = 0
    for _place in range(count):
        data = file.read(record_octets)
        uid = _number(data, 0)
        if len(data) < record_octets or not before < uid <= last_uid:
            raise BadCyrusIndex(f"{FILE} is damaged behind the message with the UID {before}")
        before, flags = uid, _number(data, layout.flags)
        if not flags & _GONE:
            yield Record(uid, layout.arrival(data), layout.octets(data), bool(flags & _DELETED))
