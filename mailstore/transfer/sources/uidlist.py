"""Read and write `dovecot-uidlist`, version 3: the UIDs, and so the POP3 UIDLs, that Dovecot gave in a Maildir.

The first line is `3 V<uidvalidity> N<next uid> …`. Each other line is `<uid> [<letter><value> …] :<file name>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mailstore.transfer.sources import uidl_format as formats
from mailstore.transfer.sources.uidl_format import Shown, UidlFormat

FILE = "dovecot-uidlist"
DEFAULT_FORMAT = formats.parse(formats.DEFAULT)
_HEADER = re.compile(r"3 .*?\bV(\d{1,10})\b.*")
_ENTRY = re.compile(r"(\d{1,10})((?: [A-Z]\S*)*) :(\S.*)")
_FLAGS = re.compile(r"[:;!-]2,([A-Za-z]*)\Z")  # file systems without colons have others, and so have their copies
_ORDER = re.compile(r"[1-9]\d{0,9}")
_MOST = 2**32 - 1  # RFC 3501 §2.3.1.1: UIDs and UIDVALIDITY have 32 bits


class BadUidlist(ValueError):
    """The file is no uidlist that can be read. The text says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message: its UID, and the UIDL that was saved for it, if there is one."""

    uid: int
    saved_uidl: str | None  # `P`: what an older server had shown
    base: str  # the name of the file without its flags
    guid: str | None = None  # `G`
    order: int | None = None  # `O`: its place in POP3, before those that have none


@dataclass(frozen=True, slots=True)
class Uidlist:
    """The content of the file."""

    validity: int
    entries: dict[str, Entry]  # by base name

    def uidl(self, base: str, uidl_format: UidlFormat = DEFAULT_FORMAT) -> str | None:
        """Return the UIDL that Dovecot has shown for this file, by this format. None: it is not listed."""
        entry = self.entries.get(base)
        if entry is None:
            return None
        return entry.saved_uidl or uidl_format.uidl(Shown(entry.uid, self.validity, base, entry.guid or base))

    def in_order(self) -> list[Entry]:
        """Return the entries in the order in which POP3 shows them."""
        return sorted(self.entries.values(), key=lambda entry: (entry.order is None, entry.order or 0, entry.uid))


def base_of(name: str) -> str:
    """Return the name of a Maildir file without its flags. It stays the same when the flags change."""
    base, colon, _flags = name.partition(":")
    return base if colon else _FLAGS.sub("", name)


def flags_of(name: str) -> str:
    """Return the flags of a Maildir file, such as `RS`."""
    match = _FLAGS.search(name)
    return match[1] if match else ""


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
        words = (("P", entry.saved_uidl), ("G", entry.guid), ("O", entry.order))
        yield f"{entry.uid}{''.join(f' {letter}{value}' for letter, value in words if value)} :{entry.base}\n"


def _entries(lines: Iterator[str]) -> Iterator[Entry]:
    for line in lines:
        match = _ENTRY.fullmatch(line.rstrip("\n"))
        if match and 0 < int(match[1]) <= _MOST:
            words = {word[0]: word[1:] for word in reversed(match[2].split()) if len(word) > 1}
            order = words.get("O", "")
            yield Entry(
                int(match[1]),
                words.get("P"),
                base_of(match[3]),
                words.get("G"),
                int(order) if _ORDER.fullmatch(order) else None,
            )
