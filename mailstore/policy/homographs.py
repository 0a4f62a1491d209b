"""Domains and addresses that look like others: what people could mistake one for."""

from __future__ import annotations

import unicodedata

from mailstore.policy.addresses import shown_domain

# Letters that most fonts draw as these ASCII ones (from Unicode's confusables, UTS 39 §4; those that IDNA 2008 allows).
_LOOKS = {
    "a": "аαɑ",
    "b": "ьƅ",
    "c": "с",
    "d": "ԁɗ",
    "e": "еҽ",
    "g": "ɡց",
    "h": "һհ",
    "i": "іιıɩ",
    "j": "јϳ",
    "k": "кκ",
    "l": "ӏɭ",
    "m": "м",
    "n": "пռ",
    "o": "оοօ",
    "p": "рρ",
    "q": "ԛգ",
    "r": "г",
    "s": "ѕʂ",
    "t": "тτ",
    "u": "υս",
    "v": "ѵν",
    "w": "ԝաω",
    "x": "хχ",
    "y": "уүγ",
}
_PLAIN = str.maketrans({look: letter for letter, looks in _LOOKS.items() for look in looks})
# Scripts that share their letters' shapes: a label that mixes two of them has no honest reason to.
_ALIKE = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN")


def mixed_scripts(name: str) -> tuple[str, ...]:
    """Return the scripts of a label that mixes some which look alike, such as Latin and Cyrillic; else none.

    `name` is a stored domain, or an address: of that the part before the @ is judged, its domain was when it came.
    """
    for label in _shown(name).partition("@")[0].split("."):
        scripts = {script for letter in label for script in _ALIKE if unicodedata.name(letter, "").startswith(script)}
        if len(scripts) > 1:
            return tuple(sorted(script.capitalize() for script in scripts))
    return ()


def looks_like(name: str) -> str:
    """Return what people may take a stored name for, domain or address: two that look alike have the same."""
    return unicodedata.normalize("NFKC", _shown(name)).lower().translate(_PLAIN)


def _shown(name: str) -> str:
    local_part, at, domain = name.rpartition("@")
    return f"{local_part}{at}{shown_domain(domain)}"
