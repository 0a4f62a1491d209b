"""`mailbox`: create, list, show and remove mailboxes, and set their passwords."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from mailstore.amount_text import MESSAGES, numbered
from mailstore.directory import domains, mailbox_lookup, mailbox_removal, mailboxes, password_export, row_json
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.removal_state import Removed
from mailstore.management import text_table
from mailstore.management.field_options import add_field_options, field_values
from mailstore.management.noun_verb import NounCommand, Options, Verb, removal_text
from mailstore.management.password_options import add_password_options, password_given
from mailstore.management.shell import EXIT_USAGE, actor
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
                "Destroy a removed mailbox with its user, devices and mail, for good.",
                "popadmin mailbox purge ann@example.org",
                _address,
                self.purge,
            ),
        )

    def ensure(self, options: Options) -> None:
        fields = field_values(options, MAILBOX)
        done = mailboxes.ensure(
            options["address"],
            actor=actor(),
            password=password_given(options),
            look_alike=options["look_alike"],
            **fields,
        )
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

    def remove(self, options: Options) -> None:
        done = mailbox_removal.remove(options["address"], actor=actor(), with_mail=options["with_mail"])
        self._say_gone(options, "removed", done)

    def restore(self, options: Options) -> None:
        box = mailbox_removal.restore(options["address"], actor=actor())
        self._say_gone(options, "restored", Removed(1, 0, box.messages, box.octets))

    def purge(self, options: Options) -> None:
        self._say_gone(options, "purged", mailbox_removal.purge_now(options["address"], actor=actor()))

    def _say_gone(self, options: Options, verb: str, what: Removed) -> None:
        if options["json"]:
            self.say_json({"address": options["address"], verb: True, "messages": what.messages})
        else:
            self.stdout.write(f"{options['address']}: {verb}, with {numbered(what.messages, *MESSAGES)}")


def _address(parser: CommandParser) -> None:
    parser.add_argument("address", metavar="ADDRESS")


def _ensure_arguments(parser: CommandParser) -> None:
    _address(parser)
    add_password_options(parser)
    add_field_options(parser, MAILBOX)
    parser.add_argument("--look-alike", action="store_true", help="create it although it looks like another address")


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
