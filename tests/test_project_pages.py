"""CONTRIBUTING.md and CHANGELOG.md against the project: links, targets of make, paths, one version everywhere."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml

from tests.up.programs import REPOSITORY

CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text()
CHANGELOG = (REPOSITORY / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_link_leads_to_a_file_and_the_readme_leads_here(page: str) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", (REPOSITORY / page).read_text()):
        assert (REPOSITORY / link).exists(), link
    assert f"({page})" in (REPOSITORY / "README.md").read_text()


def test_what_contributors_are_told_to_make_can_be_made() -> None:
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^ {4}|`)make ([a-z]+)", CONTRIBUTING, re.MULTILINE))
    assert {"demo", "run", "check", "test", "bench", "translations"} <= named <= targets


def test_every_file_and_folder_that_contributors_are_sent_to_is_there() -> None:
    named = re.findall(r"`((?:mailstore|popadmin|templates|docs|tests|locale|\.ci)/[\w./]+)`", CONTRIBUTING)
    assert len(named) > 5
    for path in named:
        assert (REPOSITORY / path).exists(), path


def test_the_version_is_the_same_in_the_package_the_image_and_the_changelog() -> None:
    package = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    services = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
    released = re.findall(r"^## \[(\d[^]]*)\]", CHANGELOG, re.MULTILINE)
    assert released[0] == package
    assert services["web"]["image"] == f"popadmin:{package}"


def test_the_changelog_begins_with_what_is_not_released_yet() -> None:
    sections = re.findall(r"^## \[([^]]+)\]", CHANGELOG, re.MULTILINE)
    assert sections[0] == "Unreleased"
    assert set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE)) <= {
        "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security",
    }  # fmt: skip
