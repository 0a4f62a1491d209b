"""docs/moving.md against the code: its commands are accepted, and the columns that it exports are known."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import load_command_class

from mailstore.transfer import file_preset
from mailstore.transfer.file_preset import PRESETS

PAGE = (Path(__file__).resolve().parents[1] / "docs/moving.md").read_text()
BLOCKS = "\n".join(re.findall(r"^(?: {4}| {7})(.+)$", PAGE, re.MULTILINE))
COMMANDS = re.findall(r"\bpopadmin ([^;\n]+)", BLOCKS)
EXPORTS = re.findall(r"SELECT (.+?) FROM (\w+).*?> (\w+)\.csv", BLOCKS)


def columns(selected: str) -> list[str]:
    each_column = re.split(r",(?![^()]*\))", selected)  # no comma within a function
    return [re.split(r"\bAS\b", each)[-1].strip().rpartition(".")[2] for each in each_column]


def test_the_page_has_commands_and_lists() -> None:
    assert len(COMMANDS) > 15
    assert len(EXPORTS) == 7


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_takes_what_the_page_gives_it(line: str) -> None:
    name, *words = shlex.split(re.split(r" [<>|] ?", line)[0])
    parser = load_command_class("mailstore", name).create_parser("popadmin", name)
    parser.parse_args(words)


@pytest.mark.parametrize(("selected", "table", "file"), EXPORTS)
def test_the_columns_of_each_list_are_known(selected: str, table: str, file: str) -> None:
    header = columns(selected)
    program = "mailcow" if "FLOOR" in selected else "postfixadmin"  # their other columns have the same names
    kind = file if file in ("domains", "aliases") else "mailboxes"
    meaning = file_preset.by_preset(program, kind, header)
    assert all(meaning), (table, dict(zip(header, meaning, strict=True)))


def test_a_chapter_for_each_program_whose_files_are_known() -> None:
    for preset in PRESETS.values():
        assert re.search(rf"^## From .*\b{preset.name}\b", PAGE, re.MULTILINE), preset.name
