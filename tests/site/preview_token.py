"""The token of a preview, for tests."""

from __future__ import annotations

import re


def previewed(page: str) -> str:
    """Return the token that a save must send back."""
    found = re.search(r'name="previewed" value="([0-9a-f]+)"', page)
    assert found, "the page is a preview"
    return found[1]
