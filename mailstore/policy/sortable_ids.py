"""Ids that sort by their time: body keys and UIDLs. Pure; time and random octets are arguments."""

from __future__ import annotations

import re

ID_CHARACTERS = 26  # 128 bits in fives
RANDOM_OCTETS = 10
_RANDOM_BITS = 8 * RANDOM_OCTETS
_MAX_MILLISECONDS = 2**48 - 1  # the year 10889

# Crockford's alphabet: no i, l, o, u; in ASCII order, so that ids sort as their numbers do.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TO_DIGITS = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")
# Two characters at a time: this halves the steps, and each delivery makes two ids.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_PAIR_BITS = 10
_SHIFTS = range((ID_CHARACTERS // 2 - 1) * _PAIR_BITS, -1, -_PAIR_BITS)
SHAPE = "[0-7][0-9a-hjkmnp-tv-z]{25}"  # as a pattern; 26 fives are 130 bits: the first digit stays below 8
_SHAPE = re.compile(SHAPE)


def new_id(milliseconds: int, random_data: bytes) -> str:
    """Return the id of a time (Unix time in ms) and 10 random octets: 26 characters of [0-9a-z]."""
    if not 0 <= milliseconds <= _MAX_MILLISECONDS or len(random_data) != RANDOM_OCTETS:
        raise ValueError(f"an id is made of 48 bits of time and {RANDOM_OCTETS} random octets")
    number = milliseconds << _RANDOM_BITS | int.from_bytes(random_data, "big")
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def is_id(text: str) -> bool:
    """Say whether `new_id` could have made this text."""
    return _SHAPE.fullmatch(text) is not None


def parts(text: str) -> tuple[int, bytes]:
    """Return the milliseconds and the 10 random octets of an id."""
    if not is_id(text):
        raise ValueError(f"{text!r} is not an id")
    milliseconds, random = divmod(int(text.translate(_TO_DIGITS), 32), 1 << _RANDOM_BITS)
    return milliseconds, random.to_bytes(RANDOM_OCTETS, "big")
