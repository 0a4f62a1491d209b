"""Tests with a second user: they need root, which CI is; anybody else is one user alone."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

OTHER_USER = 65534  # nobody, and its group
THIRD_USER = 65533  # a user without a name
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="what root does for another user can only be seen by root")


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user may pass through; those that pytest makes are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="popadmin-users-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def give(path: Path, user: int = OTHER_USER) -> Path:
    """Make it another user's."""
    os.chown(path, user, user, follow_symlinks=False)
    return path


def owners(folder: Path) -> set[int]:
    """Who owns what is in there."""
    return {path.lstat().st_uid for path in [folder, *folder.rglob("*")]}
