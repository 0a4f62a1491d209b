"""`seed`: create a large sample site, to try the panel and to measure."""

from __future__ import annotations

from argparse import ArgumentTypeError
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from mailstore import bodies
from mailstore.amount_text import MAILBOXES, MESSAGES, numbered
from mailstore.directory import new_password
from mailstore.management.progress import bars
from mailstore.management.shell import ShellCommand, actor
from mailstore.transfer import sample_site


class Command(ShellCommand):
    help = (
        "Create a large sample site: domains under .example, mailboxes with one password (printed once), and mail. "
        "For tests and measurements, never beside mailboxes of people."
    )
    example = "popadmin seed --domains 1000 --mailboxes 100000 --messages 5000000"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--domains", type=_some, default=10, metavar="COUNT")
        parser.add_argument("--mailboxes", type=_some, default=1000, metavar="COUNT", help="in all domains together")
        parser.add_argument("--messages", type=_some, default=50_000, metavar="COUNT", help="in all mailboxes, about")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_args: str, json: bool, **options: Any) -> None:
        size = sample_site.Size(options["domains"], max(options["mailboxes"], options["domains"]), options["messages"])
        store, password = bodies.site_store(), new_password.generate()
        with bars() as progress:
            made = sample_site.run(size, store, password=password, actor=actor(), progress=progress.show)
        if json:
            self.say_json({**asdict(made), "password": password})
            return
        counts = (
            numbered(made.domains, "domain", "domains"),
            numbered(made.mailboxes, *MAILBOXES),
            numbered(made.messages, *MESSAGES),
        )
        self.stdout.write(f"created {', '.join(counts)}")
        self.stdout.write(f"  password of every mailbox: {password}")


def _some(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < len(text) <= 9 and int(text):
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a count: write a whole number from 1 up")
