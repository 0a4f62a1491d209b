"""`alias`: create, list and remove aliases, forwards of mailboxes and catch-alls."""

from __future__ import annotations

from dataclasses import asdict

from django.core.management.base import CommandParser

from mailstore.directory import aliases, row_json
from mailstore.directory.fields.domain import ALIAS
from mailstore.directory.mta_expansion import expansions
from mailstore.management import text_table
from mailstore.management.field_options import add_field_options, field_values
from mailstore.management.noun_verb import NounCommand, Options, Verb
from mailstore.management.shell import actor
from mailstore.models import Alias
from mailstore.policy.addresses import both_names

HEADINGS = ("ALIAS", "STATE", "TARGETS")


class Command(NounCommand):
    help = "Manage aliases, forwards of mailboxes and catch-alls: @example.org is the catch-all of a domain."
    example = "popadmin alias ensure info@example.org ann@example.org bob@example.org"

    def verbs(self) -> tuple[Verb, ...]:
        return (
            Verb(
                "ensure",
                "Create an alias if it does not exist, and let it deliver to exactly these targets.",
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
        fields = field_values(options, ALIAS)
        done = aliases.ensure(
            options["address"], options["targets"], actor=actor(), look_alike=options["look_alike"], **fields
        )
        self.say_ensured(done.row.address, done, json=options["json"])

    def listing(self, options: Options) -> None:
        rows = aliases.listing(options["domain"]).iterator()
        if options["json"]:
            self.say_json_list({**row_json.alias(row), **asdict(expansion)} for row, expansion in expansions(rows))
            return
        for line in text_table.lines(HEADINGS, (_cells(row) for row in rows)):
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
    add_field_options(parser, ALIAS)
    parser.add_argument("--look-alike", action="store_true", help="create it although it looks like another address")


def _list_arguments(parser: CommandParser) -> None:
    parser.add_argument("--domain", default=None, metavar="NAME", help="only this domain's")


def _cells(row: Alias) -> tuple[object, ...]:
    values = row_json.alias(row)
    states = [
        "active" if row.active else "inactive",
        *(["keeps a copy"] if row.keep_copy else []),
        *([f"expired {values['expires_at'][:10]}"] if values["expired"] else []),
        *([f"until {values['expires_at'][:10]}"] if values["expires_at"] and not values["expired"] else []),
    ]
    return both_names(row.address), ", ".join(states), " ".join(map(both_names, row.targets))
