"""Read a folder of Cyrus' spool: the messages that its `cyrus.index` lists, in files named `<uid>.`, by their UIDs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mailstore.messages.message_file import CHUNK_OCTETS
from mailstore.transfer.sources import PLAIN, Reading, SourceMessage, contents, cyrus_index, folder_tree, identity_of
from mailstore.transfer.sources import uidl_format as formats
from mailstore.transfer.sources.contents import NotMail, Why
from mailstore.transfer.sources.cyrus_index import CyrusIndex, Record
from mailstore.transfer.sources.uidl_format import Shown, UidlFormat

_SIGNS = ("cyrus.header", cyrus_index.FILE)
_NAME = re.compile(r"([1-9]\d{0,9})\.")
_DEFAULT_FORMAT = formats.parse("%v.%u")  # imapd.conf: `uidl_format: cyrus`
_BARE_UID = formats.parse("%u")


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that is read: its path, its name below the inbox, its index, and how POP3 has shown its UIDLs."""

    path: Path
    name: str
    index: CyrusIndex
    shown: UidlFormat


def is_spool(path: Path) -> bool:
    """Return whether a folder is one of Cyrus' spool."""
    return any((path / name).is_file() for name in _SIGNS)


def messages(path: Path, reading: Reading = PLAIN, folder: str = "") -> tuple[int, Iterator[SourceMessage]]:
    """Return the number of messages in the folder, and the messages, as POP3 shows them.

    `folder` is the name of one below it to read in its place. Raises BadCyrusIndex and OSError.
    """
    index = _index(path / folder, PLAIN if folder else reading)
    shown = _BARE_UID if index.bare_uids else reading.uidl_format or _DEFAULT_FORMAT
    read = _Folder(path / folder, folder, index, shown)
    return len(index.records), (_message(read, record) for record in index.records.values())


def folders(path: Path) -> Iterator[str]:
    """Yield the names of the folders below, as `messages` takes them."""
    return folder_tree.below(path, is_spool)


def names(path: Path) -> Iterator[str]:
    """Yield the file names of the messages, expunged ones too: no index is read, since it may lie elsewhere."""
    with os.scandir(path) as entries:
        yield from (entry.name for entry in entries if _NAME.fullmatch(entry.name))


def not_mail(path: Path, reading: Reading = PLAIN) -> Iterator[NotMail]:
    """Yield the files that are not imported: no mail, expunged messages, and those that are newer than the index."""
    index = _index(path, reading)
    with os.scandir(path) as entries:
        for entry in entries:
            match = _NAME.fullmatch(entry.name)
            if match is None:
                other = None if entry.is_dir() else contents.not_mail(entry) or NotMail(Why.HIDDEN)
            else:
                other = _unlisted(int(match[1]), index)
            if other is not None:
                yield other


def _unlisted(uid: int, index: CyrusIndex) -> NotMail | None:
    if uid in index.records:
        return None
    return NotMail(Why.EXPUNGED if uid <= index.last_uid else Why.NEWER)


def _index(path: Path, reading: Reading) -> CyrusIndex:
    return cyrus_index.read(reading.uidlist or path / cyrus_index.FILE)


def _message(folder: _Folder, record: Record) -> SourceMessage:
    name, validity = f"{record.uid}.", folder.index.uidvalidity
    # A UIDVALIDITY is a time, which many mailboxes may share: so the parts that no message changes are in it too.
    numbers = (validity, record.uid, record.arrived_seconds, record.octets)
    return SourceMessage(
        name=f"{folder.name}/{name}" if folder.name else name,
        identity=identity_of(b"cyrus", os.fsencode(folder.name), *(str(number).encode() for number in numbers)),
        arrived_at=datetime.fromtimestamp(record.arrived_seconds, UTC),
        uidl=None if folder.name else folder.shown.uidl(Shown(record.uid, validity)),  # POP3 shows only the inbox
        read=lambda: _read(folder.path / name),
        deleted=record.deleted,
    )


def _read(path: Path) -> Iterator[bytes]:
    with contents.opened(path) as stream:
        first = stream.read(CHUNK_OCTETS)
        unreadable = contents.unreadable(first)
        if unreadable is not None:
            raise unreadable
        yield first
        yield from iter(lambda: stream.read(CHUNK_OCTETS), b"")
