"""Runs a management command; what stops one before it can speak for itself becomes one line."""

from __future__ import annotations

import os
import sys
from difflib import get_close_matches
from typing import NoReturn

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility, get_commands
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError

from popadmin.environment import KEY_MISSING

EXIT_REFUSED = 1
EXIT_USAGE = 2


class CommandLine(ManagementUtility):
    """Django's, but for the end of a command that does not exist: one line, exit 2."""

    def fetch_command(self, subcommand: str) -> BaseCommand:
        if settings.INSTALLED_APPS and subcommand not in get_commands():  # wrong settings are told first
            close = get_close_matches(subcommand, get_commands(), n=1)
            meant = f", did you mean {close[0]}?" if close else ""
            _leave(f"there is no command {subcommand!r}{meant} ({self.prog_name} help lists them)", EXIT_USAGE)
        return super().fetch_command(subcommand)


def run() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "popadmin.settings")
    if sys.argv[1:2] == ["up"]:
        os.environ.setdefault("POPADMIN_GENERATE", "true")
        if "--demo" in sys.argv:
            os.environ.setdefault("POPADMIN_DEMO", "true")
    try:
        CommandLine(sys.argv).execute()
    except ImproperlyConfigured as error:
        # Django's own word for this one does not say what to do.
        _leave(KEY_MISSING if "SECRET_KEY setting" in str(error) else str(error), EXIT_USAGE)
    except (OperationalError, InterfaceError) as error:  # of a command of Django's, such as `migrate`; ours tell it
        if "--traceback" in sys.argv:
            raise
        cause, _, _ = str(error).partition("\n")
        _leave(f"DATABASE_URL: {cause}", EXIT_REFUSED)


def _leave(text: str, code: int) -> NoReturn:
    sys.stderr.write(f"popadmin: {text}\n")
    sys.exit(code)
