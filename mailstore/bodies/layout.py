"""The paths of a file store: where a body, a draft or a body in the quarantine lies below the root. Pure.

Only a name of the right shape has a path, so no name leads out of the root. A path is made by slicing the key: its
first characters are the high bits of its time, its last ones are random.
"""

from __future__ import annotations

import re

from mailstore.errors import BodyLost
from mailstore.policy import sortable_ids

STORE_ID = "popadmin-store-id"  # in the root: which database the store belongs to
DRAFTS = "tmp"
QUARANTINE = "quarantine"
_DRAFT = f"{DRAFTS}/"
FOLDERS = 32  # in a period: one for each possible last character of a key
_ASIDE = re.compile(rf"{QUARANTINE}/\d{{4}}-\d\d-\d\d/[0-9a-z]/[0-9a-z]{{{sortable_ids.ID_CHARACTERS}}}")
_PERIOD_CHARACTERS = 5  # of a key: 23 bits of its 48 of time


def period(key: str) -> str:
    """Return the folder of the period (nine hours) in which the body `key` was stored. Later periods sort after it."""
    return _checked(key)[:_PERIOD_CHARACTERS]


def folders(key: str) -> tuple[str, str]:
    """Return the folder of the period, and the subfolder. There are 32, so that no folder grows without bound."""
    outer = period(key)
    return outer, f"{outer}/{key[-1]}"


def path(name: str) -> str:
    """Return the path below the root for a body's key, a draft's name or a name in the quarantine. Else BodyLost."""
    if sortable_ids.is_id(name):
        return f"{name[:_PERIOD_CHARACTERS]}/{name[-1]}/{name}"
    if name.startswith(_DRAFT):
        return _DRAFT + _checked(name.removeprefix(_DRAFT))
    if _ASIDE.fullmatch(name):
        return f"{name[: -sortable_ids.ID_CHARACTERS]}{_checked(name[-sortable_ids.ID_CHARACTERS :])}"
    raise _no_name(name)


def aside(day: str, key: str) -> str:
    """Return the name of the body `key` in the quarantine of a day such as 2026-05-04."""
    return f"{QUARANTINE}/{day}/{_checked(key)[-1]}/{key}"


def key_of(name: str) -> str:
    """Return the key of a body by its name in the quarantine."""
    return _checked(name.rpartition("/")[2])


def is_period(name: str) -> bool:
    """Return True for the name of a period's folder."""
    return len(name) == _PERIOD_CHARACTERS and sortable_ids.is_id(
        name + "0" * (sortable_ids.ID_CHARACTERS - _PERIOD_CHARACTERS)
    )


def draft(draft_id: str) -> str:
    """Return the name of the draft with this id."""
    return _DRAFT + draft_id


def _checked(key: str) -> str:
    if not sortable_ids.is_id(key):
        raise _no_name(key)
    return key


def _no_name(name: str) -> BodyLost:
    return BodyLost(f"{name!r} is not a name of this store")
