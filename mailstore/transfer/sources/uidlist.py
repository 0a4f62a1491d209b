"""Read and write `dovecot-uidlist`, version 3: the UIDs, and so the POP3 UIDLs, that Dovecot gave in a Maildir.

The first line is `3 V<uidvalidity> N<next uid> …`. Each other line is `<uid> [<letter><value> …] :<file name>`.
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
    """The file is no uidlist that can be read. The text says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message: its UID, and the UIDL that was saved for it, if there is one."""

    uid: int
    saved_uidl: str | None
    base: str  # the name of the file without its flags


@dataclass(frozen=True, slots=True)
class Uidlist:
    """The content of the file."""

    validity: int
    entries: dict[str, Entry]  # by base name

    def uidl(self, base: str) -> str | None:
        """Return the UIDL that Dovecot has shown for this file, by its default pop3_uidl_format `%08Xu%08Xv`."""
        entry = self.entries.get(base)
        if entry is None:
            return None
        return entry.saved_uidl or f"{entry.uid:08x}{self.validity:08x}"


def base_of(name: str) -> str:
    """Return the name of a Maildir file without its flags. It stays the same when the flags change."""
    return name.partition(":")[0]


def parse(lines: Iterable[str]) -> Uidlist:
    """Read the file. Lines that are not valid are skipped, as by Dovecot. BadUidlist for another version."""
    source = iter(lines)
    header = _HEADER.fullmatch(next(source, "").rstrip("\n"))
    if header is None or not 0 < int(header[1]) <= _MOST:
        raise BadUidlist(f"{FILE} does not begin with a line such as '3 V1275660208 N25022'")
    return Uidlist(int(header[1]), {entry.base: entry for entry in _entries(source)})


def render(validity: int, entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the lines of a file that `parse` and Dovecot can read. The UIDs of the entries ascend."""
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
