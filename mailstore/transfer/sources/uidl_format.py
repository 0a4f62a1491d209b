"""Read a `pop3_uidl_format` of Dovecot, as 2.3 or 2.4 writes it, and make the UIDLs that it gives. Reads no files."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

DEFAULT = "%08Xu%08Xv"
_VARIABLES = {"u": "uid", "v": "uidvalidity", "f": "filename", "g": "guid"}
_NUMBERS = frozenset({"uid", "uidvalidity"})
_NAMES = frozenset({"filename", "guid"})
# `%u`, `%08Xu`, `%{uid}`, `%{uid | hex(8) | upper}`, `%%`; or text.
_PART = re.compile(
    r"%(?:(?P<zero>0?)(?P<width>\d{0,2})(?P<modifiers>[A-Z]*)(?P<letter>[a-z%])|\{(?P<long>[^{}]*)\})|(?P<text>[^%]+)"
)
_HEX = re.compile(r"hex(?:\((\d{1,2})\))?")
_CASES: dict[str, Callable[[str], str]] = {"L": str.lower, "U": str.upper, "lower": str.lower, "upper": str.upper}

Change = Callable[[str], str]


class BadFormat(ValueError):
    """The format has a part that cannot be computed here. The text names it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a server knew of one message: its UID and the folder's UIDVALIDITY, its file without flags, its GUID."""

    uid: int | None = None
    uidvalidity: int | None = None
    filename: str | None = None
    guid: str | None = None


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    changes: tuple[Change, ...] = ()

    def of(self, message: Shown) -> str | None:
        value = getattr(message, self.name)
        if value is None:
            return None
        text = str(value)
        for change in self.changes:
            text = change(text)
        return text


@dataclass(frozen=True, slots=True)
class UidlFormat:
    """A format that was read."""

    parts: tuple[str | _Variable, ...]

    @property
    def of_names(self) -> bool:
        """Return whether the file name of a message, or its GUID, is part of its UIDL. An mbox has neither."""
        return any(isinstance(part, _Variable) and part.name in _NAMES for part in self.parts)

    def uidl(self, message: Shown) -> str | None:
        """Return the UIDL of a message. None if something is not known that the format needs."""
        texts = [part if isinstance(part, str) else part.of(message) for part in self.parts]
        return None if None in texts else "".join(filter(None, texts))


def parse(text: str) -> UidlFormat:
    """Read a format. Raises BadFormat, also if all messages would get the same UIDL."""
    parts: list[str | _Variable] = []
    end = 0
    for match in _PART.finditer(text):
        if match.start() != end:
            break
        parts.append(_part(match))
        end = match.end()
    if end != len(text):
        raise BadFormat(text[end:])
    if not any(isinstance(part, _Variable) and part.name != "uidvalidity" for part in parts):
        raise BadFormat(text)
    return UidlFormat(tuple(parts))


def _part(match: re.Match[str]) -> str | _Variable:
    if match["text"] is not None:
        return match["text"]
    if match["letter"] == "%":
        return "%"
    if match["long"] is not None:
        name, *filters = (word.strip() for word in match["long"].split("|"))
    else:
        name, filters = _VARIABLES.get(match["letter"], ""), []
    if name not in _VARIABLES.values():
        raise BadFormat(match[0])
    changes = [_modifier(match, name, letter) for letter in match["modifiers"] or ()]
    if match["width"]:
        changes.append(_width(int(match["width"]), pad=bool(match["zero"])))
    return _Variable(name, (*changes, *(_filter(match, name, word) for word in filters)))


def _modifier(match: re.Match[str], name: str, letter: str) -> Change:
    """Return what one letter of 2.3 does. They are applied from left to right."""
    if letter == "X" and name in _NUMBERS:
        return lambda text: f"{int(text):x}"
    if letter in _CASES:
        return _CASES[letter]
    raise BadFormat(match[0])


def _filter(match: re.Match[str], name: str, word: str) -> Change:
    """Return what one filter of 2.4 does."""
    if word in _CASES:
        return _CASES[word]
    hexadecimal = _HEX.fullmatch(word)
    if hexadecimal is None or name not in _NUMBERS:
        raise BadFormat(match[0])
    width = int(hexadecimal[1] or 0)
    return lambda text: f"{int(text):0{width}x}"


def _width(width: int, *, pad: bool) -> Change:
    """Return what a width of 2.3 does: with a 0 before it, shorter values are padded; without, longer ones are cut."""
    return (lambda text: text.rjust(width, "0")) if pad else (lambda text: text[:width] if width else text)
