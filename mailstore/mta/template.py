"""Fill the text files of `mailstore/mta/texts`, from which the configuration of an MTA is made. It knows no MTA."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

TEXTS = Path(__file__).parent / "texts"
MARKER = "# Written by `popadmin mta setup`, which refuses to replace it when somebody has changed it."
_PLACEHOLDER = re.compile(r"@([a-z_]+)@")  # neither Postfix nor Exim gives such a word a meaning

Values = Mapping[str, str | None]


def fill(name: str, values: Values) -> str:
    """Return a text with its placeholders replaced. A line that needs a value which is None is left out."""
    lines = (TEXTS / name).read_text().splitlines(keepends=True)
    return "".join(_filled(line, values) for line in lines if _is_wanted(line, values))


def _is_wanted(line: str, values: Values) -> bool:
    return all(values[name] is not None for name in _PLACEHOLDER.findall(line))


def _filled(line: str, values: Values) -> str:
    return _PLACEHOLDER.sub(lambda found: values[found[1]] or "", line)
