"""Where in a file store a name lies. Pure; whatever has not the shape of a name has no place, so none can escape.

A path costs slices, not arithmetic: the first characters of a key are the high bits of its time, the last are chance.
"""

from __future__ import annotations

import re

from mailstore.errors import BodyLost
from mailstore.policy import sortable_ids

MARKER = "popadmin-bodies"  # in the root: tells a store from the empty folder that an absent disk leaves
STORE_ID = "popadmin-store-id"  # in the root: which database the store belongs to
DRAFTS = "tmp"
QUARANTINE = "quarantine"
_DRAFT = f"{DRAFTS}/"
FOLDERS = 32  # in a period: one for each last character of a key
_ASIDE = re.compile(rf"{QUARANTINE}/\d{{4}}-\d\d-\d\d/[0-9a-z]/[0-9a-z]{{{sortable_ids.ID_CHARACTERS}}}")
_PERIOD_CHARACTERS = 5  # of a key: 23 bits of its 48 of time


def period(key: str) -> str:
    """Return the folder of the time in which the body `key` was stored; later ones sort behind."""
    return _checked(key)[:_PERIOD_CHARACTERS]


def folders(key: str) -> tuple[str, str]:
    """Return the folder of the period and the one in it: 32 a period, so that none grows without bound."""
    outer = period(key)
    return outer, f"{outer}/{key[-1]}"


def path(name: str) -> str:
    """Return the path, below the root, of a body's key or of a draft's name."""
    if sortable_ids.is_id(name):
        return f"{name[:_PERIOD_CHARACTERS]}/{name[-1]}/{name}"
    if name.startswith(_DRAFT):
        return _DRAFT + _checked(name.removeprefix(_DRAFT))
    if _ASIDE.fullmatch(name):
        return f"{name[: -sortable_ids.ID_CHARACTERS]}{_checked(name[-sortable_ids.ID_CHARACTERS :])}"
    raise _no_name(name)


def aside(day: str, key: str) -> str:
    """Return the name of the body `key` in the quarantine of a day, such as 2026-05-04."""
    return f"{QUARANTINE}/{day}/{_checked(key)[-1]}/{key}"


def key_of(name: str) -> str:
    """Return the key that a body in the quarantine had, and has when it is brought back."""
    return _checked(name.rpartition("/")[2])


def is_period(name: str) -> bool:
    """True for the name of a folder of bodies in the root."""
    return len(name) == _PERIOD_CHARACTERS and sortable_ids.is_id(
        name + "0" * (sortable_ids.ID_CHARACTERS - _PERIOD_CHARACTERS)
    )


def draft(made: str) -> str:
    """Return the name of the draft with this id."""
    return _DRAFT + made


def _checked(made: str) -> str:
    if not sortable_ids.is_id(made):
        raise _no_name(made)
    return made


def _no_name(name: str) -> BodyLost:
    return BodyLost(f"{name!r} is not a name of this store")
