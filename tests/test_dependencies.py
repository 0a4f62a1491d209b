"""What pyproject.toml makes everybody install is used, and the licences of what is shipped are named."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import packages_distributions

import pytest

from tests.up.programs import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
NAMES = [re.split(r"[^\w.-]", dependency)[0] for dependency in PROJECT["dependencies"]]
SOURCE = "\n".join(file.read_text() for room in ("popadmin", "mailstore") for file in (REPOSITORY / room).rglob("*.py"))
THROUGH = {"argon2-cffi": "Argon2PasswordHasher"}  # what another package imports for us, by the name we call it


def modules(name: str) -> set[str]:
    """What a package lets one import."""
    plain = re.sub(r"[-_.]+", "-", name).lower()
    known = packages_distributions().items()
    return {module for module, owners in known if plain in {re.sub(r"[-_.]+", "-", o).lower() for o in owners}}


@pytest.mark.parametrize("name", NAMES)
def test_no_package_is_installed_for_nothing(name: str) -> None:
    words = "|".join(map(re.escape, modules(name)))
    assert words
    assert THROUGH.get(name, "") in SOURCE
    assert name in THROUGH or re.search(rf"\b(import|from) ({words})\b|[\"']({words})[\"'.]", SOURCE)


LICENCES = {
    "bootstrap": "The MIT License",
    "bootstrap-icons": "The MIT License",
    "geist": "SIL OPEN FONT LICENSE Version 1.1",
}


def test_the_licence_of_everything_shipped_is_named_and_its_text_comes_along() -> None:
    vendored = list((REPOSITORY / "static" / "vendor").glob("*/"))
    texts = {file.parent for pattern in PROJECT["license-files"] for file in REPOSITORY.glob(pattern)}
    assert vendored
    assert {REPOSITORY, *(folder for folder in vendored if folder.is_dir())} == texts
    for folder in vendored:
        if folder.is_dir():
            assert LICENCES[folder.name] in (folder / "LICENSE").read_text()
    assert PROJECT["license"] == "BSD-3-Clause AND MIT AND OFL-1.1"
