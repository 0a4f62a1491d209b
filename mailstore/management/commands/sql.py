"""`sql`: lists the statements of the mail path, or prints one whole, as it is executed, below its comment."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from mailstore.directory import message_purge
from mailstore.management import text_table
from mailstore.management.shell import ShellCommand
from mailstore.pg.statement import Statement
from mailstore.retention import expiry_step, relief_step
from mailstore.sql import connection_pool, device_settlement, locked_batch
from mailstore.sql.django_statement import DjangoStatement
from mailstore.sql.statements import removal

HEADINGS = ("NAME", "CALLER")
ON_DJANGO = (
    removal.TAKE_OUT,
    removal.RESTORE,
    message_purge.LOCK_BODIES,
    message_purge.LOCK_BODIES_OF_MAILBOX,
    message_purge.PURGE,
    message_purge.RELEASE_BODIES,
    locked_batch.LOCK_FREE,
    expiry_step.FIND_EXPIRED,
    expiry_step.EXPIRE,
    relief_step.FIND_RELIEF,
    relief_step.RELIEVE_BATCH,
    device_settlement.FIND_SETTLED,
    device_settlement.SETTLE_BATCH,
)
STATEMENTS: dict[str, Statement | DjangoStatement] = {
    **{one.name.decode(): one for one in (*connection_pool.READS, *connection_pool.WRITES)},
    **{one.name: one for one in ON_DJANGO},
}


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
