"""Programs of the machine that tests need: a missing one fails where CI=true, and is skipped elsewhere."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def unavailable(what: str) -> NoReturn:
    """A part of this test is not there: it fails where CI=true, since there it must be, and is skipped elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def program(name: str) -> str:
    """The path of a mail program."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    return found or unavailable(f"{name} is not installed")
