"""The version of popadmin: of the checkout, or else of the installed package."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def version() -> str:
    """Return the version. A checkout comes first: a package of another version may be installed beside it."""
    if PROJECT.is_file():
        project = tomllib.loads(PROJECT.read_text()).get("project", {})
        if project.get("name") == "popadmin":
            return str(project["version"])
    return metadata.version("popadmin")
