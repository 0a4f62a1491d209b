"""Write the manual pages, from the `--help` of every command: popadmin(1), and popadmin-COMMAND(1) for each."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path

import django
from argparse_manpage.manpage import Manpage
from django.core.management import load_command_class

from popadmin.command_line import our_commands
from popadmin.config.version import version

PROGRAM = "popadmin"
MANUAL = "popadmin manual"


def write(folder: Path) -> list[Path]:
    """Write all pages to a folder, and return their files. Django must be set up."""
    commands = our_commands()
    folder.mkdir(parents=True, exist_ok=True)
    pages = dict(_pages(commands))
    for name, text in pages.items():
        (folder / name).write_text(text)
    return [folder / name for name in pages]


def _pages(commands: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield file names and pages. `commands` are the applications of our commands, by name."""
    whole = ArgumentParser(PROGRAM, description="POP mailboxes: the web pages, POP3, mail from an MTA, retention.")
    verbs = whole.add_subparsers(title="commands", metavar="COMMAND")
    for name, application in commands.items():
        command = load_command_class(application, name)
        verbs.add_parser(name, help=command.help, description=command.help, add_help=False)
        parser = command.create_parser(PROGRAM, name)
        yield f"{PROGRAM}-{name}.1", _page(parser, " ".join(command.help.split()).partition(". ")[0].rstrip("."))
    yield f"{PROGRAM}.1", _page(whole, "host POP mailboxes")


def _page(parser: ArgumentParser, summary: str) -> str:
    values = {"project_name": PROGRAM, "version": version(), "manual_title": MANUAL, "description": summary}
    page = Manpage(parser, values)
    page.prog = parser.prog.replace(" ", "-")  # the name of the page
    return str(page)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "popadmin.settings")
    os.environ.setdefault("COLUMNS", "100")  # where argparse breaks the lines of a usage
    django.setup()
    for path in write(Path(sys.argv[1])):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
