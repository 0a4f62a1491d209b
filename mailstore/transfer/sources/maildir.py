"""Read a Maildir: the messages of `new` and `cur` in their order. File names identify the messages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from mailstore.messages.message_file import CHUNK_OCTETS
from mailstore.transfer.sources import SourceMessage, contents, header_value, identity_of, uidlist

FOLDERS = ("cur", "new")
_TIME = re.compile(r"(\d{1,11})\.")  # the first part of a file's name: seconds since 1970


def is_maildir(path: Path) -> bool:
    return any((path / folder).is_dir() for folder in FOLDERS)


def messages(path: Path) -> tuple[int, Iterator[SourceMessage]]:
    """Return the number of messages in the Maildir, and the messages by Dovecot's UID if they have one, else by time.

    Folders below it (Maildir++) are not read, since POP serves only the inbox. Raises BadUidlist and OSError.
    """
    listed = uids(path)
    ordered = sorted(names(path), key=lambda name: _order(name, listed))
    return len(ordered), (_message(path, name, listed) for name in ordered)


def uids(path: Path) -> uidlist.Uidlist | None:
    """Return the list of the UIDs that Dovecot gave here, if there is one. Raises BadUidlist."""
    file = path / uidlist.FILE
    if not file.is_file():
        return None
    with file.open(encoding="utf-8", errors="surrogateescape") as lines:
        return uidlist.parse(lines)


def names(path: Path) -> Iterator[str]:
    """Yield the file names of the messages, in no order."""
    yield from (entry.name for entry in _entries(path) if contents.not_mail(entry) is None)


def not_mail(path: Path) -> Iterator[contents.NotMail]:
    """Yield the files between the messages that are no mail."""
    yield from filter(None, map(contents.not_mail, _entries(path)))


def _entries(path: Path) -> Iterator[os.DirEntry[str]]:
    for folder in FOLDERS:
        if (path / folder).is_dir():
            with os.scandir(path / folder) as entries:
                yield from entries


def _order(name: str, listed: uidlist.Uidlist | None) -> tuple[int, int, str]:
    """Return the key that sorts messages with a UID of Dovecot first, by UID, and later ones by time."""
    base = uidlist.base_of(name)
    entry = listed.entries.get(base) if listed else None
    return (0, entry.uid, base) if entry else (1, _seconds(base) or 0, base)


def _seconds(base: str) -> int | None:
    match = _TIME.match(base)
    return int(match[1]) if match else None


def _message(path: Path, name: str, listed: uidlist.Uidlist | None) -> SourceMessage:
    base = uidlist.base_of(name)
    return SourceMessage(
        name=name,
        identity=identity_of(b"maildir", base.encode(errors="surrogateescape")),
        arrived_at=_arrival(path, name),
        uidl=listed.uidl(base) if listed else _header_uidl(path, name),
        read=lambda: _read(_file(path, name)),
    )


def _arrival(path: Path, name: str) -> datetime | None:
    seconds = _seconds(name)
    try:
        return datetime.fromtimestamp(_file(path, name).stat().st_mtime if seconds is None else seconds, UTC)
    except (OSError, ValueError, OverflowError):
        return None


def _header_uidl(path: Path, name: str) -> str | None:
    try:
        with _file(path, name).open("rb") as stream:
            return header_value(iter(lambda: stream.readline(CHUNK_OCTETS), b""), b"x-uidl")
    except OSError:  # `read` will report it, if it still fails then
        return None


def _read(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        first = stream.read(CHUNK_OCTETS)
        if (unreadable := contents.unreadable(first)) is not None:
            raise unreadable
        if first:
            yield first
        yield from iter(lambda: stream.read(CHUNK_OCTETS), b"")


def _file(path: Path, name: str) -> Path:
    """Return where the file is now. A mail program may have moved it, or changed its flags, since it was listed."""
    places = [path / folder / name for folder in FOLDERS]
    place = next((place for place in places if place.exists()), None)
    if place is not None:
        return place
    base = uidlist.base_of(name)
    return next((file for file in (path / "cur").iterdir() if uidlist.base_of(file.name) == base), places[0])
