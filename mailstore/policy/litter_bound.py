"""Decide how many bodies without a row a repair may set aside by itself. Pure."""

from __future__ import annotations

MAX_UNKNOWN = 1000  # deliveries that died between body and row, in a bad year
MAX_PERCENT = 1
MAX_OF_SMALL_STORE = 20  # where one body is more than a percent
KNOWN_TO_BE_OURS = 9  # so many bodies that the database knows, for each one that it does not


def is_ordinary(unknown: int, known: int) -> bool:
    """Say whether broken deliveries can explain so many bodies without a row, beside so many with one.

    False where the database may be another one, or a new one, since it knows few of the bodies.
    """
    if unknown > MAX_UNKNOWN:
        return False
    return unknown * 100 <= (unknown + known) * MAX_PERCENT or unknown <= min(MAX_OF_SMALL_STORE, known)


def is_ours(unknown: int, known: int) -> bool:
    """Say whether the bodies of a store show that it belongs to the database, where neither names the other."""
    return known >= KNOWN_TO_BE_OURS * unknown
