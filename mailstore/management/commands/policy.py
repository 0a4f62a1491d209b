"""`policy`: create, list, show and remove retention policies, and preview what they would remove."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from mailstore.amount_text import MAILBOXES, MESSAGES, numbered
from mailstore.directory import policies, row_json
from mailstore.directory.fields.policy import POLICY
from mailstore.management import text_table
from mailstore.management.field_options import add_field_options, field_values
from mailstore.management.noun_verb import NounCommand, Options, Verb
from mailstore.management.shell import actor
from mailstore.models import RetentionPolicy
from mailstore.policy.quota import format_octets
from mailstore.policy.retention import HORIZON_DAYS, Forecast, Leaving
from mailstore.retention import forecast

HEADINGS = ("POLICY", "EXPIRES", "AFTER ALL HAVE IT", "WHEN ALL HAVE IT", "RELIEF", "RECOVERY", "DOMAINS", "MAILBOXES")


class Command(NounCommand):
    help = "Manage retention policies: how long mail stays."
    example = "popadmin policy ensure short --expire 30 --dry-run"

    def verbs(self) -> tuple[Verb, ...]:
        return (
            Verb(
                "ensure",
                "Create a policy if it does not exist, and set the given fields. Old mail is spared unless --at-once.",
                "popadmin policy ensure short --expire 30 --recovery 14 --dry-run",
                _ensure_arguments,
                self.ensure,
            ),
            Verb("list", "List the policies.", "popadmin policy list --json", _nothing, self.listing),
            Verb("show", "Show one policy.", "popadmin policy show short", _name, self.show),
            Verb("remove", "Remove a policy that nothing follows.", "popadmin policy remove short", _name, self.remove),
        )

    def ensure(self, options: Options) -> None:
        fields = field_values(options, POLICY)
        which = {"at_once": options["at_once"], **fields}
        if options["dry_run"]:
            self._say_forecast(forecast.of_policy(policies.plan(options["name"], **which)), options)
            return
        done = policies.ensure(options["name"], actor=actor(), **which)
        self.say_ensured(done.row.name, done, json=options["json"])

    def listing(self, options: Options) -> None:
        rows = row_json.policies(RetentionPolicy.objects.order_by("-site", "name"))
        if options["json"]:
            self.say_json_list(rows)
            return
        for line in text_table.lines(HEADINGS, (_cells(values) for values in rows)):
            self.stdout.write(line)

    def show(self, options: Options) -> None:
        (values,) = row_json.policies(RetentionPolicy.objects.filter(pk=policies.get(options["name"]).pk))
        if options["json"]:
            self.say_json(values)
            return
        for name, value in values.items():
            self.stdout.write(f"{name.replace('_', ' ')}: {text_table.dash(value)}")

    def remove(self, options: Options) -> None:
        policies.remove(policies.get(options["name"]).pk, actor=actor())
        if options["json"]:
            self.say_json({"name": options["name"], "removed": True})
        else:
            self.stdout.write(f"{options['name']}: removed")

    def _say_forecast(self, foreseen: Forecast, options: Options) -> None:
        if options["json"]:
            self.say_json(asdict(foreseen))
            return
        for day in foreseen.days:
            self.stdout.write(f"{day.date}: removes {_all_of(day)}")
        self.stdout.write(f"within {HORIZON_DAYS} days: removes {_all_of(foreseen.total)}")
        self.stdout.write(f"with the current rules: {_all_of(foreseen.before)}")
        if foreseen.destroyed.messages:
            self.stdout.write(f"the next sweep deletes from recovery for good: {_all_of(foreseen.destroyed)}")


def _nothing(_parser: CommandParser) -> None:
    """Add no arguments."""


def _name(parser: CommandParser) -> None:
    parser.add_argument("name", metavar="NAME")


def _ensure_arguments(parser: CommandParser) -> None:
    _name(parser)
    add_field_options(parser, POLICY)
    parser.add_argument("--at-once", action="store_true", help="also for mail that is already there, at the next sweep")
    parser.add_argument("--dry-run", action="store_true", help="only say what it would remove, and when")


def _cells(values: dict[str, Any]) -> tuple[object, ...]:
    most = "" if values["recovery_octets"] is None else f", {format_octets(values['recovery_octets'])}"
    return (
        f"{values['name']} (site)" if values["site"] else values["name"],
        _in_days(values["expire_days"]) + (", unfetched too" if values["expire_unfetched"] else ""),
        _in_days(values["expire_confirmed_days"]),
        f"at {values['hold_days']} d" if values["remove_when_confirmed"] else "stays",
        values["relief"],
        f"{values['recovery_days']} d{most}",
        values["domains"],
        values["mailboxes"],
    )


def _in_days(days: int | None) -> str:
    return "never" if days is None else f"{days} d"


def _all_of(going: Leaving) -> str:
    messages, mailboxes = numbered(going.messages, *MESSAGES), numbered(going.mailboxes, *MAILBOXES)
    return f"{messages}, {text_table.about(going.octets)}, in {mailboxes}"
