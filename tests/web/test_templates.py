"""The templates are readable: no line is too long."""

from __future__ import annotations

from pathlib import Path

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
LINE_CHARACTERS = 160


def test_no_line_of_a_template_is_too_long() -> None:
    long_lines = [
        f"{path.relative_to(TEMPLATES)}:{number}"
        for path in sorted(TEMPLATES.rglob("*.html"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > LINE_CHARACTERS
    ]
    assert long_lines == []
