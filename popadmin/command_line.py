"""Run a management command. An error before the command starts becomes one line."""

from __future__ import annotations

import os
import sys
import textwrap
from difflib import get_close_matches
from typing import NoReturn

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility, get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError

from mailstore.management import database_away
from popadmin.config.environment import KEY_MISSING
from popadmin.config.version import version

OUR_APPS = frozenset({"mailstore", "popadmin"})
SUMMARY_CHARACTERS = 100
EXIT_REFUSED = 1
EXIT_USAGE = 2


class CommandLine(ManagementUtility):
    """Django's, with a list of our commands; a command that does not exist ends with one line and exit 2."""

    def main_help_text(self, commands_only: bool = False) -> str:
        """List our commands with what each does, then the names of Django's."""
        if commands_only or self.settings_exception is not None:
            return super().main_help_text(commands_only)
        commands = get_commands()
        ours = {name: _summary(app, name) for name, app in our_commands().items()}
        width = max(map(len, ours))
        lines = [f"  {name:<{width}}  {summary}" for name, summary in ours.items()]
        djangos = textwrap.fill(
            ", ".join(sorted(commands.keys() - ours)), 78, initial_indent="  ", subsequent_indent="  "
        )
        return "\n".join(
            [
                f"popadmin {version()}: `{self.prog_name} COMMAND --help` shows an example of each.",
                "",
                *lines,
                "",
                "Django's own:",
                djangos,
            ]
        )

    def fetch_command(self, subcommand: str) -> BaseCommand:
        if self.settings_exception is None and (site := settings.SITE_THAT_RUNS):
            sys.stderr.write(f"popadmin: POPADMIN_DATA_DIR is not set: {site.data_dir} is meant, which runs now\n")
        if settings.INSTALLED_APPS and subcommand not in get_commands():  # wrong settings are reported first
            close = get_close_matches(subcommand, get_commands(), n=1)
            meant = f", did you mean {close[0]}?" if close else ""
            _leave(f"there is no command {subcommand!r}{meant} ({self.prog_name} help lists them)", EXIT_USAGE)
        return super().fetch_command(subcommand)


def our_commands() -> dict[str, str]:
    """Return the application of each command that is not Django's, by name."""
    return {name: app for name, app in sorted(get_commands().items()) if app in OUR_APPS}


def _summary(app: str, name: str) -> str:
    """Return the first sentence of a command's help."""
    text = " ".join(load_command_class(app, name).help.split())
    return textwrap.shorten(text.partition(". ")[0].rstrip("."), SUMMARY_CHARACTERS, placeholder=" …")


def run() -> None:
    """Run the command of the arguments."""
    if sys.argv[1:2] == ["version"] or "--version" in sys.argv[1:3]:
        sys.stdout.write(f"{version()}\n")
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "popadmin.settings")
    if sys.argv[1:2] == ["up"]:
        os.environ.setdefault("POPADMIN_GENERATE", "true")
        if "--demo" in sys.argv:
            os.environ.setdefault("POPADMIN_DEMO", "true")
    try:
        CommandLine(sys.argv).execute()
    except ImproperlyConfigured as error:
        # Django's own text for this one does not say what to do.
        _leave(KEY_MISSING if "SECRET_KEY setting" in str(error) else str(error), EXIT_USAGE)
    except (OperationalError, InterfaceError) as error:  # from Django's, such as `migrate`; ours report it
        if "--traceback" in sys.argv:
            raise
        cause, _, _ = str(error).partition("\n")
        _leave(database_away.remedy() if settings.DATABASE_IS_PRIVATE else f"DATABASE_URL: {cause}", EXIT_REFUSED)


def _leave(text: str, code: int) -> NoReturn:
    sys.stderr.write(f"popadmin: {text}\n")
    sys.exit(code)
