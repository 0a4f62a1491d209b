"""`device`: add, list, change and revoke device passwords."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from mailstore.directory import devices, row_json
from mailstore.directory.fields.mailbox import DEVICE, NO_POP
from mailstore.management import text_table
from mailstore.management.field_options import add_field_options
from mailstore.management.noun_verb import NounCommand, Options, Verb
from mailstore.management.shell import actor
from mailstore.models import Device
from mailstore.policy.device_secret import shown

HEADINGS = ("DEVICE", "MODE", "SENDS", "HIDDEN", "LAST SIGN-IN", "FROM", "MADE")
YES, NO = "yes", "no"


class Command(NounCommand):
    help = "Manage device passwords."
    example = "popadmin device add ann@example.org 'Office PC'"

    def verbs(self) -> tuple[Verb, ...]:
        return (
            Verb(
                "add",
                "Add a device and show its password once.",
                "popadmin device add ann@example.org Phone --start 30d",
                _add_arguments,
                self.add,
            ),
            Verb(
                "list",
                "List the devices of a mailbox, the main password first.",
                "popadmin device list ann@example.org",
                _address,
                self.listing,
            ),
            Verb(
                "mode",
                "Choose what deleting does in a device's view; none: the main password no longer signs in to POP.",
                "popadmin device mode ann@example.org main primary",
                _mode_arguments,
                self.mode,
            ),
            Verb(
                "send",
                "Choose whether a device's password may send mail.",
                "popadmin device send ann@example.org Phone yes",
                _send_arguments,
                self.send,
            ),
            Verb(
                "revoke",
                "Revoke a device: its password no longer signs in.",
                "popadmin device revoke ann@example.org Phone",
                _name,
                self.revoke,
            ),
        )

    def add(self, options: Options) -> None:
        address = options["address"]
        before = _main_mode(address)
        device, secret = devices.add(
            address,
            options["name"],
            actor=actor(),
            mode=options["mode"],
            start=options["start"],
            kind=options["kind"],
            may_send=options.get("may_send", False),
        )
        if options["json"]:
            self.say_json(row_json.device(device) | {"password": shown(secret)})
            return
        self.stdout.write(f"{address}: device {device.name} added ({device.mode})")
        self.stdout.write(f"  password: {shown(secret)}  (shown this once)")
        self._say_main_mode(address, before)

    def listing(self, options: Options) -> None:
        rows = (row_json.device(device) for device in devices.listing(options["address"]))
        if options["json"]:
            self.say_json_list(rows)
            return
        for line in text_table.lines(HEADINGS, (_cells(values) for values in rows)):
            self.stdout.write(line)

    def mode(self, options: Options) -> None:
        address, mode = options["address"], options["mode"]
        device = devices.set_mode(address, options["name"], mode, actor=actor())
        if options["json"]:
            self.say_json({"address": address, "name": device.name, "mode": mode})
        elif mode == NO_POP:
            self.stdout.write(f"{address}: the main password can no longer sign in to POP")
        else:
            self.stdout.write(f"{address}: device {device.name} is {Device.Mode(mode).label}")

    def send(self, options: Options) -> None:
        address, may_send = options["address"], options["may_send"] == YES
        device = devices.set_may_send(address, options["name"], may_send, actor=actor())
        if options["json"]:
            self.say_json({"address": address, "name": device.name, "may_send": may_send})
        else:
            self.stdout.write(f"{address}: device {device.name} {'may' if may_send else 'may not'} send mail")

    def revoke(self, options: Options) -> None:
        address = options["address"]
        before = _main_mode(address)
        device = devices.revoke(address, options["name"], actor=actor())
        if options["json"]:
            self.say_json({"address": address, "name": device.name, "revoked": True})
            return
        self.stdout.write(f"{address}: device {device.name} revoked")
        self._say_main_mode(address, before)

    def _say_main_mode(self, address: str, before: str) -> None:
        """Say if the mode of the main view changed, since its DELE then does something else."""
        now = _main_mode(address)
        if now != before:
            self.stdout.write(f"  the main password's view is {Device.Mode(now).label}")
            if now == Device.Mode.INDEPENDENT:
                self.stdout.write(
                    f"  (so that no device takes mail from another; else: device mode {address} main primary)"
                )


def _address(parser: CommandParser) -> None:
    parser.add_argument("address", metavar="ADDRESS")


def _name(parser: CommandParser) -> None:
    _address(parser)
    parser.add_argument("name", metavar="NAME")


def _mode_arguments(parser: CommandParser) -> None:
    _name(parser)
    parser.add_argument("mode", metavar="MODE", choices=[*Device.Mode.values, NO_POP])


def _send_arguments(parser: CommandParser) -> None:
    _name(parser)
    parser.add_argument("may_send", metavar="yes|no", choices=[YES, NO])


def _add_arguments(parser: CommandParser) -> None:
    _name(parser)
    defaults = {"mode": Device.Mode.INDEPENDENT.value, "start": devices.STARTS[0], "kind": Device.Kind.OTHER.value}
    add_field_options(parser, DEVICE, defaults=defaults)


def _main_mode(address: str) -> str:
    return next(device.mode for device in devices.listing(address) if device.main)


def _cells(values: dict[str, Any]) -> tuple[object, ...]:
    return (
        values["name"],
        values["mode"],
        YES if values["may_send"] else NO,
        values["hidden_messages"],
        text_table.dash(values["last_sign_in_at"]),
        text_table.dash(values["last_client"]),
        values["created_at"][:10],
    )
