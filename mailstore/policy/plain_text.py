"""Texts without accents and in lower case, as searches compare them. The database has `mailstore_plain` for it."""

from __future__ import annotations

import unicodedata

# Combining marks go, and letters that Unicode does not decompose are translated.
_MARKS = dict.fromkeys(range(0x300, 0x370))
_LETTERS = str.maketrans("ςøłđı", "σoldi")


def fold(text: str) -> str:
    """Return a text without accents and in lower case, as the indexes of the searches hold it."""
    return unicodedata.normalize("NFKD", text).translate(_MARKS).lower().translate(_LETTERS)


def has_words(text: str, words: str) -> bool:
    """Return whether each of the words is in the text, in any order."""
    folded = fold(text)
    return all(word in folded for word in fold(words).split())
