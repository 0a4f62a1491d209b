"""`dovecot-uidlist`, version 3: the UIDs, and so the POP3 UIDLs, that Dovecot gave the messages of a Maildir.

The first line is `3 V<uidvalidity> N<next uid> …`; each other `<uid> [<letter><value> …] :<file name>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

FILE = "dovecot-uidlist"
_HEADER = re.compile(r"3 .*?\bV(\d{1,10})\b.*")
_ENTRY = re.compile(r"(\d{1,10})((?: [A-Z]\S*)*) :(\S.*)")
_MOST = 2**32 - 1  # RFC 3501 §2.3.1.1: UIDs and UIDVALIDITY have 32 bits


class BadUidlist(ValueError):
    """Not a uidlist that can be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message: its UID, and the UIDL that was saved for it, where one was."""

    uid: int
    saved_uidl: str | None
    base: str  # the file's name without the flags


@dataclass(frozen=True, slots=True)
class Uidlist:
    """What the file says."""

    validity: int
    entries: dict[str, Entry]  # by base name

    def uidl(self, base: str) -> str | None:
        """Return what Dovecot has shown as the UIDL of this file, by its default pop3_uidl_format `%08Xu%08Xv`."""
        entry = self.entries.get(base)
        if entry is None:
            return None
        return entry.saved_uidl or f"{entry.uid:08x}{self.validity:08x}"


def base_of(name: str) -> str:
    """Return a Maildir file's name without its flags: what stays the same when they change."""
    return name.partition(":")[0]


def parse(lines: Iterable[str]) -> Uidlist:
    """Read the file's lines; a line that is none is passed over, as Dovecot does. BadUidlist for another version."""
    source = iter(lines)
    header = _HEADER.fullmatch(next(source, "").rstrip("\n"))
    if header is None or not 0 < int(header[1]) <= _MOST:
        raise BadUidlist(f"{FILE} does not begin with a line such as '3 V1275660208 N25022'")
    return Uidlist(int(header[1]), {entry.base: entry for entry in _entries(source)})


def render(validity: int, entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the lines of a file that `parse` reads back, and Dovecot too; the UIDs ascend."""
    listed = list(entries)
    yield f"3 V{validity} N{max((entry.uid for entry in listed), default=0) + 1}\n"
    for entry in listed:
        saved = f" P{entry.saved_uidl}" if entry.saved_uidl else ""
        yield f"{entry.uid}{saved} :{entry.base}\n"


def _entries(lines: Iterator[str]) -> Iterator[Entry]:
    for line in lines:
        match = _ENTRY.fullmatch(line.rstrip("\n"))
        if match and 0 < int(match[1]) <= _MOST:
            saved = next((word[1:] for word in match[2].split() if word.startswith("P") and len(word) > 1), None)
            yield Entry(int(match[1]), saved, base_of(match[3]))
