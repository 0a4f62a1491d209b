"""What a page shows before it is done, for tests."""

from __future__ import annotations

import re


def previewed(page: str) -> str:
    """The mark that proves, sent back, that what is sent was shown."""
    found = re.search(r'name="previewed" value="([0-9a-f]+)"', page)
    assert found, "the page shows what would be done"
    return found[1]
