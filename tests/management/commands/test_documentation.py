"""docs/commands.md says of each command what it says of itself: its verbs and its options, no more, no less."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from mailstore.management.shell import ShellCommand

PAGE = Path(__file__).resolve().parents[3] / "docs/commands.md"
DJANGOS_OWN = {option for action in BaseCommand().create_parser("", "")._actions for option in action.option_strings}
ELSEWHERE = {"up"}  # in the README and docs/install.md
OURS = {
    name: command
    for name, app in get_commands().items()
    if app in {"mailstore", "popadmin"}
    and name not in ELSEWHERE
    and isinstance(command := load_command_class(app, name), ShellCommand)
}


def section(name: str) -> str:
    return PAGE.read_text().partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def words_of(parser: argparse.ArgumentParser) -> tuple[set[str], set[str]]:
    """The verbs and the options of a command, but for those that every command has."""
    verbs, options = set(), {option for action in parser._actions for option in action.option_strings}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb, sub in action.choices.items():
                verbs.add(verb)
                options |= {option for each in sub._actions for option in each.option_strings}
    return verbs, options - DJANGOS_OWN - {"--json"}


def test_the_page_has_a_section_for_each_command() -> None:
    assert set(re.findall(r"^## (.+)$", PAGE.read_text(), re.MULTILINE)) == set(OURS)


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_section_names_every_verb_and_option_and_no_other(name: str) -> None:
    verbs, options = words_of(OURS[name].create_parser("popadmin", name))
    assert set(re.findall(r"--[a-z][a-z-]*", section(name))) - {"--json"} == options
    assert {verb for verb in verbs if f"`{verb}" not in section(name)} == set()


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_shows_an_example_of_itself(name: str) -> None:
    assert f"popadmin {name} " in f"{OURS[name].example} "
