"""Each table has one alias in all SQL of the mail store; the glossary in DESIGN.md and the statements agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

MAILSTORE = Path(__file__).parents[2] / "mailstore"
DESIGN = (MAILSTORE / "DESIGN.md").read_text()
SOURCES = [path for path in MAILSTORE.rglob("*.py") if "migrations" not in path.parts]

# A table, real or the argument of a statement, and the word behind it.
TABLE = r"(?:mailstore_(?P<real>\w+)|\{tables\.(?P<argument>\w+)\})"
USE = re.compile(rf"(?:\b(?:FROM|JOIN|UPDATE|INTO|USING)|,)\s+{TABLE}(?:\s+AS)?\s+(?P<word>\w+)")
ARGUMENTS = {"earlier_stay": "earlierstay", "policy": "retentionpolicy"}
NO_ALIAS = {"WHERE", "SET", "VALUES", "SELECT", "GROUP", "ORDER", "LIMIT", "RETURNING", "FOR", "UNION"}


def glossary() -> dict[str, str]:
    """The table of aliases in DESIGN.md: alias by table."""
    section = DESIGN.partition("\n### SQL aliases\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `mailstore_(\w+)` \| `(\w+)` \|", section, re.MULTILINE))


def uses() -> list[tuple[str, str, str]]:
    """Each place where SQL gives a table an alias: the file, the table and the alias."""
    found = []
    for path in SOURCES:
        for use in USE.finditer(path.read_text()):
            table = use["real"] or use["argument"]
            word = use["word"]
            if word.upper() not in NO_ALIAS:
                found.append((str(path.relative_to(MAILSTORE)), ARGUMENTS.get(table, table), word))
    return found


def test_the_glossary_gives_no_alias_twice() -> None:
    aliases = glossary()
    assert len(aliases) >= 10
    assert len(set(aliases.values())) == len(aliases)


@pytest.mark.parametrize("alias", sorted(set(glossary().values())))
def test_each_alias_of_the_glossary_is_used(alias: str) -> None:
    assert alias in {word for _file, _table, word in uses()}


def test_each_statement_gives_a_table_its_own_alias_or_that_with_its_second_role() -> None:
    """The same table twice in one statement: `box` and `box_stored`."""
    aliases = glossary()
    wrong = [
        use for use in uses() if use[1] not in aliases or not re.fullmatch(rf"{aliases[use[1]]}(_[a-z]+)?", use[2])
    ]
    assert wrong == []


def test_the_search_finds_both_ways_to_name_a_table() -> None:
    sql = "FROM mailstore_body b, {tables.message} m JOIN mailstore_user AS u ON true"
    assert [use["word"] for use in USE.finditer(sql)] == ["b", "m", "u"]
