"""`domain`: ensures, lists, shows and removes domains; the rules are the store's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import QuerySet

from mailstore.directory import domain_removal, domain_usage, domains
from mailstore.directory.removal_notice import Removed
from mailstore.management import text_table
from mailstore.management.noun_verb import NounCommand, Options, Verb, removal_state, removal_told
from mailstore.management.policy_options import policy_arguments, policy_fields
from mailstore.management.shell import UNSET, actor, count, size, switch
from mailstore.models import Domain
from mailstore.policy.addresses import shown_domain

FIELDS = (
    "active",
    "over_quota",
    "mailbox_limit",
    "alias_limit",
    "quota_octets",
    "allotment_octets",
    "mailbox_quota_default",
    "mailbox_quota_most",
    "owner_forwards",
    "stands_for",
)
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
            Verb("list", "List the domains.", "popadmin domain list --json", _list_arguments, self.listing),
            Verb("show", "Show one domain.", "popadmin domain show example.org", _name, self.show),
            Verb(
                "remove",
                "Remove a domain and its aliases, and with --with-mailboxes those too. It can be restored for weeks.",
                "popadmin domain remove example.org --with-mailboxes",
                _remove_arguments,
                self.remove,
            ),
            Verb(
                "restore",
                "Bring a removed domain back with what went with it.",
                "popadmin domain restore example.org",
                _name,
                self.restore,
            ),
            Verb(
                "purge",
                "Destroy a removed domain with its mailboxes, mail and aliases, for good.",
                "popadmin domain purge example.org",
                _name,
                self.purge,
            ),
        )

    def ensure(self, options: Options) -> None:
        fields = {name: options[name] for name in FIELDS if name in options} | policy_fields(options)
        if fields.get("stands_for") is not None:
            fields["stands_for"] = domains.get(fields["stands_for"])
        done = domains.ensure(options["name"], actor=actor(), look_alike=options["look_alike"], **fields)
        self.say_ensured(done.row.name, done, json=options["json"])

    def listing(self, options: Options) -> None:
        found = Domain.objects.filter(removed_at__isnull=not options["removed"])
        rows = (_told(row) for row in _with_use(found.order_by("name")))
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
        done = domain_removal.remove(options["name"], actor=actor(), with_mailboxes=options["with_mailboxes"])
        self._say_gone(options, "removed", done)

    def restore(self, options: Options) -> None:
        domain = domain_removal.restore(options["name"], actor=actor())
        self._say_gone(options, "restored", domain_removal.contents(domain))

    def purge(self, options: Options) -> None:
        self._say_gone(options, "purged", domain_removal.purge_now(options["name"], actor=actor()))

    def _say_gone(self, options: Options, verb: str, what: Removed) -> None:
        if options["json"]:
            self.say_json({"name": options["name"], verb: True, **asdict(what)})
            return
        counts = f"{what.mailboxes} mailboxes, {what.aliases} aliases, {what.messages} messages"
        self.stdout.write(f"{options['name']}: {verb}, with {counts}")

    def _say_table(self, rows: Iterable[dict[str, Any]]) -> None:
        for line in text_table.lines(HEADINGS, (_cells(row) for row in rows)):
            self.stdout.write(line)


def _name(parser: CommandParser) -> None:
    parser.add_argument("name", metavar="NAME")


def _list_arguments(parser: CommandParser) -> None:
    parser.add_argument("--removed", action="store_true", help="only those that are removed and can be restored")


def _remove_arguments(parser: CommandParser) -> None:
    _name(parser)
    parser.add_argument("--with-mailboxes", action="store_true", help="its mailboxes go with it, and their mail")


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
    _size(parser, "--quota", "quota_octets", "all its mailboxes store at most")
    _size(parser, "--allotment", "allotment_octets", "what its admins may give its mailboxes, all quotas together")
    _size(parser, "--mailbox-quota", "mailbox_quota_default", "what a new mailbox gets")
    _size(parser, "--max-mailbox-quota", "mailbox_quota_most", "what its admins may give one mailbox")
    switch(parser, "active", "--active", "--inactive", help="the domain receives and its people sign in")
    switch(parser, "owner_forwards", "--owner-forwards", "--no-owner-forwards", help="owners may forward their mail")
    parser.add_argument(
        "--stands-for", type=_name_or_none, default=UNSET, metavar="NAME|none", help="every address in it is one there"
    )
    parser.add_argument("--look-alike", action="store_true", help="make it although it looks like another domain")
    policy_arguments(parser)


def _size(parser: CommandParser, option: str, field: str, what: str) -> None:
    parser.add_argument(option, dest=field, type=size, default=UNSET, metavar="SIZE|none", help=what)


def _name_or_none(text: str) -> str | None:
    return None if text.strip().lower() == "none" else text


def _with_use(domains: QuerySet[Domain]) -> Iterator[dict[str, Any]]:
    """Yield the domains' fields with how many mailboxes and aliases they have, and how much mail."""
    named = ("stands_for__name", "policy__name")
    counts = ("mailboxes", "aliases", "messages", "octets", "catch_all")
    counted = domain_usage.counted(domains).annotate(catch_all=domain_usage.catch_all())
    yield from counted.values("name", "removed_at", "removed_by", *named, *FIELDS, *counts).iterator()


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """Return the domain as JSON tells it, by the names of the options."""
    return {
        "name": row["name"],
        "readable": shown_domain(row["name"]),
        "active": row["active"],
        "over_quota": row["over_quota"],
        "mailboxes": row["mailboxes"],
        "max_mailboxes": row["mailbox_limit"],
        "aliases": row["aliases"],
        "max_aliases": row["alias_limit"],
        "policy": row["policy__name"],
        "messages": row["messages"],
        "octets": row["octets"],
        "quota_octets": row["quota_octets"],
        "allotment_octets": row["allotment_octets"],
        "mailbox_quota_octets": row["mailbox_quota_default"],
        "max_mailbox_quota_octets": row["mailbox_quota_most"],
        "owner_forwards": row["owner_forwards"],
        "stands_for": row["stands_for__name"],
        "catch_all": row["catch_all"],
        **removal_told(row["removed_at"], row["removed_by"]),
    }


def _cells(told: dict[str, Any]) -> tuple[object, ...]:
    return (
        told["name"],
        _state(told),
        f"{told['mailboxes']} of {text_table.dash(told['max_mailboxes'])}",
        f"{told['aliases']} of {text_table.dash(told['max_aliases'])}",
        f"{text_table.about(told['octets'])} of {_limit(told['quota_octets'])}",
        told["over_quota"],
    )


def _limit(octets: int | None) -> str:
    return text_table.dash(None) if octets is None else text_table.about(octets)


def _state(told: dict[str, Any]) -> str:
    standing = f", stands for {told['stands_for']}" if told["stands_for"] else ""
    return (removal_state(told) or ("active" if told["active"] else "inactive")) + standing
