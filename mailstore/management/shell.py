"""The base of our commands: exit codes, errors in one line, the actor, and types of arguments."""

from __future__ import annotations

import json
import logging
import os
import pwd
import sys
from argparse import SUPPRESS, ArgumentTypeError
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError, connections

from mailstore.directory import address_error
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.errors import MailError
from mailstore.management import database_away
from mailstore.policy.quota import BadSize, is_no_limit, parse_octets

EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
UNSET = SUPPRESS  # the default of an option that, when not given, is not among the options


class ShellCommand(BaseCommand):
    """A command that ends with 0 done, 1 refused, 2 usage, and says why in one line on stderr.

    Subclasses set `example`, add arguments and do the work in `handle`; they raise Rejected or CommandError.
    """

    example = ""
    requires_system_checks: list[str] = []
    exit_unavailable = EXIT_REFUSED
    silences_log = False  # for a command whose own output says all that the log would

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=f"example: {self.example}", **kwargs)

    def run_from_argv(self, argv: list[str]) -> None:
        """Parse the arguments, run the command, and exit with the code for each expected error."""
        parser = self.create_parser(argv[0], argv[1])
        try:
            options = vars(parser.parse_args(argv[2:]))
        except CommandError as error:
            self._leave(f"{error} (see {parser.prog} --help)".removeprefix("Error: "), EXIT_USAGE)
        try:
            self.execute(*options.pop("args", ()), **options)
        except CommandError as error:
            if options.get("traceback"):
                raise
            self._leave(str(error), error.returncode)
        except KeyboardInterrupt:
            self._leave("interrupted", EXIT_INTERRUPTED)
        except BrokenPipeError:  # the reader of our output has closed the pipe
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        finally:
            connections.close_all()

    def execute(self, *args: Any, **options: Any) -> str | None:
        with _silent_log() if self.silences_log else nullcontext(), self.refusals():
            return super().execute(*args, **options)

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Turn a refusal, a failed store or a failed database into a CommandError with its exit code."""
        try:
            yield
        except Rejected as error:
            raise CommandError(str(error), returncode=EXIT_REFUSED) from error
        except MailError as error:
            raise CommandError(str(error), returncode=self.exit_unavailable) from error
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(_what_to_do(error), returncode=self.exit_unavailable) from error

    def _leave(self, text: str, code: int) -> NoReturn:
        self.stderr.write(f"popadmin: {' '.join(text.split())}")
        sys.exit(code)

    def say_json(self, value: object) -> None:
        self.stdout.write(json.dumps(value, ensure_ascii=False, default=str))

    def say_json_list(self, rows: Iterable[object]) -> None:
        """Write one JSON array, row by row, so that a long one needs little memory. An error still closes it."""
        mark = "["
        try:
            for row in rows:
                self.stdout.write(mark + json.dumps(row, ensure_ascii=False, default=str), ending="")
                mark = ",\n "
        except BaseException:
            if mark != "[":
                self.stdout.write("]")
            raise
        self.stdout.write("]" if mark != "[" else "[]")


def actor() -> Actor:
    """Return the actor of a command: the system user who runs it."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container, the user may have no name
        name = f"uid {os.getuid()}"
    return Actor(name, "shell")


def password_from_stdin() -> str:
    """Return the line on standard input for --password-stdin, without its line end."""
    return line_from_stdin("--password-stdin")


def line_from_stdin(option: str) -> str:
    """Return the line on standard input that an option asks for, without its line end."""
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise CommandError(f"{option} was given, but standard input is empty", returncode=EXIT_USAGE)
    return line


def size(text: str) -> int | None:
    """Read an argument such as 2GB, 500MB, 10B, or none. Returns octets, or None."""
    try:
        return parse_octets(text)
    except BadSize as error:
        raise ArgumentTypeError(address_error.size_sentence(error)) from error


def count(text: str) -> int | None:
    """Read an argument that is a whole number from 0 up, or none."""
    if is_no_limit(text):
        return None
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a count: write a whole number from 0 up, or none")


def switch(parser: CommandParser, name: str, on: str, off: str, *, help: str) -> None:
    """Add a pair of options that set `name` to true or false. If neither is given, it is not among the options."""
    pair = parser.add_mutually_exclusive_group()
    pair.add_argument(on, dest=name, action="store_true", default=UNSET, help=help)
    pair.add_argument(off, dest=name, action="store_false", default=UNSET, help=f"the opposite of {on}")


@contextmanager
def _silent_log() -> Iterator[None]:
    log = logging.getLogger("popadmin")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)


def _what_to_do(error: Exception) -> str:
    if isinstance(error, ProgrammingError):
        return f"the database is not ready for this version: run the command migrate first ({error})"
    if isinstance(error, OperationalError | InterfaceError):
        return database_away.remedy()
    return f"the database refused: {error}"
