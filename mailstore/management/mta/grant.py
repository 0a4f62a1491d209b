"""`mta grant`: the role by which an MTA reads its views, made or completed, or as SQL for those who may make it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from mailstore.directory import mta_role
from mailstore.directory.mta_role import Step
from mailstore.management.noun_verb import NounCommand, Options, Verb
from mailstore.management.shell import EXIT_REFUSED, EXIT_USAGE, password_from_stdin

PASSWORD_OCTETS = 24  # random; no person types it
ROLE_OCTETS = 63  # longer names are cut by Postgres
NOT_ALLOWED = (
    "nothing was changed: the database user of popadmin may not do this. Run the SQL above as a superuser of Postgres, "
    "in the database of popadmin"
)


def verb(command: NounCommand) -> Verb:
    return Verb(
        "grant",
        "Create the role by which an MTA reads its views and nothing else, or complete it. A new one gets a password.",
        "popadmin mta grant --password-stdin < password.txt",
        _arguments,
        _Grant(command).run,
    )


def _arguments(parser: CommandParser) -> None:
    parser.add_argument("--role", default=mta_role.ROLE, metavar="NAME", help=f"its name; {mta_role.ROLE} without this")
    parser.add_argument("--password-stdin", action="store_true", help="read its password from standard input")
    parser.add_argument("--print", action="store_true", help="print the SQL and run nothing")


class _Grant:
    """The work of one call, which prints by the command."""

    def __init__(self, command: NounCommand) -> None:
        self._command = command

    def run(self, options: Options) -> None:
        role = options["role"]
        _check_name(role)
        given = password_from_stdin() if options["password_stdin"] else None
        created = not mta_role.exists(role)
        generated = secrets.token_urlsafe(PASSWORD_OCTETS) if created and given is None else None
        steps = mta_role.steps(role, password=given or generated)
        if options["print"]:
            self._say_sql(role, steps, generated, json=options["json"])
        elif mta_role.apply(steps):
            self._say_done(role, steps, generated, created=created, json=options["json"])
        else:
            self._say_sql(role, steps, generated, json=options["json"])
            raise CommandError(NOT_ALLOWED, returncode=EXIT_REFUSED)

    def _say_sql(self, role: str, steps: Sequence[Step], password: str | None, *, json: bool) -> None:
        if json:
            secret = {"password": password} if password else {}
            self._command.say_json({"role": role, "sql": [step.sql for step in steps], **secret})
            return
        if password:
            self._command.stdout.write(f"-- the password of {role}, shown this once: {password}")
        for step in steps:
            self._command.stdout.write(f"{step.sql};")

    def _say_done(self, role: str, steps: Sequence[Step], password: str | None, *, created: bool, json: bool) -> None:
        if json:
            secret = {"password": password} if password else {}
            changes = [step.change for step in steps]
            self._command.say_json({"role": role, "created": created, "changes": changes, **secret})
            return
        self._command.stdout.write(f"{role}: {'created' if created else 'changed' if steps else 'unchanged'}")
        for step in steps[1 if created else 0 :]:
            self._command.stdout.write(f"  {step.change}")
        if password:
            self._command.stdout.write(f"  password: {password}  (shown this once)")


def _check_name(role: str) -> None:
    if not role or len(role.encode()) > ROLE_OCTETS or "\0" in role or role.startswith("pg_"):
        text = f"--role {role!r}: the name is empty or too long, or begins with pg_"
        raise CommandError(text, returncode=EXIT_USAGE)
    if settings.DATABASE_IS_PRIVATE and role != mta_role.ROLE:
        text = f"--role {role}: the private Postgres lets in {mta_role.ROLE} alone"
        raise CommandError(text, returncode=EXIT_REFUSED)
