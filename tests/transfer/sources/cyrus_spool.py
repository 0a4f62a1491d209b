"""A folder of Cyrus' spool, as its versions 3.8 (index 19) and 3.12 (index 20) write it."""

from __future__ import annotations

import struct
from pathlib import Path

UIDVALIDITY = 1275660208
ARRIVED_SECONDS = 1300000000  # of UID 0; each message came a second after the one before it
DELETED, EXPUNGED = 1 << 2, 1 << 31
NEW_UIDLS = 1


def index(uids: dict[int, int], *, version: int = 19, last_uid: int = 0, options: int = NEW_UIDLS) -> bytes:
    """Return a `cyrus.index`. `uids` has the flags of each message."""
    long = version == 20
    header_octets, record_octets = (192, 144) if long else (160, 112)
    header = bytearray(header_octets)
    struct.pack_into(">6I", header, 0, 7, 0, version, header_octets, record_octets, len(uids))
    last_uid_at, validity_at = (88, 92) if long else (28, 44)
    struct.pack_into(">I", header, last_uid_at, last_uid or max(uids, default=0))
    struct.pack_into(">I", header, validity_at, UIDVALIDITY)
    struct.pack_into(">I", header, 64, options)
    return bytes(header) + b"".join(_record(uid, flags, record_octets, long=long) for uid, flags in uids.items())


def _record(uid: int, flags: int, octets: int, *, long: bool) -> bytes:
    record = bytearray(octets)
    arrived, size = ARRIVED_SECONDS + uid, len(message(uid))
    if long:
        struct.pack_into(">IIqqQII", record, 0, uid, 0, arrived * 10**9, 0, size, 0, flags)
    else:
        struct.pack_into(">9I", record, 0, uid, arrived, 0, size, 0, 0, 0, 0, flags)
    return bytes(record)


def message(uid: int) -> bytes:
    return b"Subject: %d\r\n\r\n.dot\r\n" % uid


def spool(folder: Path, uids: dict[int, int], **header: int) -> Path:
    """Make a folder with these messages. Their flags are the values."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("cyrus.header", "cyrus.cache", "cyrus.annotations"):
        (folder / name).write_bytes(b"\xa1\x02\x8b\x0dCyrus mailbox header\n")
    (folder / "cyrus.index").write_bytes(index(uids, **header))
    for uid in uids:
        (folder / f"{uid}.").write_bytes(message(uid))
    return folder
