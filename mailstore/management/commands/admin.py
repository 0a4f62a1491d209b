"""`admin`: create hosting admins and domain admins, and grant and revoke domains."""

from __future__ import annotations

from django.core.management.base import CommandParser

from mailstore.directory import admins, grants
from mailstore.directory.fields.domain import ADMIN
from mailstore.management.field_options import add_field_options
from mailstore.management.noun_verb import NounCommand, Options, Verb
from mailstore.management.shell import actor, password_from_stdin


class Command(NounCommand):
    help = "Manage hosting admins and domain admins."
    example = "popadmin admin ensure root"

    def verbs(self) -> tuple[Verb, ...]:
        return (
            Verb(
                "ensure",
                "Create a hosting admin, or with --domain a domain admin, if there is none. A new one gets a password.",
                "popadmin admin ensure root --password-stdin < password.txt",
                _ensure_arguments,
                self.ensure,
            ),
            Verb(
                "grant",
                "Let a user administer a domain.",
                "popadmin admin grant ann@example.org example.org",
                _grant_arguments,
                self.grant,
            ),
            Verb(
                "revoke",
                "End a user's right to administer a domain.",
                "popadmin admin revoke ann@example.org example.org",
                _grant_arguments,
                self.revoke,
            ),
        )

    def ensure(self, options: Options) -> None:
        login, names = options["login"], options["domains"]
        password = password_from_stdin() if options["password_stdin"] else None
        if names:
            done = grants.ensure(login, names, actor=actor(), password=password)
        else:
            done = admins.ensure(login, actor=actor(), password=password)
        self.say_ensured(done.row.address, done, json=options["json"])

    def grant(self, options: Options) -> None:
        self._say(grants.grant(options["login"], options["domain"], actor=actor()), options, "granted")

    def revoke(self, options: Options) -> None:
        ended = grants.revoke(options["login"], options["domain"], actor=actor())
        self._say(ended is not None, options, "revoked")

    def _say(self, changed: bool, options: Options, verb: str) -> None:
        if options["json"]:
            self.say_json({"login": options["login"], "domain": options["domain"], "changed": changed})
        else:
            self.stdout.write(f"{options['login']}: {options['domain']} {verb if changed else 'unchanged'}")


def _ensure_arguments(parser: CommandParser) -> None:
    parser.add_argument("login", metavar="LOGIN")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    add_field_options(parser, ADMIN)


def _grant_arguments(parser: CommandParser) -> None:
    parser.add_argument("login", metavar="LOGIN")
    parser.add_argument("domain", metavar="DOMAIN")
