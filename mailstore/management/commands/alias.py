"""`alias`: ensures, lists and removes aliases and catch-alls; the rules are the store's."""

from __future__ import annotations

from django.core.management.base import CommandParser

from mailstore.management import tables
from mailstore.management.shell import actor, switch
from mailstore.management.verbs import NounCommand, Options, Verb
from mailstore.store import aliases

HEADINGS = ("ALIAS", "STATE", "TARGETS")


class Command(NounCommand):
    help = "Manage aliases: addresses that stand for others. @example.org is the catch-all of a domain."
    example = "popadmin alias ensure info@example.org ann@example.org bob@example.org"

    def verbs(self) -> tuple[Verb, ...]:
        return (
            Verb(
                "ensure",
                "Make an alias unless it is there, and let it stand for exactly these targets.",
                "popadmin alias ensure @example.org ann@example.org",
                _ensure_arguments,
                self.ensure,
            ),
            Verb(
                "list",
                "List the aliases of a domain, or all.",
                "popadmin alias list --domain example.org",
                _list_arguments,
                self.listing,
            ),
            Verb("remove", "Remove an alias.", "popadmin alias remove info@example.org", _address, self.remove),
        )

    def ensure(self, options: Options) -> None:
        done = aliases.ensure(options["address"], options["targets"], actor=actor(), active=options.get("active"))
        self.say_ensured(done.row.address, done, json=options["json"])

    def listing(self, options: Options) -> None:
        rows = aliases.listing(options["domain"]).iterator()
        if options["json"]:
            self.say_json_list({"address": row.address, "active": row.active, "targets": row.targets} for row in rows)
            return
        cells = ((row.address, "active" if row.active else "inactive", " ".join(row.targets)) for row in rows)
        for line in tables.lines(HEADINGS, cells):
            self.stdout.write(line)

    def remove(self, options: Options) -> None:
        aliases.remove(options["address"], actor=actor())
        if options["json"]:
            self.say_json({"address": options["address"], "removed": True})
        else:
            self.stdout.write(f"{options['address']}: removed")


def _address(parser: CommandParser) -> None:
    parser.add_argument("address", metavar="ADDRESS")


def _ensure_arguments(parser: CommandParser) -> None:
    _address(parser)
    parser.add_argument("targets", nargs="+", metavar="TARGET", help="addresses, here or elsewhere")
    switch(parser, "active", "--active", "--inactive", help="the alias answers")


def _list_arguments(parser: CommandParser) -> None:
    parser.add_argument("--domain", default=None, metavar="NAME", help="only this domain's")
