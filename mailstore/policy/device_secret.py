"""The secret of a device: make it, format it, read it back, hash it. Pure."""

from __future__ import annotations

import base64
import hashlib
import re

SECRET_OCTETS = 20  # 160 bits of entropy: a plain SHA-256 of it needs no salt and no slow hash
GROUP_CHARACTERS = 8  # four groups, so that it can be read out and typed on a phone
SELECTOR_CHARACTERS = 8  # public: they find the row; the other 24 characters (120 bits) are the proof

# RFC 4648 §6, in lower case: its alphabet leaves out 0, 1, 8 and 9, which look like other characters.
_SECRET = re.compile(r"[a-z2-7]{32}")
_DECORATION = str.maketrans("", "", " -\t")


def secret_of(random: bytes) -> str:
    """Return the canonical secret, 32 characters, of SECRET_OCTETS random octets."""
    if len(random) != SECRET_OCTETS:
        raise ValueError(f"a device secret is made of {SECRET_OCTETS} octets, not {len(random)}")
    return base64.b32encode(random).decode().lower()


def shown(secret: str) -> str:
    """Return a canonical secret for display: four groups of eight, joined by hyphens."""
    return "-".join(secret[at : at + GROUP_CHARACTERS] for at in range(0, len(secret), GROUP_CHARACTERS))


def split(typed: str) -> tuple[str, str] | None:
    """Return (selector, canonical secret) of a text in any case and grouping; None if it is not a secret."""
    if len(typed) < 4 * GROUP_CHARACTERS:  # true of most passwords, which need no closer look
        return None
    canonical = typed.translate(_DECORATION).lower()
    if not typed.isascii() or not _SECRET.fullmatch(canonical):
        return None
    return canonical[:SELECTOR_CHARACTERS], canonical


def digest(canonical: str) -> bytes:
    """Return what the device's row stores: SHA-256 of the 32 characters."""
    return hashlib.sha256(canonical.encode()).digest()
