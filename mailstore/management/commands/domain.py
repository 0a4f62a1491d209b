"""`domain`: ensures, lists, shows and removes domains; the rules are the store's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import BigIntegerField, Count, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from mailstore.management import tables
from mailstore.management.shell import UNSET, actor, count, switch
from mailstore.management.verbs import NounCommand, Options, Verb
from mailstore.models import Alias, Domain, Mailbox
from mailstore.store import domains

FIELDS = ("active", "over_quota", "mailbox_limit", "alias_limit")
HEADINGS = ("DOMAIN", "STATE", "MAILBOXES", "ALIASES", "SIZE", "FULL MAILBOX")


class Command(NounCommand):
    help = "Manage domains."
    example = "popadmin domain ensure example.org --max-mailboxes 50"

    def verbs(self) -> tuple[Verb, ...]:
        return (
            Verb(
                "ensure",
                "Make a domain unless it is there, and set what is given.",
                "popadmin domain ensure example.org --over-quota reject --max-mailboxes 50",
                _ensure_arguments,
                self.ensure,
            ),
            Verb("list", "List the domains.", "popadmin domain list --json", lambda _parser: None, self.listing),
            Verb("show", "Show one domain.", "popadmin domain show example.org", _name, self.show),
            Verb(
                "remove",
                "Remove a domain that has no mailboxes, and its aliases.",
                "popadmin domain remove example.org",
                _name,
                self.remove,
            ),
        )

    def ensure(self, options: Options) -> None:
        fields = {name: options[name] for name in FIELDS if name in options}
        done = domains.ensure(options["name"], actor=actor(), **fields)
        self.say_ensured(done.row.name, done, json=options["json"])

    def listing(self, options: Options) -> None:
        rows = (_told(row) for row in _with_use(Domain.objects.order_by("name")))
        if options["json"]:
            self.say_json_list(rows)
        else:
            self._say_table(rows)

    def show(self, options: Options) -> None:
        domain = domains.get(options["name"])
        (told,) = (_told(row) for row in _with_use(Domain.objects.filter(pk=domain.pk)))
        if options["json"]:
            self.say_json(told)
        else:
            self._say_table([told])

    def remove(self, options: Options) -> None:
        domains.remove(options["name"], actor=actor())
        if options["json"]:
            self.say_json({"name": options["name"], "removed": True})
        else:
            self.stdout.write(f"{options['name']}: removed")

    def _say_table(self, rows: Iterable[dict[str, Any]]) -> None:
        for line in tables.lines(HEADINGS, (_cells(row) for row in rows)):
            self.stdout.write(line)


def _name(parser: CommandParser) -> None:
    parser.add_argument("name", metavar="NAME")


def _ensure_arguments(parser: CommandParser) -> None:
    _name(parser)
    parser.add_argument(
        "--over-quota",
        choices=Domain.OverQuota.values,
        default=UNSET,
        help="what a sender hears when a mailbox is full: try again (defer), or no (reject)",
    )
    parser.add_argument("--max-mailboxes", dest="mailbox_limit", type=count, default=UNSET, metavar="N|none")
    parser.add_argument("--max-aliases", dest="alias_limit", type=count, default=UNSET, metavar="N|none")
    switch(parser, "active", "--active", "--inactive", help="the domain receives and its people sign in")


def _with_use(domains: QuerySet[Domain]) -> Iterator[dict[str, Any]]:
    """Yield the domains' fields with how many mailboxes and aliases they have, and how much mail."""
    boxes = Mailbox.objects.filter(domain=OuterRef("pk")).order_by().values("domain")
    names = Alias.objects.filter(domain=OuterRef("pk")).order_by().values("domain")
    yield from (
        domains.values("name", *FIELDS)
        .annotate(
            mailboxes=Coalesce(Subquery(boxes.values(n=Count("pk"))), 0),
            aliases=Coalesce(Subquery(names.values(n=Count("pk"))), 0),
            messages=Coalesce(Subquery(boxes.values(n=Sum("messages"))), 0, output_field=BigIntegerField()),
            octets=Coalesce(Subquery(boxes.values(n=Sum("octets"))), 0, output_field=BigIntegerField()),
        )
        .iterator()
    )


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """Return the domain as JSON tells it, by the names of the options."""
    return {
        "name": row["name"],
        "active": row["active"],
        "over_quota": row["over_quota"],
        "mailboxes": row["mailboxes"],
        "max_mailboxes": row["mailbox_limit"],
        "aliases": row["aliases"],
        "max_aliases": row["alias_limit"],
        "messages": row["messages"],
        "octets": row["octets"],
    }


def _cells(told: dict[str, Any]) -> tuple[object, ...]:
    return (
        told["name"],
        "active" if told["active"] else "inactive",
        f"{told['mailboxes']} of {tables.dash(told['max_mailboxes'])}",
        f"{told['aliases']} of {tables.dash(told['max_aliases'])}",
        tables.about(told["octets"]),
        told["over_quota"],
    )
