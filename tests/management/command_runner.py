"""Runs commands as scripts do: in this process for what they print, as a real process for exit codes and stderr."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

from django.core.management import call_command
from django.db import connection

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"


def said(*words: str) -> str:
    """Run a command here and return what it printed."""
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def environment(**changes: str) -> dict[str, str]:
    """The environment of a process on the test's own database, with these changes."""
    settings = connection.settings_dict
    url = f"postgres://{settings['USER']}@/{settings['NAME']}?host={settings['HOST']}&port={settings['PORT']}"
    return {**os.environ, "DATABASE_URL": url, **changes}


def process(*words: str, stdin: bytes = b"", **changes: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command as a process of its own."""
    return subprocess.run(
        [sys.executable, str(MANAGE), *words],
        input=stdin,
        capture_output=True,
        env=environment(**changes),
        timeout=60,
        check=False,
    )


def one_line(stderr: bytes) -> str:
    """Return the only line of stderr; anything else fails the test."""
    text = stderr.decode()
    assert text.count("\n") == 1, text
    assert text.endswith("\n"), text
    return text.strip()
