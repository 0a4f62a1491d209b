"""What the rows of a list are called, as its page shows them."""

from __future__ import annotations

import re


def names(page: str) -> list[str]:
    """Return the first cell of each row as text, without what is set small."""
    cells = re.findall(r'<td class="c-addr[^>]*>(.*?)</td>', page, re.DOTALL)
    return [re.sub("<[^>]*>", "", re.sub("<small.*?</small>", "", cell, flags=re.DOTALL)).strip() for cell in cells]
