"""The commands and files in docs/install.md, for tests that run them."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

INSTALL = Path(__file__).resolve().parents[1] / "docs/install.md"


def block(words: str) -> str:
    """Return the indented lines below the first line of the page with these words, as they are to be copied."""
    lines = INSTALL.read_text().splitlines()
    start = next((number for number, line in enumerate(lines) if words in f"{line}\n"), None)
    assert start is not None, f"docs/install.md has no line with {words!r}"
    below = "\n".join(lines[start:])
    found = re.search(r"^(?:    .*\n|\n(?=    ))+", f"{below}\n", re.MULTILINE)
    assert found, f"no indented lines below {words!r}"
    return textwrap.dedent(found[0]).strip("\n") + "\n"


def settings(words: str) -> dict[str, str]:
    """Return such lines of the form `NAME = VALUE`; a value goes on in lines that begin with a blank."""
    joined = re.sub(r"\n\s+", " ", block(words))
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in joined.splitlines())}
