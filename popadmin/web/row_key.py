"""Primary keys in the texts that browsers send: in forms, and in the cursors of lists."""

from __future__ import annotations

from collections.abc import Iterable

KEY_DIGITS = 18  # at most: within a bigint


def is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= KEY_DIGITS


def keys(texts: Iterable[str]) -> set[int]:
    """Return the primary keys that a form has sent; invalid ones are dropped."""
    return {int(text) for text in texts if is_key(text)}
