"""How many bodies without a row a repair may set aside by itself. Pure."""

from __future__ import annotations

MOST = 1000  # deliveries that died between body and row: a bad year's
PERCENT = 1
FEW = 20  # of a small store, where one is more than a percent
KNOWN_TO_BE_OURS = 9  # for each body that a store's database does not know, so many that it does


def is_ordinary(unknown: int, known: int) -> bool:
    """True where so many bodies without a row, beside so many that have one, are what deliveries leave behind.

    False where the database may be another one, or a new one: it knows little of what lies in the store.
    """
    if unknown > MOST:
        return False
    return unknown * 100 <= (unknown + known) * PERCENT or unknown <= min(FEW, known)


def is_ours(unknown: int, known: int) -> bool:
    """True where a store and a database that know nothing of each other belong together, by the bodies."""
    return known >= KNOWN_TO_BE_OURS * unknown
