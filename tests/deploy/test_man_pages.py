"""The manual pages: one for each command, from its --help, that troff takes without a word."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deploy import man_pages
from popadmin.command_line import our_commands
from tests.installed_program import program

pytestmark = pytest.mark.real


def test_every_command_has_a_page_that_troff_understands(tmp_path: Path) -> None:
    pages = man_pages.write(tmp_path)
    assert {page.name for page in pages} == {"popadmin.1", *(f"popadmin-{name}.1" for name in our_commands())}
    for page in pages:
        done = subprocess.run(
            [program("groff"), "-man", "-z", "-wall", "-Kutf8", str(page)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), page.name


def test_a_page_has_the_options_and_the_example_of_its_command(tmp_path: Path) -> None:
    man_pages.write(tmp_path)
    text = (tmp_path / "popadmin-import.1").read_text().replace("\\-", "-")
    assert "--dry-run" in text
    assert "example: popadmin import" in text
