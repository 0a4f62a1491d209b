"""`recover`: list and restore removed mail, or delete it for good, by count and date. It shows no content."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import F
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from mailstore.directory import mailbox_lookup, row_json
from mailstore.management import text_table
from mailstore.management.noun_verb import NounCommand, Options, Verb
from mailstore.management.shell import EXIT_USAGE, actor
from mailstore.messages import recovery
from mailstore.messages.recovery import Choice

HEADINGS = ("LEFT", "WHY", "BY", "SIZE", "ARRIVED", "UIDL")


class Command(NounCommand):
    help = "List and restore removed mail, or delete it for good."
    example = "popadmin recover restore ann@example.org --since '2026-03-01 14:00'"

    def verbs(self) -> tuple[Verb, ...]:
        return (
            Verb(
                "list",
                "List the mail in recovery, the last removed first.",
                "popadmin recover list ann@example.org --newest 20",
                _list_arguments,
                self.listing,
            ),
            Verb(
                "restore",
                "Put messages back into the live mailbox.",
                "popadmin recover restore ann@example.org --since '2026-03-01 14:00'",
                _restore_arguments,
                self.restore,
            ),
            Verb(
                "purge",
                "Delete messages in recovery for good, before their time.",
                "popadmin recover purge ann@example.org --all",
                _chosen_arguments,
                self.purge,
            ),
        )

    def listing(self, options: Options) -> None:
        resting = recovery.resting(mailbox_lookup.get(options["address"]), _choice(options))
        rows = resting.annotate(by=F("removed_by__name")).defer("prefix")
        if options["json"]:
            self.say_json_list(row_json.removed_messages(rows.iterator()))
            return
        for line in text_table.lines(
            HEADINGS, (_cells(values) for values in row_json.removed_messages(rows.iterator()))
        ):
            self.stdout.write(line)

    def restore(self, options: Options) -> None:
        done = recovery.restore(
            options["address"],
            _named(options),
            actor=actor(),
            devices=options["device"],
            new_uidls=options["send_again"],
        )
        if options["json"]:
            self.say_json(
                {"restored": done.messages, "octets": done.octets, "above_quota": done.above_quota}
                | {"address": options["address"]}
            )
            return
        self.stdout.write(f"{options['address']}: restored {done.messages} ({text_table.about(done.octets)})")
        if done.above_quota:
            self.stdout.write("  the mailbox is now above its quota: it refuses new mail until there is room again")

    def purge(self, options: Options) -> None:
        done = recovery.purge_now(options["address"], _named(options), actor=actor())
        if options["json"]:
            self.say_json({"address": options["address"], "purged": done.messages, "octets": done.octets})
        else:
            self.stdout.write(
                f"{options['address']}: deleted {done.messages} for good ({text_table.about(done.octets)})"
            )


def moment(text: str) -> datetime:
    """Read an argument that is a date, with or without a time. Without a zone it is in that of this machine."""
    try:
        day = parse_date(text)
        at = datetime.combine(day, datetime.min.time()) if day else parse_datetime(text)
    except ValueError:
        at = None
    if at is None:
        raise ArgumentTypeError(f"{text!r} is not a moment: write 2026-03-01, or '2026-03-01 14:00'")
    return timezone.make_aware(at) if timezone.is_naive(at) else at


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text[:18]) == int(text):
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a number of messages, from 1 up")


def _list_arguments(parser: CommandParser) -> None:
    parser.add_argument("address", metavar="ADDRESS")
    parser.add_argument("--since", type=moment, metavar="TIME", help="what was removed then or later")
    parser.add_argument("--until", type=moment, metavar="TIME", help="what was removed before then")
    parser.add_argument("--newest", type=_number, metavar="N", help="of these, the N that were removed last")


def _chosen_arguments(parser: CommandParser) -> None:
    _list_arguments(parser)
    parser.add_argument("--all", action="store_true", help="everything in recovery")


def _restore_arguments(parser: CommandParser) -> None:
    _chosen_arguments(parser)
    parser.add_argument(
        "--device", action="append", metavar="NAME", help="only this device sees it (again for more than one)"
    )
    parser.add_argument(
        "--send-again", action="store_true", help="under a new UIDL: mail programs that had it fetch it once more"
    )


def _choice(options: Options) -> Choice:
    return Choice(since=options["since"], until=options["until"], newest=options["newest"])


def _named(options: Options) -> Choice:
    """Return the choice. Refuse an empty one, so that a forgotten option does not restore or delete everything."""
    choice = _choice(options)
    if (choice == recovery.ALL) is not options["all"]:
        raise CommandError("say which: --all, or any of --since, --until and --newest", returncode=EXIT_USAGE)
    return choice


def _cells(values: dict[str, Any]) -> tuple[object, ...]:
    return (
        (values["removed_at"] or "-")[:16],
        values["why"],
        text_table.dash(values["by"]),
        text_table.about(values["octets"]),
        values["arrived_at"][:16],
        values["uidl"],
    )
