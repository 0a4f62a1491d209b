"""`domain`: create, list, show, rename and remove domains."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from mailstore.amount_text import ALIASES, MAILBOXES, MESSAGES, numbered
from mailstore.directory import domain_removal, domain_rename, domains, row_json
from mailstore.directory.domain_collisions import Collision, Reason
from mailstore.directory.domain_rename import RenameCheck
from mailstore.directory.fields.domain import DOMAIN
from mailstore.directory.removal_state import Removed
from mailstore.management import text_table
from mailstore.management.field_options import add_field_options, field_values
from mailstore.management.noun_verb import NounCommand, Options, Verb, removal_text
from mailstore.management.shell import EXIT_REFUSED, actor
from mailstore.models import Domain
from mailstore.policy.addresses import both_names

COLLISIONS = {
    Reason.MAILBOX: "there is such a mailbox",
    Reason.REMOVED_MAILBOX: "there is such a mailbox, which is removed",
    Reason.ALIAS: "there is such an alias",
    Reason.ADMINISTRATOR: "it is the login of an administrator",
    Reason.TOO_LONG: "it would be too long",
}
HEADINGS = ("DOMAIN", "STATE", "MAILBOXES", "ALIASES", "SIZE", "FULL MAILBOX")


class Command(NounCommand):
    help = "Manage domains."
    example = "popadmin domain ensure example.org --max-mailboxes 50"

    def verbs(self) -> tuple[Verb, ...]:
        return (
            Verb(
                "ensure",
                "Create a domain if it does not exist, and set the given fields.",
                "popadmin domain ensure example.org --over-quota reject --max-mailboxes 50",
                _ensure_arguments,
                self.ensure,
            ),
            Verb("list", "List the domains.", "popadmin domain list --json", _list_arguments, self.listing),
            Verb("show", "Show one domain.", "popadmin domain show example.org", _name, self.show),
            Verb(
                "rename",
                "Give a domain and all its addresses another name. The old name becomes an alias of the new one.",
                "popadmin domain rename example.org example.net --dry-run",
                _rename_arguments,
                self.rename,
            ),
            *self._removal_verbs(),
        )

    def _removal_verbs(self) -> tuple[Verb, ...]:
        return (
            Verb(
                "remove",
                "Remove a domain with its aliases, and mailboxes if --with-mailboxes. It can be restored for weeks.",
                "popadmin domain remove example.org --with-mailboxes",
                _remove_arguments,
                self.remove,
            ),
            Verb(
                "restore",
                "Restore a removed domain with what was removed with it.",
                "popadmin domain restore example.org",
                _name,
                self.restore,
            ),
            Verb(
                "purge",
                "Delete a removed domain for good, with its mailboxes, mail and aliases.",
                "popadmin domain purge example.org",
                _name,
                self.purge,
            ),
        )

    def ensure(self, options: Options) -> None:
        fields = field_values(options, DOMAIN)
        done = domains.ensure(options["name"], actor=actor(), look_alike=options["look_alike"], **fields)
        self.say_ensured(done.row.name, done, json=options["json"])

    def listing(self, options: Options) -> None:
        found = Domain.objects.filter(removed_at__isnull=not options["removed"])
        rows = row_json.domains(found.order_by("name"))
        if options["json"]:
            self.say_json_list(rows)
        else:
            self._say_table(rows)

    def show(self, options: Options) -> None:
        domain = domains.get(options["name"])
        (values,) = row_json.domains(Domain.objects.filter(pk=domain.pk))
        if options["json"]:
            self.say_json(values)
        else:
            self._say_table([values])

    def rename(self, options: Options) -> None:
        old, new, look_alike = options["old"], options["new"], options["look_alike"]
        if options["dry_run"]:
            self._say_check(options, domain_rename.check(old, new, actor=actor(), look_alike=look_alike))
            return
        done = domain_rename.rename(old, new, actor=actor(), look_alike=look_alike)
        if options["json"]:
            counts = {"mailboxes": done.mailboxes, "aliases": done.aliases}
            self.say_json({"old": old, "new": done.domain.name, "renamed": True, **counts})
            return
        with_all = f"with {numbered(done.mailboxes, *MAILBOXES)}, {numbered(done.aliases, *ALIASES)}"
        self.stdout.write(f"{old}: renamed to {done.domain.name}, {with_all}")
        self.stdout.write(f"  {old} is then an alias of {done.domain.name}")

    def _say_check(self, options: Options, check: RenameCheck) -> None:
        """Say what a rename would do, with all that collides. Refused if it would be."""
        if options["json"]:
            self.say_json({"old": options["old"], "renamed": False, **asdict(check)})
        else:
            verb = "cannot be renamed" if check.refusal else "would be renamed"
            with_all = f"with {numbered(check.mailboxes, *MAILBOXES)}, {numbered(check.aliases, *ALIASES)}"
            self.stdout.write(f"{options['old']}: {verb} to {check.new}, {with_all}")
            for each in check.collisions:
                self.stdout.write(f"  {each.address} collides: {_collision_text(each)}")
        if check.refusal:
            raise CommandError(check.refusal, returncode=EXIT_REFUSED)

    def remove(self, options: Options) -> None:
        done = domain_removal.remove(options["name"], actor=actor(), with_mailboxes=options["with_mailboxes"])
        self._say_gone(options, "removed", done)

    def restore(self, options: Options) -> None:
        domain = domain_removal.restore(options["name"], actor=actor())
        self._say_gone(options, "restored", domain_removal.contents(domain))

    def purge(self, options: Options) -> None:
        done = domain_removal.purge_now(options["name"], actor=actor())
        self._say_gone(options, "purged", done, words="deleted for good")

    def _say_gone(self, options: Options, key: str, what: Removed, *, words: str = "") -> None:
        """Say what was done: as JSON by its key, else in words, which are the key itself where none are given."""
        if options["json"]:
            self.say_json({"name": options["name"], key: True, **asdict(what)})
            return
        counts = (
            numbered(what.mailboxes, *MAILBOXES), numbered(what.aliases, *ALIASES), numbered(what.messages, *MESSAGES)
        )  # fmt: skip
        self.stdout.write(f"{options['name']}: {words or key}, with {', '.join(counts)}")

    def _say_table(self, rows: Iterable[dict[str, Any]]) -> None:
        for line in text_table.lines(HEADINGS, (_cells(row) for row in rows)):
            self.stdout.write(line)


def _name(parser: CommandParser) -> None:
    parser.add_argument("name", metavar="NAME")


def _list_arguments(parser: CommandParser) -> None:
    parser.add_argument("--removed", action="store_true", help="only those that are removed and can be restored")


def _rename_arguments(parser: CommandParser) -> None:
    parser.add_argument("old", metavar="OLD")
    parser.add_argument("new", metavar="NEW")
    parser.add_argument("--look-alike", action="store_true", help="rename it although it looks like another domain")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be renamed and what collides")


def _remove_arguments(parser: CommandParser) -> None:
    _name(parser)
    parser.add_argument("--with-mailboxes", action="store_true", help="also remove its mailboxes and their mail")


def _ensure_arguments(parser: CommandParser) -> None:
    _name(parser)
    add_field_options(parser, DOMAIN)
    parser.add_argument("--look-alike", action="store_true", help="create it although it looks like another domain")


def _collision_text(collision: Collision) -> str:
    there = "" if collision.holder == collision.address else f", as {collision.holder}"
    return COLLISIONS[collision.reason] + there


def _cells(values: dict[str, Any]) -> tuple[object, ...]:
    return (
        both_names(values["name"]),
        _state(values),
        f"{values['mailboxes']} of {text_table.dash(values['max_mailboxes'])}",
        f"{values['aliases']} of {text_table.dash(values['max_aliases'])}",
        f"{text_table.about(values['octets'])} of {_limit(values['quota_octets'])}",
        values["over_quota"],
    )


def _limit(octets: int | None) -> str:
    return text_table.dash(None) if octets is None else text_table.about(octets)


def _state(values: dict[str, Any]) -> str:
    standing = f", alias of {both_names(values['stands_for'])}" if values["stands_for"] else ""
    return (removal_text(values) or ("active" if values["active"] else "inactive")) + standing
