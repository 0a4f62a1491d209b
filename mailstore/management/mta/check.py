"""`mta check`: try the way of the mail for real, and print a line each, with the remedy."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from django.core.management.base import CommandError, CommandParser

from mailstore import conf
from mailstore.management.mta import target
from mailstore.management.noun_verb import NounCommand, Options, Verb
from mailstore.management.shell import EXIT_USAGE, actor, password_from_stdin
from mailstore.mta import check_text, examination, probe_mailboxes
from mailstore.mta.checks.result import Result, State
from mailstore.mta.checks.subject import Probe

_MARKS = {State.GOOD: "good   ", State.BAD: "BAD    ", State.SKIPPED: "skipped"}
_INDENT = " " * 8


def verb(command: NounCommand) -> Verb:
    return Verb(
        "check",
        "Try the way of the mail for real: a line each, with the remedy. Exit code 1 when something is wrong.",
        "popadmin mta check",
        _arguments,
        _Check(command).run,
    )


def _arguments(parser: CommandParser) -> None:
    target.add_arguments(parser)
    parser.add_argument("--domain", metavar="DOMAIN", help="where the check makes its mailboxes; default: any domain")
    parser.add_argument("--mailbox", metavar="ADDRESS", help="use this mailbox, and make none")
    parser.add_argument("--password-stdin", action="store_true", help="read the password of --mailbox")


class _Check:
    """The work of one call, which prints by the command."""

    def __init__(self, command: NounCommand) -> None:
        self._command = command

    def run(self, options: Options) -> None:
        mta = target.chosen(options)
        found = []
        with _probe(options) as probe:
            view, server = mta.kind.view(mta.directory), mta.server(None)
            for result in examination.run(conf.load(), server, view, probe):
                found.append(result)
                if not options["json"]:
                    self._say(result)
        if options["json"]:
            self._command.say_json_list(map(_values, found))
        if number := sum(result.state is State.BAD for result in found):
            raise CommandError(f"{number} of {len(found)} checks failed")

    def _say(self, result: Result) -> None:
        fault, remedy = check_text.fault(result), check_text.remedy(result)
        lines = [f"{_MARKS[result.state]} {check_text.name(result)}{f': {fault}' if fault else ''}"]
        lines += [f"{_INDENT}{line}" for line in result.said.splitlines()]
        lines += [f"{_INDENT}-> {remedy}"] if remedy else []
        self._command.stdout.write("\n".join(lines))


def _probe(options: Options) -> AbstractContextManager[Probe | None]:
    """Return the mailbox of the option, or one that is made for the check."""
    if options["mailbox"] is None:
        return probe_mailboxes.probe(options["domain"], actor=actor())
    if not options["password_stdin"]:
        raise CommandError("--mailbox needs --password-stdin", returncode=EXIT_USAGE)
    return nullcontext(probe_mailboxes.existing(options["mailbox"], password_from_stdin()))


def _values(result: Result) -> dict[str, str]:
    return {
        "name": result.name,
        "state": result.state.value,
        "check": check_text.name(result),
        "fault": check_text.fault(result),
        "said": result.said,
        "remedy": check_text.remedy(result),
    }
