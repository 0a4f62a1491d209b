"""Read Courier's `courierpop3dsizelist`: the UIDLs that its POP3 server gave in a Maildir, in the order of its lines.

The first line may be `/<version> <next uid> [<uidvalidity>]`. Each other line is `<file name> <octets>`, from version 1
on with ` <uid>`, from version 2 on with ` <uid>:<uidvalidity>`, and in version 3 perhaps with `:<flag>` behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain

FILE = "courierpop3dsizelist"
_HEADER = re.compile(r"/(\d+)( \d+){1,2}")
_VERSIONS = ("1", "2", "3")
_ENTRY = re.compile(r"(?P<name>\S.*?) \d+(?: (?P<uid>\d{1,10})(?::(?P<validity>\d{1,10})(?::\d+)?)?)?")
_ESCAPED = re.compile(r"[^!-~]|['\"+]")


class BadSizeList(ValueError):
    """The file is of a version that is not known."""


def parse(lines: Iterable[str]) -> dict[str, str]:
    """Return the UIDL of each file, by the name without flags, in the order of the list. Raises BadSizeList."""
    source = iter(lines)
    first = next(source, "")
    header = _HEADER.fullmatch(first.rstrip("\n"))
    if first.startswith("/") and (header is None or header[1] not in _VERSIONS):
        raise BadSizeList(f"{FILE} does not begin with a line such as '/3 1301 1275660208'")
    entries = source if header else chain([first], source)
    matches = filter(None, (_ENTRY.fullmatch(line.rstrip("\n")) for line in entries))
    return {name: _uidl(name, match) for match in matches for name in [match["name"].partition(":")[0]]}


def _uidl(name: str, entry: re.Match[str]) -> str:
    uid, validity = int(entry["uid"] or 0), int(entry["validity"] or 0)
    if uid:
        return f"UID{uid}-{validity}" if validity else f"UID{uid}"
    return _ESCAPED.sub(_escape, name)


def _escape(match: re.Match[str]) -> str:
    return "".join(f"+{octet:02X}" for octet in match[0].encode("utf-8", "surrogateescape"))
