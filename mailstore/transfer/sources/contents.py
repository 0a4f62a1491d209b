"""What stands where mail is looked for and is none, or none that can be read: known by its name or its first octets."""

from __future__ import annotations

import os
import re
import stat
from enum import Enum

SNIFFED_OCTETS = 512
_PACKINGS = (
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"Dovecot-LZ4\x0d\x2a\x9b\xc5", "lz4"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x1f\x9d", "compress"),
    (b"PK\x03\x04", "zip"),
)
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")  # its header and the mark of the first block, or of the end
_ENCRYPTED = b"CRYPTED\x03\x07"  # Dovecot's mail_crypt
# A field of a header, a From_ line, an empty line: how a message begins, even one with NUL octets.
_BEGIN = re.compile(rb"[!-9;-~]+[ \t]*:|>?From |\r?\n")
# Files that servers and desktops leave between messages; what begins with a dot is hidden from mail programs too.
_KEPT_BY_SERVERS = re.compile(
    r"(?:dovecot[.-].*|courier.*|cyrus\..*|maildir(?:size|folder|shared)|subscriptions|shared-maildirs|quotawarn"
    r"|(?:eh)?thumbs\.db|desktop\.ini)",
    re.IGNORECASE,
)


class Why(Enum):
    """Why it is not imported. Mail that is PACKED or ENCRYPTED is missing then; the rest is no mail."""

    PACKED = "packed"
    ENCRYPTED = "encrypted"
    EMPTY = "empty"
    FOLDER = "folder"
    HIDDEN = "hidden"
    SPECIAL = "special"
    INDEX = "index"
    BINARY = "binary"


LOST = frozenset({Why.PACKED, Why.ENCRYPTED})


class NotMail(ValueError):
    """Not a message that can be read; `what` names it in the summary: the packing, or what it is instead."""

    def __init__(self, why: Why, what: str = "") -> None:
        super().__init__(what or why.value)
        self.why = why
        self.what = what or why.value


def stranger(entry: os.DirEntry[str]) -> NotMail | None:
    """Return what an entry of a Maildir's folder is by its name and kind; None where it may be a message."""
    if entry.is_dir():
        return NotMail(Why.FOLDER)
    if _KEPT_BY_SERVERS.fullmatch(entry.name):
        return NotMail(Why.INDEX, entry.name)
    if entry.name.startswith("."):
        return NotMail(Why.HIDDEN, ".DS_Store" if entry.name == ".DS_Store" else "")
    return NotMail(Why.SPECIAL) if _is_special(entry) else None


def unreadable(begin: bytes) -> NotMail | None:
    """Return what a file is that begins so; None where it may be a message or a file of messages."""
    if begin.startswith(_ENCRYPTED):
        return NotMail(Why.ENCRYPTED)
    packing = next((name for mark, name in _PACKINGS if begin.startswith(mark)), None)
    if packing or _BZIP2.match(begin):
        return NotMail(Why.PACKED, packing or "bzip2")
    if b"\0" in begin[:SNIFFED_OCTETS] and not _BEGIN.match(begin):
        return NotMail(Why.BINARY)
    return None


def _is_special(entry: os.DirEntry[str]) -> bool:
    """A pipe, a socket or a device, on which a reader could wait for ever. A link that leads nowhere is not."""
    try:
        return not stat.S_ISREG(entry.stat().st_mode)
    except OSError:  # moved meanwhile, or broken: whoever reads it will say so
        return False
