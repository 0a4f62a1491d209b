"""`admin`: ensures hosting admins; the rules are the store's."""

from __future__ import annotations

from django.core.management.base import CommandParser

from mailstore.management.shell import actor, password_from_stdin
from mailstore.management.verbs import NounCommand, Options, Verb
from mailstore.store import admins


class Command(NounCommand):
    help = "Manage hosting admins."
    example = "popadmin admin ensure root"

    def verbs(self) -> tuple[Verb, ...]:
        return (
            Verb(
                "ensure",
                "Make a hosting admin unless there. A new one gets a generated password.",
                "popadmin admin ensure root --password-stdin < password.txt",
                _ensure_arguments,
                self.ensure,
            ),
        )

    def ensure(self, options: Options) -> None:
        password = password_from_stdin() if options["password_stdin"] else None
        done = admins.ensure(options["login"], actor=actor(), password=password)
        self.say_ensured(done.row.address, done, json=options["json"])


def _ensure_arguments(parser: CommandParser) -> None:
    parser.add_argument("login", metavar="LOGIN")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
