"""The README and the guides against the code: links, addresses, programs, commands. Its lines are run by tests/up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from tests.management.commands.test_documentation import words_of
from tests.up.programs import REPOSITORY

README = (REPOSITORY / "README.md").read_text()
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
OURS = sorted(name for name, app in get_commands().items() if app in {"mailstore", "popadmin"})
SHELLS_OWN = {"echo", "python3", "sudo"}


def part(begin: str, end: str) -> str:
    return README.partition(begin)[2].partition(end)[0]


def command_row(name: str) -> str:
    table = part("\n## Commands\n", "\n## ")
    return next(row for row in re.findall(r"^\| `.*$", table, re.MULTILINE) if re.search(rf"`{name}\b", row))


def test_the_addresses_of_the_first_screen_are_the_defaults_of_the_settings() -> None:
    listens = dict(re.findall(r"^\| `(\w+_LISTEN)` \| `([\d.:]+)`", README, re.MULTILINE))
    addresses = re.findall(r"127\.0\.0\.1:\d+", part("\n| what | where |", "\nIn another shell"))
    assert sorted(addresses) == sorted(listens.values())


def test_every_program_of_the_first_screen_is_in_the_line_that_installs_them() -> None:
    screen = part("popadmin hosts", "\nThen sign in")
    installed = set(re.findall(r"apt-get install (.*?) *#", screen)[0].split())
    lines = re.findall(r"^    (?:\w+=\$\()?(.+)$", screen, re.MULTILINE)
    started = {step.split()[0] for line in lines for step in line.split(" | ")}
    assert {"make", "curl", "swaks", "fetchmail"} <= started
    assert started - SHELLS_OWN <= installed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / link).exists(), link


def test_owners_see_the_same_pictures_in_both_languages_each_with_words_for_who_cannot_see_them() -> None:
    named = {}
    for page in sorted((REPOSITORY / "docs/owners").glob("*.md")):
        pictures = re.findall(r"!\[(.*)\]\(pictures/(\w+)-(\w+)\.png\)", page.read_text())
        assert {language for _alt, _name, language in pictures} == {page.stem}
        assert all(len(alt) > 20 for alt, _name, _language in pictures)
        named[page.stem] = [name for _alt, name, _language in pictures]
    assert named["en"] == named["fr"]
    files = {f"{name}-{language}.png" for language, names in named.items() for name in names}
    assert files == {file.name for file in (REPOSITORY / "docs/owners/pictures").iterdir()}


def test_every_guide_is_linked() -> None:
    guides = {str(page.relative_to(REPOSITORY / "docs")) for page in PAGES[1:]}
    assert guides - set(re.findall(r"\]\(docs/([^)#]+)\)", README)) == set()


@pytest.mark.parametrize("name", OURS)
def test_the_table_names_each_command_with_all_its_verbs(name: str) -> None:
    command = load_command_class(get_commands()[name], name)
    assert isinstance(command, BaseCommand)
    verbs, _options = words_of(command.create_parser("popadmin", name))
    assert {verb for verb in verbs if verb not in command_row(name)} == set()


def test_no_page_calls_a_python_that_has_not_what_popadmin_needs() -> None:
    for page in PAGES:
        assert "python3 manage.py" not in page.read_text(), page.name
