"""Turn the fields of a table into options of a command, and into values for its `ensure`."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from mailstore.directory import address_error, domains, policies
from mailstore.directory.fields.field import Field, Kind, Surface, Table, end_of_day
from mailstore.directory.outcome import Rejected
from mailstore.management.shell import UNSET, count, size, switch
from mailstore.policy import old_server
from mailstore.policy.old_server import BadOldServer
from mailstore.policy.quota import BARE_OCTETS, format_octets


def add_field_options(parser: CommandParser, table: Table, *, defaults: Mapping[str, Any] | None = None) -> None:
    """Add an option for each field that the shell sets. One that is not given is UNSET, or has its default."""
    for field in table.on(Surface.SHELL):
        _add(parser, field, (defaults or {}).get(field.name, UNSET))
    if table.names(Kind.SIZE):
        parser.add_argument("--small-sizes", action="store_true", help="a size below 1 MB is meant")
    if table.names(Kind.POLICY):
        parser.add_argument(
            "--policy-at-once", action="store_true", help="also for mail that is already there, at the next sweep"
        )


def field_values(options: Mapping[str, Any], table: Table) -> dict[str, Any]:
    """Return the fields that were given, for `ensure`.

    Rejected where a policy or domain is not there, and for a size below 1 MB that is not confirmed.
    """
    given = [field for field in table.on(Surface.SHELL) if field.name in options]
    values = {field.name: _value(field, options[field.name]) for field in given}
    for field in given:
        if field.kind is Kind.SIZE and not options["small_sizes"]:
            _refuse_small(field, values[field.name])
    if any(field.kind is Kind.POLICY for field in given):
        values["policy_at_once"] = options["policy_at_once"]
    return values


def _add(parser: CommandParser, field: Field, default: Any) -> None:
    help = field.option_help or None
    if field.kind is Kind.SWITCH:
        switch(parser, field.name, *field.shell_options, help=help or "")
    elif field.kind is Kind.CHOICE:
        parser.add_argument(*field.shell_options, dest=field.name, choices=field.choices, default=default, help=help)
    elif field.kind is Kind.ADDRESSES:
        parser.add_argument(
            *field.shell_options, dest=field.name, action="append", default=[], metavar="NAME", help=help
        )
    else:
        kind, metavar = _TYPES[field.kind]
        parser.add_argument(
            *field.shell_options, dest=field.name, type=kind, default=default, metavar=metavar, help=help
        )


def _refuse_small(field: Field, octets: int | None) -> None:
    if octets is not None and octets < BARE_OCTETS:
        raise Rejected(
            f"{field.shell_options[0]} {format_octets(octets)} is below 1 MB: add --small-sizes if it is meant",
            field=field.name,
        )


def _value(field: Field, given: Any) -> Any:
    look_up = _LOOK_UPS.get(field.kind)
    return given if given is None or look_up is None else look_up(given)


def _days(text: str) -> int:
    found = count(text)
    if found is None:
        raise ArgumentTypeError(f"{text!r} is not a number of days")
    return found


def _last_day(text: str) -> datetime | None:
    """Read a day, or none; return the end of the day in the time zone of the site."""
    if text.strip().lower() == policies.NONE:
        return None
    try:
        return end_of_day(text.strip())
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a date: write it as 2027-12-31, or none") from error


def _server(text: str) -> str | None:
    if text.strip().lower() == policies.NONE:
        return None
    try:
        return old_server.parse(text).url
    except BadOldServer as error:
        raise ArgumentTypeError(address_error.server_sentence(text)) from error


def _name(text: str) -> str | None:
    return None if text.strip().lower() == policies.NONE else text


_TYPES: dict[Kind, tuple[Callable[[str], Any], str | None]] = {
    Kind.TEXT: (str, None),
    Kind.SIZE: (size, "SIZE|none"),
    Kind.COUNT: (count, "N|none"),
    Kind.DAYS: (_days, "DAYS"),
    Kind.DAYS_OR_NEVER: (count, "DAYS|none"),
    Kind.POLICY: (_name, "NAME|none"),
    Kind.DOMAIN: (_name, "NAME|none"),
    Kind.SERVER: (_server, "URL|none"),
    Kind.LAST_DAY: (_last_day, "DATE|none"),
}
_LOOK_UPS: dict[Kind, Callable[[str], Any]] = {Kind.POLICY: policies.get, Kind.DOMAIN: domains.get}
