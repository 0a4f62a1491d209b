"""`import-mail`: import a Maildir or an mbox into a mailbox. A second run imports only what is new."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from mailstore.management.progress import bars
from mailstore.management.shell import ShellCommand, actor
from mailstore.transfer import mail_import


class Command(ShellCommand):
    help = (
        "Import a Maildir or an mbox with its arrival dates and UIDLs. A second run imports nothing twice; one that "
        "was interrupted goes on. The quota does not apply."
    )
    example = "popadmin import-mail ann@example.org /srv/old/ann/Maildir"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", metavar="ADDRESS")
        parser.add_argument("path", metavar="PATH", type=Path)
        parser.add_argument(
            "--format", choices=mail_import.FORMATS, default=None, help="default: a folder is a Maildir"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_args: str, address: str, path: Path, json: bool, **options: Any) -> None:
        logging.getLogger("popadmin").setLevel(logging.CRITICAL)  # errors are printed once, below
        with bars() as progress:
            done = mail_import.run(
                address, path, actor=actor(), kind=options["format"], progress=progress.show, warn=self._warn
            )
        if json:
            self.say_json(asdict(done))
        else:
            self.stdout.write(f"{address}: imported {done.imported}, already there {done.present}")
            if done.refused:
                self.stdout.write(f"  not imported, compressed or encrypted: {_listed(done.refused)}")
            if done.passed_over:
                self.stdout.write(f"  skipped, as it is not mail: {_listed(done.passed_over)}")
            if done.over_quota:
                self.stdout.write("  the mailbox is now above its quota")
        if done.failed or done.refused:
            count = done.failed + sum(done.refused.values())
            raise CommandError(f"{count} {'message' if count == 1 else 'messages'} could not be read")

    def _warn(self, text: str) -> None:
        self.stderr.write(f"popadmin: {text}")


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
