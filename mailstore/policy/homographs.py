"""Find domains and addresses that look like others."""

from __future__ import annotations

import unicodedata

from mailstore.policy.addresses import shown_name

# Letters that most fonts draw like these ASCII ones (of Unicode's confusables, UTS 39 §4, those that IDNA 2008 allows).
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
# Scripts whose letters look alike. There is no honest reason to mix two of them in one label.
_ALIKE = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN")


def mixed_scripts(name: str) -> tuple[str, ...]:
    """Return the scripts of the first label that mixes look-alike scripts, such as Latin and Cyrillic; () if none does.

    `name` is a stored domain, or an address. Of an address only the part before the @ is checked, since its domain was
    checked when it was created.
    """
    for label in shown_name(name).partition("@")[0].split("."):
        scripts = {script for letter in label for script in _ALIKE if unicodedata.name(letter, "").startswith(script)}
        if len(scripts) > 1:
            return tuple(sorted(script.capitalize() for script in scripts))
    return ()


def looks_like(name: str) -> str:
    """Return one text for all stored names, domains or addresses, that look alike."""
    return unicodedata.normalize("NFKC", shown_name(name)).lower().translate(_PLAIN)
