"""A data folder that other users can reach; pytest's own temporary folders are closed to them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="popadmin-up-"))
    made.chmod(0o777 if os.geteuid() == 0 else 0o700)
    yield made
    shutil.rmtree(made)
