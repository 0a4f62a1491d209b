"""How many edits lie between two names, and which names are one edit away. Swapped neighbours are one edit. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_lowercase, digits

CHARACTERS = f"{ascii_lowercase}{digits}.-_"  # of which people make the names of mailboxes


def edits(one: str, other: str, most: int) -> int:
    """Return how many characters are added, left out, exchanged, or swapped with the next; above `most`, `most` + 1.

    It is the optimal string alignment distance: no character is edited twice.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before, last = list[int](), list(range(len(other) + 1))
    for row, character in enumerate(one, 1):
        now = [row]
        for column, against in enumerate(other, 1):
            cost = min(last[column] + 1, now[-1] + 1, last[column - 1] + (character != against))
            if row > 1 and column > 1 and character == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            now.append(cost)
        if min(now) > most:
            return most + 1
        before, last = last, now
    return min(last[-1], most + 1)


def one_edit_away(name: str) -> Iterator[str]:
    """Yield each name that is one edit away: some 80 for each character. Some come twice."""
    for place in range(len(name) + 1):
        start, rest = name[:place], name[place:]
        if rest:
            yield start + rest[1:]
            yield from (start + character + rest[1:] for character in CHARACTERS)
        if len(rest) > 1:
            yield start + rest[1] + rest[0] + rest[2:]
        yield from (start + character + rest for character in CHARACTERS)
