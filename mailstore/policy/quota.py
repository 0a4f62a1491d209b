"""Read and write sizes, and bound how far the last message may exceed a quota."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

GRACE_OCTETS = 10 * 1024 * 1024  # the last message may exceed the quota by so much, so that full is clearly full,
GRACE_SHARE = 10  # but by no more than a tenth of it
MAX_OCTETS = 2**60  # far above any disk, far below a bigint's end: sums cannot overflow

# A number without a unit that is at least this means octets, since no quota has so many megabytes. A smaller size has
# hardly room for a message: whoever sets it confirms it.
BARE_OCTETS = 2**20

_UNITS = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
_SIZE = re.compile(
    r"([0-9]{1,19})(?:\.([0-9]{1,3}))?\s*((?:[KMGT]?[BO]|[KMGT](?:I[BO]?)?|OCTETS?|BYTES?)?)", re.IGNORECASE
)
_NO_LIMIT = re.compile(r"none|no limit|unlimited|aucune?|sans limite|illimitée?", re.IGNORECASE)
_BARE = re.compile(r"[0-9]{1,19}")
_NEGATIVE = re.compile(r"-1\s*(?:[KMGT]?B)?", re.IGNORECASE)  # other programs write "no limit" or "none at all" so


class SizeFlaw(Enum):
    """What is wrong with a size, in words for the log; mailstore.directory.address_error has words for users."""

    NO_SIZE = "not a size"
    TOO_LARGE = "above the largest size"
    NO_UNIT = "a number without a unit"
    ZERO = "no room, or no limit"  # a zero, or -1
    SMALL = "below 1 MB, and not confirmed"


class BadSize(ValueError):
    """The text is not a size, or it is ambiguous. `flaw` says why; `text` is the text."""

    def __init__(self, flaw: SizeFlaw, text: str) -> None:
        super().__init__(f"{text!r}: {flaw.value}")
        self.flaw = flaw
        self.text = text


def is_no_limit(text: str) -> bool:
    """Return whether a text says that there is no limit, in English or French: `none`, `unlimited`, `illimité`."""
    return _NO_LIMIT.fullmatch(unicodedata.normalize("NFC", text.strip())) is not None


def parse_octets(text: str) -> int | None:
    """Read `2GB`, `1.5GB`, `500MB`, `10B`, or a text that says no limit (None: no quota).

    Units are powers of 1024, so `GB` and `GiB` are one; `Go` and `octets` are known too. A number without a unit means
    octets from BARE_OCTETS on. Raises BadSize for a smaller one, which other programs use for megabytes, and for -1 and
    a zero that is not in octets, which other programs use for "no limit".
    """
    typed = text.strip()
    if is_no_limit(typed):
        return None
    if _NEGATIVE.fullmatch(typed):
        raise BadSize(SizeFlaw.ZERO, typed)
    match = _SIZE.fullmatch(typed)
    if match is None:
        raise BadSize(SizeFlaw.NO_SIZE, typed)
    whole, fraction, unit = match[1], match[2], _unit(match[3])
    if fraction and unit in ("", "B"):
        raise BadSize(SizeFlaw.NO_SIZE, typed)
    factor = _UNITS[unit or "B"]
    octets = int(whole) * factor + (int(fraction) * factor // 10 ** len(fraction) if fraction else 0)
    if octets > MAX_OCTETS:
        raise BadSize(SizeFlaw.TOO_LARGE, typed)
    if unit != "B" and not octets:
        raise BadSize(SizeFlaw.ZERO, typed)
    if not unit and octets < BARE_OCTETS:
        raise BadSize(SizeFlaw.NO_UNIT, typed)
    return octets


def confirmed_octets(text: str, *, small: bool) -> int | None:
    """Read a size that somebody sets. Raises BadSize as `parse_octets`, and below BARE_OCTETS if not `small`.

    `small`: it was confirmed that a size below 1 MB is meant, whatever unit it has.
    """
    octets = parse_octets(text)
    if octets is not None and octets < BARE_OCTETS and not small:
        raise BadSize(SizeFlaw.SMALL, text.strip())
    return octets


def format_octets(octets: int | None) -> str:
    """Write a size in the largest unit that divides it, `none` for None. `parse_octets` reads it back exactly."""
    if octets is None:
        return "none"
    for unit in ("TB", "GB", "MB", "KB"):
        if octets and octets % _UNITS[unit] == 0:
            return f"{octets // _UNITS[unit]}{unit}"
    return str(octets) if octets >= BARE_OCTETS else f"{octets}B"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the numbers of a whole column mean: their unit, and what 0 and -1 mean. Empty: each cell must say it."""

    unit: str = ""  # B or MB
    zero: str = ""  # none or 0B
    small: bool = False  # sizes below 1 MB are meant

    def octets(self, cell: str) -> int | None:
        """Return the size in a cell. Raises BadSize as `confirmed_octets`. A meaning of 0 is its confirmation."""
        text = self.text(cell)
        return confirmed_octets(text, small=self.small or text == self.zero)

    def text(self, cell: str) -> str:
        """Return the cell as `parse_octets` reads it. A cell that has a unit stays as it is."""
        typed = cell.strip()
        bare = _BARE.fullmatch(typed) is not None
        if _NEGATIVE.fullmatch(typed) or (bare and not int(typed)):
            return self.zero or typed
        return f"{typed}{self.unit}" if bare else typed


EXPLICIT = Reading()  # each cell says it itself


def _unit(written: str) -> str:
    """Return the name of a unit in _UNITS, "" for none."""
    prefix = written[:1].upper()
    if not prefix:
        return ""
    return f"{prefix}B" if prefix in "KMGT" else "B"
