"""Recognise files that are no mail, or that cannot be read, by their names or their first octets."""

from __future__ import annotations

import errno
import os
import re
import stat
from enum import Enum
from pathlib import Path
from typing import BinaryIO

SNIFFED_OCTETS = 512
_COMPRESSIONS = (
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"Dovecot-LZ4\x0d\x2a\x9b\xc5", "lz4"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x1f\x9d", "compress"),
    (b"PK\x03\x04", "zip"),
)
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")  # its header, and the mark of the first block or of the end
_ENCRYPTED = b"CRYPTED\x03\x07"  # Dovecot's mail_crypt
# A message begins with a header field, a From_ line or an empty line, even if it contains NUL octets.
_BEGIN = re.compile(rb"[!-9;-~]+[ \t]*:|>?From |\r?\n")
# Files that servers and desktops leave between messages. Mail programs also skip names that begin with a dot.
_KEPT_BY_SERVERS = re.compile(
    r"(?:dovecot[.-].*|courier.*|cyrus\..*|maildir(?:size|folder|shared)|subscriptions|shared-maildirs|quotawarn"
    r"|(?:eh)?thumbs\.db|desktop\.ini)",
    re.IGNORECASE,
)


class Why(Enum):
    """Why a file is not imported. Those that are LOST may be mail, which is then missing. Others are no mail."""

    COMPRESSED = "compressed"
    ENCRYPTED = "encrypted"
    LINK = "link"
    EMPTY = "empty"
    FOLDER = "folder"
    HIDDEN = "hidden"
    SPECIAL = "special"
    INDEX = "index"
    BINARY = "binary"
    EXPUNGED = "expunged"
    NEWER = "newer than cyrus.index"


LOST = frozenset({Why.COMPRESSED, Why.ENCRYPTED, Why.LINK, Why.NEWER})


class NotMail(ValueError):
    """The file is no message that can be read. `what` names it in the summary: its compression, name or kind."""

    def __init__(self, why: Why, what: str = "") -> None:
        super().__init__(what or why.value)
        self.why = why
        self.what = what or why.value


def not_mail(entry: os.DirEntry[str]) -> NotMail | None:
    """Return why an entry of a Maildir's folder is no message, by its name and kind. None if it may be one."""
    if entry.is_dir():
        return NotMail(Why.FOLDER)
    if _KEPT_BY_SERVERS.fullmatch(entry.name):
        return NotMail(Why.INDEX, entry.name)
    if entry.name.startswith("."):
        return NotMail(Why.HIDDEN, ".DS_Store" if entry.name == ".DS_Store" else "")
    return NotMail(Why.SPECIAL) if _is_special(entry) else None


def opened(path: Path) -> BinaryIO:
    """Open a file that a customer could write. Raises NotMail for a link or a special file, and OSError.

    The import may read what the customer may not, and a link may lead to the mail of others.
    """
    try:
        # A pipe that has taken the place of the file must not make us wait.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotMail(Why.LINK) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotMail(Why.SPECIAL)
    return os.fdopen(descriptor, "rb")


def unreadable(begin: bytes) -> NotMail | None:
    """Return why a file that begins like this cannot be read. None if it may be a message, or a file of messages."""
    if begin.startswith(_ENCRYPTED):
        return NotMail(Why.ENCRYPTED)
    compression = next((name for mark, name in _COMPRESSIONS if begin.startswith(mark)), None)
    if compression or _BZIP2.match(begin):
        return NotMail(Why.COMPRESSED, compression or "bzip2")
    if b"\0" in begin[:SNIFFED_OCTETS] and not _BEGIN.match(begin):
        return NotMail(Why.BINARY)
    return None


def _is_special(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a pipe, socket or device, where a reader could wait for ever. A broken link is not."""
    try:
        return not stat.S_ISREG(entry.stat().st_mode)
    except OSError:  # it was moved, or is broken: the reader will report it
        return False
