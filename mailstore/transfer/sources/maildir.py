"""Read a Maildir: the messages of `new` and `cur` in their order. File names identify the messages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mailstore.messages.message_file import CHUNK_OCTETS
from mailstore.transfer.sources import (
    PLAIN,
    Reading,
    SourceMessage,
    contents,
    courier,
    folder_tree,
    header_value,
    identity_of,
    packing,
    uidlist,
)
from mailstore.transfer.sources.uidl_format import Shown, UidlFormat

FOLDERS = ("cur", "new")
_NOT_FOLDERS = frozenset({*FOLDERS, "tmp"})
_TIME = re.compile(r"(\d{1,11})\.")  # the first part of a file's name: seconds since 1970
_OCTETS = re.compile(r",S=(\d{1,18})(?=,|\Z)")  # the size of the message, not compressed

_Listed = dict[str, tuple[int, str | None]]  # place and UIDL of each file, by its name without flags


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that is read: its path, its name below the inbox, and what the old server's list says of its files."""

    path: Path
    name: str
    reading: Reading
    listed: _Listed | None  # None: there is no list

    def place(self, name: str) -> tuple[int, int, str]:
        """Return the key that sorts listed messages first, in the order of the list, and later ones by time."""
        base = uidlist.base_of(name)
        entry = self.listed.get(base) if self.listed is not None else None
        return (0, entry[0], base) if entry else (1, _seconds(base) or 0, base)

    def uidl(self, name: str) -> str | None:
        """Return the UIDL that the old server has shown, as far as its list and its format say."""
        base, shown = uidlist.base_of(name), self.reading.uidl_format
        if self.name:
            return None  # POP3 shows only the inbox
        if self.listed is not None and base in self.listed:
            return self.listed[base][1]
        if shown is not None:
            return shown.uidl(Shown(filename=base, guid=base))
        return _header_uidl(self, name) if self.listed is None else None


def is_maildir(path: Path) -> bool:
    """Return whether a folder is a Maildir. What it links to is not in it: it may be the mail of others."""
    return any(folder_tree.is_folder(path / folder) for folder in FOLDERS)


def messages(path: Path, reading: Reading = PLAIN, folder: str = "") -> tuple[int, Iterator[SourceMessage]]:
    """Return the number of messages in the Maildir, and the messages: by the old server's list, else by time.

    `folder` is the name of one below it (Maildir++ or not) to read in its place. Raises BadUidlist, BadSizeList and
    OSError.
    """
    place = path / folder
    read = _Folder(place, folder, reading, _listed(place, PLAIN if folder else reading))
    ordered = sorted(names(place), key=read.place)
    return len(ordered), (_message(read, name) for name in ordered)


def folders(path: Path) -> Iterator[str]:
    """Yield the names of the folders below a Maildir that are Maildirs themselves, as `messages` takes them."""
    return folder_tree.below(path, is_maildir, skipped=_NOT_FOLDERS)


def uids(path: Path) -> uidlist.Uidlist | None:
    """Return the list of the UIDs that Dovecot gave here, if there is one. Raises BadUidlist."""
    file = path / uidlist.FILE
    if not file.is_file():
        return None
    with file.open(encoding="utf-8", errors="surrogateescape") as lines:
        return uidlist.parse(lines)


def _listed(path: Path, reading: Reading) -> _Listed | None:
    """Return what the list of the old server says: Dovecot's, else Courier's. A list that was named must be there."""
    named = reading.uidlist
    if named is None or not named.name.startswith(courier.FILE):
        file = named or path / uidlist.FILE
        if named is not None or file.is_file():
            return _by_dovecot(file, reading.uidl_format or uidlist.DEFAULT_FORMAT)
    file = named or path / courier.FILE
    return _by_courier(file) if named is not None or file.is_file() else None


def _by_dovecot(file: Path, shown: UidlFormat) -> _Listed:
    with file.open(encoding="utf-8", errors="surrogateescape") as lines:
        listed = uidlist.parse(lines)
    return {each.base: (place, listed.uidl(each.base, shown)) for place, each in enumerate(listed.in_order())}


def _by_courier(file: Path) -> _Listed:
    with file.open(encoding="utf-8", errors="surrogateescape") as lines:
        return {base: (place, uidl) for place, (base, uidl) in enumerate(courier.parse(lines).items())}


def names(path: Path) -> Iterator[str]:
    """Yield the file names of the messages, in no order."""
    yield from (entry.name for entry in _entries(path) if contents.not_mail(entry) is None)


def not_mail(path: Path, _reading: Reading = PLAIN) -> Iterator[contents.NotMail]:
    """Yield the files between the messages that are no mail."""
    yield from filter(None, map(contents.not_mail, _entries(path)))


def _entries(path: Path) -> Iterator[os.DirEntry[str]]:
    for folder in FOLDERS:
        if folder_tree.is_folder(path / folder):
            with os.scandir(path / folder) as entries:
                yield from entries


def _seconds(base: str) -> int | None:
    match = _TIME.match(base)
    return int(match[1]) if match else None


def _message(folder: _Folder, name: str) -> SourceMessage:
    base = uidlist.base_of(name).encode(errors="surrogateescape")
    below = (os.fsencode(folder.name),) if folder.name else ()
    return SourceMessage(
        name=f"{folder.name}/{name}" if folder.name else name,
        identity=identity_of(b"maildir", *below, base),
        arrived_at=_arrival(folder.path, name),
        uidl=folder.uidl(name),
        read=lambda: _read(folder, name),
        deleted="T" in uidlist.flags_of(name),
    )


def _arrival(path: Path, name: str) -> datetime | None:
    seconds = _seconds(name)
    try:
        return datetime.fromtimestamp(_file(path, name).stat().st_mtime if seconds is None else seconds, UTC)
    except (OSError, ValueError, OverflowError):
        return None


def _header_uidl(folder: _Folder, name: str) -> str | None:
    try:
        return header_value(_lines(_read(folder, name)), b"x-uidl")
    except (OSError, contents.NotMail, packing.Damaged):  # `read` will report it
        return None


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the lines of a header, which is nearly always in the first chunk."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    yield rest


def _read(folder: _Folder, name: str) -> Iterator[bytes]:
    with contents.opened(_file(folder.path, name)) as stream:
        first = stream.read(CHUNK_OCTETS)
        unreadable = contents.unreadable(first)
        if unreadable is not None and packing.readable(unreadable.what):
            stream.seek(0)
            size = _OCTETS.search(uidlist.base_of(name))
            chunks = packing.unpacked(
                stream,
                unreadable.what,
                octets=int(size[1]) if size else None,
                most_octets=folder.reading.most_octets,
            )
            first = next(chunks, b"")
            unreadable = contents.unreadable(first)
        else:
            chunks = iter(lambda: stream.read(CHUNK_OCTETS), b"")
        if unreadable is not None:
            raise unreadable
        if first:
            yield first
        yield from chunks


def _file(path: Path, name: str) -> Path:
    """Return where the file is now. A mail program may have moved it, or changed its flags, since it was listed."""
    places = [path / folder / name for folder in FOLDERS]
    place = next((place for place in places if place.exists()), None)
    if place is not None:
        return place
    base = uidlist.base_of(name)
    return next((file for file in (path / "cur").iterdir() if uidlist.base_of(file.name) == base), places[0])
