"""Where in a file store a name lies. Pure; whatever has not the shape of a name has no place, so none can escape."""

from __future__ import annotations

from mailstore.errors import BodyLost
from mailstore.policy import ids

MARKER = "popadmin-bodies"  # in the root: tells a store from the empty folder that an absent disk leaves
DRAFTS = "tmp"
_DRAFT = f"{DRAFTS}/"
_DAY_MILLISECONDS = 86_400_000


def day(milliseconds: int) -> int:
    return milliseconds // _DAY_MILLISECONDS


def day_of(key: str) -> int:
    """Return the day on which the body `key` was stored, counted from 1970."""
    return day(_parts(key)[0])


def folders(key: str) -> tuple[str, str]:
    """Return the day's folder and the folder in it: 256 a day, so that none grows without bound."""
    milliseconds, chance = _parts(key)
    outer = f"{day(milliseconds):x}"
    return outer, f"{outer}/{chance[-1]:02x}"


def path(name: str) -> str:
    """Return the path, below the root, of a body's key or of a draft's name."""
    if name.startswith(_DRAFT):
        return _DRAFT + _checked(name.removeprefix(_DRAFT))
    return f"{folders(name)[1]}/{name}"


def draft(made: str) -> str:
    """Return the name of the draft with this id."""
    return _DRAFT + made


def _checked(made: str) -> str:
    if not ids.is_id(made):
        raise BodyLost(f"{made!r} is not a name of this store")
    return made


def _parts(key: str) -> tuple[int, bytes]:
    return ids.parts(_checked(key))
