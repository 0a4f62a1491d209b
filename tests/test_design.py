"""DESIGN.md, the map of the README and CONTRIBUTING.md against the code: what they name exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.core.exceptions import FieldDoesNotExist

REPOSITORY = Path(__file__).resolve().parents[1]
DESIGN = (REPOSITORY / "mailstore/DESIGN.md").read_text()
README_MAP = (REPOSITORY / "README.md").read_text().partition("\n## A map of the code\n")[2].partition("\n## ")[0]
CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text()
PAGES = {"DESIGN.md": DESIGN, "README.md": README_MAP, "CONTRIBUTING.md": CONTRIBUTING}
NOT_OURS = {
    "bodies/s3.py",  # an example
    "tests/bodies/test_s3.py",
    "quarantine/DAY",  # below the folder of the bodies
    "psycopg.pq",
    ".venv/bin/python",
}
SOURCES = [path for room in ("mailstore", "popadmin") for path in (REPOSITORY / room).rglob("*.py")]


def quoted(text: str) -> set[str]:
    """What stands between backticks in running text and tables; blocks of code are left out."""
    return set(re.findall(r"`([^`\n]+)`", re.sub(r"^```(?s:.*?)^```|^    .*$", "", text, flags=re.MULTILINE)))


def paths(text: str) -> set[str]:
    """What has the form of a path of this project: a blank or a leading slash makes it something else."""
    words = {word for word in quoted(text) - NOT_OURS if re.fullmatch(r"[\w.-]+(?:/[\w.-]+)*/?", word)}
    return {word for word in words if "/" in word or word.endswith((".py", ".md", ".toml"))}


def attributes(text: str) -> set[tuple[str, str]]:
    """What has the form `module.name`, `Class.name` or `table.column`."""
    words = quoted(text) - NOT_OURS - paths(text)
    return {(found[1], found[2]) for word in words if (found := re.fullmatch(r"([A-Za-z_]\w*)\.([A-Za-z_]\w*)", word))}


def exists(holder: str, name: str) -> bool:
    word = re.compile(rf"^\s*(?:def |class |async def |self\.)?{name}\b", re.MULTILINE)
    if holder[0].isupper():
        within = [text for path in SOURCES if f"class {holder}" in (text := path.read_text())]
    else:
        within = [path.read_text() for path in SOURCES if path.stem == holder]
    return any(word.search(text) for text in within) or is_column(holder, name)


def is_column(table: str, name: str) -> bool:
    try:
        apps.get_model("mailstore", table)._meta.get_field(name)
    except (LookupError, FieldDoesNotExist):
        return False
    return True


def section(heading: str) -> str:
    return DESIGN.partition(f"\n{heading}\n")[2].partition("\n#")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of the rows of the tables of a text, without the names of their columns."""
    table = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    rules = {index for index, row in enumerate(cells) if set(row[0]) <= {"-"}}
    return [row for index, row in enumerate(cells) if not {index, index + 1} & rules]


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_is_named_exists(page: str) -> None:
    named = paths(PAGES[page])
    assert len(named) > 5
    missing = [name for name in named if not any((REPOSITORY / room / name).exists() for room in ("", "mailstore"))]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_every_name_of_a_module_a_class_or_a_table_that_is_mentioned_exists(page: str) -> None:
    assert [f"{holder}.{name}" for holder, name in attributes(PAGES[page]) if not exists(holder, name)] == []


def test_the_contents_list_every_heading_and_every_link_leads_to_one() -> None:
    headings = [heading for heading in re.findall(r"^##+ (.+)$", DESIGN, re.MULTILINE) if heading != "Contents"]
    anchors = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert re.findall(r"^ *- \[.+?\]\(#(.+)\)$", section("## Contents"), re.MULTILINE) == anchors
    assert set(re.findall(r"\]\(#([^)]+)\)", DESIGN)) <= set(anchors)


def test_the_layers_are_those_that_the_contracts_hold() -> None:
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [
        layer
        for room in ("mailstore", "popadmin")
        for layer in next(each["layers"] for each in contracts if each.get("containers") == [room])
    ]
    named = [sorted(re.findall(r"`(?:popadmin/)?(\w+)", row[0])) for row in rows(section("## The rooms"))]
    assert named == [sorted(re.findall(r"\w+", layer)) for layer in layers]


def test_the_glossary_has_each_word_once_and_every_table() -> None:
    words = [row[0] for row in rows(section("## Glossary"))]
    assert len(words) == len(set(words))
    named = {name for row in rows(section("## Glossary")) for name in re.findall(r"`(\w+)`", row[2])}
    models = {model.__name__ for model in apps.get_app_config("mailstore").get_models()}
    assert {name for name in named if name[0].isupper()} == models


def test_the_statements_of_the_mail_path_are_those_of_the_code() -> None:
    table = " ".join(row[1] for row in rows(section("## Statements of the mail path")))
    source = "\n".join(path.read_text() for path in (REPOSITORY / "mailstore/sql/statements").glob("*.py"))
    named = set(re.findall(r"\b[A-Z][A-Z_]{3,}\b", table))
    assert len(named) > 10
    assert {name for name in named if not re.search(rf"^{name} = ", source, re.MULTILINE)} == set()
