"""`mta setup`: write the configuration of the MTA, or print what would change."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from functools import partial

from django.core.management.base import CommandParser

from mailstore.management.mta import target
from mailstore.management.noun_verb import NounCommand, Options, Verb
from mailstore.management.shell import actor, password_from_stdin
from mailstore.mta import database_role, last_check, next_steps, setup, site_server, socket_address
from mailstore.mta.mail_server import SUBMISSION, SUBMISSIONS, Choices, Dkim, Recipients

NONE = "none"


def verb(command: NounCommand) -> Verb:
    return Verb(
        "setup",
        "Write the configuration of the MTA. What was there is kept, and `undo` brings it back.",
        "popadmin mta setup postfix --dry-run",
        _arguments,
        _Setup(command).run,
    )


def _arguments(parser: CommandParser) -> None:
    target.add_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="print a diff, and change nothing")
    parser.add_argument("--replace", action="store_true", help="also replace what somebody else has set; it is kept")
    parser.add_argument("--password-stdin", action="store_true", help="read the password of the role popadmin_mta")
    parser.add_argument("--new-password", action="store_true", help="give that role a new password")
    parser.add_argument(
        "--recipients",
        choices=[*Recipients],
        default=Recipients.LOOKUP.value,
        help="ask the database who exists, or LMTP, which also knows who is full",
    )
    parser.add_argument("--dkim", choices=[*Dkim], default=Dkim.NONE.value, help="who signs what leaves")
    parser.add_argument(
        "--srs", action="store_true", help="rewrite the senders of forwarded mail; Postfix needs postsrsd for it"
    )
    port = "a port, ADDRESS:PORT, or none"
    parser.add_argument("--submission", type=_port, default=SUBMISSION, metavar="PORT", help=f"STARTTLS: {port}")
    parser.add_argument("--submissions", type=_port, default=SUBMISSIONS, metavar="PORT", help=f"TLS at once: {port}")


class _Setup:
    """The work of one call, which prints by the command."""

    def __init__(self, command: NounCommand) -> None:
        self._command = command

    def run(self, options: Options) -> None:
        mta = target.chosen(options)
        known = None if options["new_password"] else mta.kind.password(mta.directory)
        password = password_from_stdin() if options["password_stdin"] else known
        lines = setup.preview(
            mta.kind.setup(mta.directory),
            mta.server(password or database_role.PLACEHOLDER),
            _choices(options),
            may_replace=options["replace"],
        )
        if options["dry_run"]:
            self._say({"diff": lines}, lines or ["nothing would change"], options)
        elif password:
            self._set_up(mta, options, password)
        else:  # the role changes once the MTA has accepted its files
            made = database_role.new_password(may_change=options["new_password"])
            self._set_up(mta, options, made, accepted=partial(database_role.give, made))

    def _set_up(
        self, mta: target.Target, options: Options, password: str, accepted: Callable[[], None] | None = None
    ) -> None:
        server, choices = mta.server(password), _choices(options)
        former_hostname = mta.kind.view(mta.directory).hostname
        done = setup.run(
            mta.kind.setup(mta.directory), server, choices, may_replace=options["replace"], accepted=accepted
        )
        files, folders = [str(path) for path in done.files], [str(path) for path in done.folders]
        if files or last_check.last().mta != mta.name:
            last_check.note_setup(mta.name, files, actor=actor())
        steps = list(
            next_steps.steps(
                server,
                choices,
                mta.kind.sockets(mta.directory),
                former_hostname=former_hostname,
                needs_postsrsd=mta.kind.needs_postsrsd,
                leads_elsewhere=site_server.alias_elsewhere() is not None,
                is_running=done.is_reloaded or mta.kind.is_running(mta.directory),
            )
        )
        lines = [*(f"wrote {file}" for file in files), *(f"made {folder}" for folder in folders)] or ["unchanged"]
        values = {"mta": mta.name, "wrote": files, "made": folders, "reloaded": done.is_reloaded, "next": steps}
        self._say(values, [*lines, *steps], options)

    def _say(self, values: dict[str, object], lines: list[str], options: Options) -> None:
        if options["json"]:
            self._command.say_json(values)
        else:
            self._command.stdout.write("\n".join(lines))


def _choices(options: Options) -> Choices:
    return Choices(
        recipients=Recipients(options["recipients"]),
        dkim=Dkim(options["dkim"]),
        srs=options["srs"],
        submission=options["submission"],
        submissions=options["submissions"],
    )


def _port(text: str) -> str | None:
    """Read a port, ADDRESS:PORT or none."""
    if text == NONE:
        return None
    try:
        socket_address.parse(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no port, no ADDRESS:PORT, and not none") from error
    return text
