"""The look keeps its budget: readable sheets, small fonts and scripts, and nothing that no page uses."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
STATIC = REPOSITORY / "static"
SHEET = STATIC / "popadmin.css"
SHEET_LINES, LINE_CHARACTERS = 600, 120  # of all our own sheets together
CSS_OCTETS, FONT_OCTETS, SCRIPT_OCTETS = 60_000, 80_000, 20_000
TABLE = re.compile(r"^\| `--pa-([a-z-]+)` \| (\S+) \| (\S+) \|", re.MULTILINE)
TOKEN = re.compile(r"--pa-([a-z-]+): light-dark\((#[0-9a-f]+), (#[0-9a-f]+)\)")


def served(pattern: str) -> list[Path]:
    return sorted(STATIC.rglob(pattern))


def packed(paths: list[Path]) -> int:
    return sum(len(gzip.compress(path.read_bytes())) for path in paths)


def sources() -> str:
    """All that writes HTML: templates, and the code that builds cells and fields."""
    files = [
        *(REPOSITORY / "templates").rglob("*.html"),
        *(REPOSITORY / "popadmin").rglob("*.py"),
        *STATIC.glob("*.js"),
    ]
    return "\n".join(path.read_text() for path in files)


def test_our_sheets_can_be_read_in_one_sitting() -> None:
    lines = [line for sheet in STATIC.glob("*.css") for line in sheet.read_text().splitlines()]
    assert len(lines) <= SHEET_LINES
    assert [line for line in lines if len(line) > LINE_CHARACTERS] == []


def test_sheets_fonts_and_scripts_are_small() -> None:
    assert packed(served("*.css")) <= CSS_OCTETS
    assert sum(path.stat().st_size for path in served("*.woff2")) <= FONT_OCTETS
    assert [path.name for path in served("*.js") if path.stat().st_size > SCRIPT_OCTETS] == []


@pytest.mark.parametrize("sheet", served("*.css"), ids=lambda path: path.name)
def test_each_class_of_a_sheet_is_on_some_page(sheet: Path) -> None:
    rules = re.sub(r"/\*.*?\*/|url\([^)]*\)|\"[^\"]*\"", "", sheet.read_text(), flags=re.DOTALL)
    selectors = [each for each in re.findall(r"([^{}]+)\{", rules) if not each.lstrip().startswith("@")]
    without_others = [re.sub(r":not\([^)]*\)", "", each) for each in selectors]
    classes = {name for selector in without_others for name in re.findall(r"\.([a-z][\w-]*)", selector)}
    text = sources()
    assert [name for name in sorted(classes) if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)] == []


def test_no_sheet_asks_for_what_the_content_policy_forbids() -> None:
    assert [path.name for path in served("*.css") if "data:" in path.read_text()] == []


@pytest.mark.parametrize("path", sorted((REPOSITORY / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_no_template_has_a_style_or_a_script_within(path: Path) -> None:
    assert re.findall(r"\sstyle=|<script(?! src)|\son[a-z]+=", path.read_text()) == []


def test_the_colours_of_the_document_are_those_of_the_sheet() -> None:
    document = {name: (light, dark) for name, light, dark in TABLE.findall((REPOSITORY / "docs/look.md").read_text())}
    sheet = {name: (light, dark) for name, light, dark in TOKEN.findall(SHEET.read_text())}
    assert document == sheet
