"""The command line: runs a management command, and turns wrong settings into one line and exit 2."""

from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from popadmin.environment import KEY_MISSING

EXIT_USAGE = 2


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "popadmin.settings")
    if sys.argv[1:2] == ["up"]:
        os.environ.setdefault("POPADMIN_GENERATE", "true")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # Django's own word for this one does not say what to do.
        text = KEY_MISSING if "SECRET_KEY setting" in str(error) else str(error)
        sys.stderr.write(f"popadmin: {text}\n")
        sys.exit(EXIT_USAGE)
