"""`mailbox`: create, list, show, rename and remove mailboxes, and set their passwords."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from mailstore.amount_text import MESSAGES, numbered
from mailstore.directory import (
    domains,
    mailbox_lookup,
    mailbox_moves,
    mailbox_removal,
    mailboxes,
    password_export,
    row_json,
)
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.removal_state import Removed
from mailstore.management import rename_file, text_table
from mailstore.management.field_options import add_field_options, field_values
from mailstore.management.noun_verb import NounCommand, Options, Verb, removal_text
from mailstore.management.password_options import add_password_options, password_given
from mailstore.management.shell import EXIT_REFUSED, EXIT_USAGE, actor
from mailstore.models import Mailbox
from mailstore.policy.addresses import both_names

# The state in the list of a mailbox where a switch is not as in a new one.
STATES = {
    "suspended": "suspended",
    "receives": "no mail in",
    "pop": "no POP",
    "web": "no web",
    "main_pop": "devices only",
    "held": "on hold",
}
HEADINGS = ("ADDRESS", "MESSAGES", "SIZE", "QUOTA", "STATE", "NAME")


class Command(NounCommand):
    help = "Manage mailboxes."
    example = "popadmin mailbox ensure ann@example.org --quota 2GB"

    def verbs(self) -> tuple[Verb, ...]:
        return (
            Verb(
                "ensure",
                "Create a mailbox if it does not exist, and set the given fields. A new one gets a generated password.",
                "popadmin mailbox ensure ann@example.org --name 'Ann Smith' --quota 2GB",
                _ensure_arguments,
                self.ensure,
            ),
            Verb(
                "list",
                "List the mailboxes of a domain, or all.",
                "popadmin mailbox list --domain example.org",
                _list_arguments,
                self.listing,
            ),
            Verb("show", "Show one mailbox.", "popadmin mailbox show ann@example.org", _address, self.show),
            Verb(
                "set-password",
                "Replace the main password with a generated one, or with the line on standard input.",
                "popadmin mailbox set-password ann@example.org",
                _set_password_arguments,
                self.set_password,
            ),
            Verb(
                "rename",
                "Give a mailbox another address; all that is in it stays. The old one becomes an alias of the new one.",
                "popadmin mailbox rename ann@example.org ann.smith@example.org",
                _rename_arguments,
                self.rename,
            ),
            *self._removal_verbs(),
        )

    def _removal_verbs(self) -> tuple[Verb, ...]:
        return (
            Verb(
                "remove",
                "Remove a mailbox; if it holds mail, only with --with-mail. It can be restored for weeks.",
                "popadmin mailbox remove ann@example.org --with-mail",
                _remove_arguments,
                self.remove,
            ),
            Verb(
                "restore",
                "Restore a removed mailbox as it was.",
                "popadmin mailbox restore ann@example.org",
                _address,
                self.restore,
            ),
            Verb(
                "purge",
                "Delete a removed mailbox for good, with its user, devices and mail.",
                "popadmin mailbox purge ann@example.org",
                _address,
                self.purge,
            ),
        )

    def ensure(self, options: Options) -> None:
        fields, still_there = field_values(options, MAILBOX), options["still_at_old_server"]
        password = password_given(options)
        if still_there and password is None:
            password = mailbox_moves.password_of_new(options["address"])
        with transaction.atomic():
            done = mailboxes.ensure(
                options["address"], actor=actor(), password=password, look_alike=options["look_alike"], **fields
            )
            if still_there is not None:
                (mailbox_moves.mark if still_there else mailbox_moves.unmark)(options["address"], actor=actor())
        self.say_ensured(done.row.user.address, done, json=options["json"])

    def listing(self, options: Options) -> None:
        rows = Mailbox.objects.order_by("domain__name", "user__address").filter(
            removed_at__isnull=not options["removed"]
        )
        if options["domain"] is not None:
            rows = rows.filter(domain=domains.get(options["domain"]))
        if options["with_hashes"]:
            if not options["json"]:
                raise CommandError("--with-hashes needs --json", returncode=EXIT_USAGE)
            self.say_json_list(password_export.mailboxes(rows, actor=actor()))
            return
        if options["json"]:
            self.say_json_list(row_json.mailboxes(rows))
            return
        for line in text_table.lines(HEADINGS, (_cells(values) for values in row_json.mailboxes(rows))):
            self.stdout.write(line)

    def show(self, options: Options) -> None:
        (values,) = row_json.mailboxes(Mailbox.objects.filter(pk=mailbox_lookup.get(options["address"]).pk))
        if options["json"]:
            self.say_json(values)
            return
        values["address"] = both_names(values["address"])
        del values["readable"]
        for name, value in values.items():
            self.stdout.write(f"{name.replace('_', ' ')}: {text_table.dash(value)}")

    def set_password(self, options: Options) -> None:
        secret = mailboxes.set_password(
            options["address"], password_given(options), actor=actor(), must_change=options["must_change"]
        )
        if options["json"]:
            self.say_json({"address": options["address"], **({"password": secret} if secret else {})})
            return
        self.stdout.write(f"{options['address']}: password changed")
        if secret:
            self.stdout.write(f"  password: {secret}  (shown this once)")

    def rename(self, options: Options) -> None:
        pairs = rename_file.pairs(options)
        results = [self._renamed(old, new, options) for old, new in pairs]
        if options["json"]:
            self.say_json_list(results)
        refused = sum("refused" in result for result in results)
        if refused:
            raise CommandError(f"{refused} of {len(results)} not renamed", returncode=EXIT_REFUSED)

    def _renamed(self, old: str, new: str, options: Options) -> dict[str, Any]:
        """Rename one mailbox, or check it. Tell the result at once, unless JSON is asked for."""
        result = rename_file.result(
            old, new, actor=actor(), keep_alias=not options["no_alias"], look_alike=options["look_alike"],
            dry_run=options["dry_run"],
        )  # fmt: skip
        if not options["json"]:
            self.stdout.write(f"{old} -> {new}: {result.get('refused') or result['state']}")
        return result

    def remove(self, options: Options) -> None:
        done = mailbox_removal.remove(options["address"], actor=actor(), with_mail=options["with_mail"])
        self._say_gone(options, "removed", done)

    def restore(self, options: Options) -> None:
        box = mailbox_removal.restore(options["address"], actor=actor())
        self._say_gone(options, "restored", Removed(1, 0, box.messages, box.octets))

    def purge(self, options: Options) -> None:
        done = mailbox_removal.purge_now(options["address"], actor=actor())
        self._say_gone(options, "purged", done, words="deleted for good")

    def _say_gone(self, options: Options, key: str, what: Removed, *, words: str = "") -> None:
        """Say what was done: as JSON by its key, else in words, which are the key itself where none are given."""
        if options["json"]:
            self.say_json({"address": options["address"], key: True, "messages": what.messages})
        else:
            self.stdout.write(f"{options['address']}: {words or key}, with {numbered(what.messages, *MESSAGES)}")


def _address(parser: CommandParser) -> None:
    parser.add_argument("address", metavar="ADDRESS")


def _ensure_arguments(parser: CommandParser) -> None:
    _address(parser)
    add_password_options(parser)
    add_field_options(parser, MAILBOX)
    parser.add_argument("--look-alike", action="store_true", help="create it although it looks like another address")
    parser.add_argument(
        "--still-at-old-server",
        action=BooleanOptionalAction,
        default=None,
        help="its first sign-in moves it from the old server of its domain; a new one gets no password before",
    )


def _list_arguments(parser: CommandParser) -> None:
    parser.add_argument("--domain", default=None, metavar="NAME", help="only this domain's")
    parser.add_argument("--removed", action="store_true", help="only those that are removed and can be restored")
    parser.add_argument(
        "--with-hashes", action="store_true", help="also the password hashes, to move away; only with --json; audited"
    )


def _set_password_arguments(parser: CommandParser) -> None:
    _address(parser)
    add_password_options(parser)
    parser.add_argument("--must-change", action="store_true", help="the pages ask the owner for another one first")


def _rename_arguments(parser: CommandParser) -> None:
    parser.add_argument("old", metavar="OLD", nargs="?")
    parser.add_argument("new", metavar="NEW", nargs="?")
    parser.add_argument(
        "--file", type=Path, metavar="FILE", help="rename what this CSV file lists: the old address, the new address"
    )
    parser.add_argument("--no-alias", action="store_true", help="do not keep the old address as an alias")
    parser.add_argument("--look-alike", action="store_true", help="rename it although it looks like another address")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be renamed")


def _remove_arguments(parser: CommandParser) -> None:
    _address(parser)
    parser.add_argument("--with-mail", action="store_true", help="also remove its mail, recovery included")


def _cells(values: dict[str, Any]) -> tuple[object, ...]:
    states = [removal_text(values)] if values["removed_at"] else []
    states += [state for name, state in STATES.items() if values[name] != MAILBOX[name].default]
    return (
        both_names(values["address"]),
        values["messages"],
        text_table.about(values["octets"]),
        values["quota"],
        ", ".join(states) or "active",
        values["name"],
    )
