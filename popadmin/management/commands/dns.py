"""`dns`: the records that a domain should have, and what DNS says of them."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from mailstore.directory import domains
from mailstore.management import text_table
from mailstore.management.shell import EXIT_REFUSED, ShellCommand
from mailstore.models import Domain
from popadmin.connect.dns import check
from popadmin.connect.dns.check import Check, Row

HEADINGS = ("STATE", "RECORD", "KIND", "WANTED", "FOUND")


class Command(ShellCommand):
    help = "Compare the DNS records of a domain with those that it should have. Exit 1 when mail cannot come."
    example = "popadmin dns example.org"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("domain", metavar="DOMAIN", help="a domain, here or not yet")
        shape = parser.add_mutually_exclusive_group()
        shape.add_argument("--json", action="store_true", help="print JSON")
        shape.add_argument(
            "--zone", action="store_true", help="print the wanted records as a zone file; DNS is not asked"
        )

    def handle(self, *_args: str, **options: Any) -> None:
        name = domains.normalized(options["domain"])
        if options["zone"]:
            self.stdout.write(check.unasked(name).zone, ending="")
            return
        domain = Domain.objects.filter(name=name, removed_at=None).first()
        found = check.look_up(domain) if domain else check.look_up_name(name)
        self._say(found, as_json=options["json"])
        if not found.needed_are_good:
            sys.exit(EXIT_REFUSED)

    def _say(self, found: Check, *, as_json: bool) -> None:
        rows = [*([found.name_for_all] if found.name_for_all else []), *found.rows]
        if as_json:
            self.say_json_list(_values(row) for row in rows)
            return
        for line in text_table.lines(HEADINGS, (_cells(row) for row in rows)):
            self.stdout.write(line)


def _values(row: Row) -> dict[str, object]:
    name, kind = row.records.question
    return {
        "name": name,
        "kind": kind,
        "purpose": row.records.purpose,
        "need": row.records.need,
        "of_site": row.records.of_site,
        "state": row.state,
        "wanted": row.records.texts,
        "found": row.found,
    }


def _cells(row: Row) -> tuple[str, ...]:
    name, kind = row.records.question
    return (
        str(row.state),
        name,
        kind,
        text_table.dash(" | ".join(row.records.texts)),
        text_table.dash(" | ".join(row.found)),
    )
