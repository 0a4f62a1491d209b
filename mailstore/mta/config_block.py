"""One block of ours in a configuration file of somebody else: main.cf or master.cf of Postfix. Pure text.

Entries of the same names outside the block are commented out while it stands, so that each has one value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

BEGIN = "# BEGIN popadmin: written by `popadmin mta setup`, which refuses to replace this block when it was changed."
END = "# END popadmin"
OUT = "#popadmin: "  # before a line that the block stands for
_BLOCK = re.compile(rf"(?:^\n)?^{re.escape(BEGIN)}\n(.*?)^{re.escape(END)}\n", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A logical line (postconf(5)): a line and those behind it that begin with a blank. `lines` are their numbers.

    `text` is all of it, with single blanks.
    """

    name: str
    text: str
    lines: tuple[int, ...]


def parameter_name(line: str) -> str:
    """Return the name of a line of main.cf."""
    return line.partition("=")[0].strip()


def service_name(line: str) -> str:
    """Return what tells a service of master.cf from others, as postconf -M writes it."""
    return "/".join(line.split()[:2])


NameOf = Callable[[str], str]


def entries(text: str, name_of: NameOf) -> Iterator[Entry]:
    """Yield the logical lines of a file. Comments and empty lines between the lines of one are no part of it."""
    found: list[tuple[int, str]] = []
    for number, line in enumerate(_lines(text)):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line[0].isspace() and found:
            yield _entry(found, name_of)
            found = []
        found.append((number, line))
    if found:
        yield _entry(found, name_of)


def _lines(text: str) -> list[str]:
    """Return the lines as Postfix reads them. `splitlines` would end one at a form feed, too."""
    return text.removesuffix("\n").split("\n") if text else []


def block(text: str) -> str | None:
    """Return what stands in the block; None if there is none."""
    found = _BLOCK.search(text)
    return found[1] if found else None


def without_block(text: str) -> str:
    """Return the file as it is without the block: what was commented out for it counts again."""
    return "\n".join(line.removeprefix(OUT) for line in _BLOCK.sub("", text).split("\n"))


def with_block(text: str, body: str, name_of: NameOf) -> str:
    """Return the file, which has no block yet, with this one. Other entries of its names are commented out."""
    names = {entry.name for entry in entries(body, name_of)}
    out = {number for entry in entries(text, name_of) if entry.name in names for number in entry.lines}
    lines = [f"{OUT}{line}" if number in out else line for number, line in enumerate(_lines(text))]
    return "\n".join([*lines, "", BEGIN, body.rstrip("\n"), END, ""])


def _entry(found: list[tuple[int, str]], name_of: NameOf) -> Entry:
    text = "\n".join(line for _number, line in found)
    name = name_of(found[0][1])
    return Entry(name, " ".join(text.split()), tuple(number for number, _line in found))
