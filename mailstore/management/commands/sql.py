"""`sql`: lists the statements of the mail path, or prints one whole, as it is executed, below its comment."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from mailstore.management import text_table
from mailstore.management.shell import ShellCommand
from mailstore.sql import connection_pool

HEADINGS = ("NAME", "CALLER")
STATEMENTS = {one.name.decode(): one for one in (*connection_pool.READS, *connection_pool.WRITES)}


class Command(ShellCommand):
    help = "Print a statement of the mail path as Postgres gets it, with its caller, parameters, locks and round trips."
    example = "popadmin sql deliver"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", metavar="NAME", help="the statement; without it, list them all")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_args: str, name: str | None, json: bool, **_options: Any) -> None:
        if name is not None and name not in STATEMENTS:
            raise CommandError(f"{name} is not a statement of the mail path: `sql` lists them")
        if json:
            self.say_json(_facts(name) if name else [_facts(one) for one in sorted(STATEMENTS)])
        elif name:
            self.stdout.write(STATEMENTS[name].text().rstrip("\n"))
        else:
            rows = [(one, STATEMENTS[one].comment.caller) for one in sorted(STATEMENTS)]
            for line in text_table.lines(HEADINGS, rows):
                self.stdout.write(line)


def _facts(name: str) -> dict[str, Any]:
    return {"name": name, **asdict(STATEMENTS[name].comment), "sql": STATEMENTS[name].sql}
