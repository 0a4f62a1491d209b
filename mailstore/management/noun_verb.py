"""Run commands of the form NOUN VERB: their table of verbs, and how they print what they changed or removed."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.management.base import CommandParser
from django.db.models import Model

from mailstore.directory.outcome import Ensured
from mailstore.management.shell import ShellCommand
from mailstore.policy.addresses import both_names

Row = TypeVar("Row", bound=Model)
Options = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of a noun. `arguments` declares its options, `run` gets the given ones."""

    name: str
    help: str
    example: str
    arguments: Callable[[CommandParser], None]
    run: Callable[[Options], None]


def removal_text(values: Mapping[str, Any]) -> str:
    """Return the state of a removed row for a table; empty if the row is not removed."""
    return f"removed, kept until {values['kept_until'][:10]}" if values["kept_until"] else ""


class NounCommand(ShellCommand):
    """A command whose first argument is a verb."""

    def verbs(self) -> tuple[Verb, ...]:
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        choice = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        for verb in self.verbs():
            sub: CommandParser = choice.add_parser(
                verb.name,
                help=verb.help,
                description=verb.help,
                epilog=f"example: {verb.example}",
                formatter_class=RawDescriptionHelpFormatter,
            )
            verb.arguments(sub)
            sub.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_args: str, **options: Any) -> None:
        verb = next(verb for verb in self.verbs() if verb.name == options["verb"])
        verb.run(options)

    def say_ensured(self, name: str, done: Ensured[Row], *, json: bool) -> None:
        """Print what `ensure` did. A generated password is shown only here."""
        if json:
            changes = {field: {"old": old, "new": new} for field, (old, new) in done.changes.items()}
            secret = {"password": done.secret} if done.secret else {}
            self.say_json({"name": name, "created": done.created, "changes": changes, **secret})
            return
        self.stdout.write(
            f"{both_names(name)}: {'created' if done.created else 'changed' if done.changes else 'unchanged'}"
        )
        for field, (old, new) in done.changes.items():
            self.stdout.write(f"  {field.replace('_', ' ')}: {old} -> {new}")
        if done.secret:
            self.stdout.write(f"  password: {done.secret}  (shown this once)")
