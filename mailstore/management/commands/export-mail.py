"""`export-mail`: write the mail of a mailbox as a Maildir or an mbox."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from mailstore.amount_text import numbered
from mailstore.management.progress import bars
from mailstore.management.shell import ShellCommand, actor
from mailstore.transfer import mail_export


class Command(ShellCommand):
    help = (
        "Write the mail of a mailbox below a folder, with its arrival dates and UIDLs, as import-mail reads it. "
        "A Maildir that an earlier run began is completed."
    )
    example = "popadmin export-mail ann@example.org /srv/export/ann"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", metavar="ADDRESS")
        parser.add_argument("folder", metavar="DIR", type=Path)
        parser.add_argument("--format", choices=mail_export.FORMATS, default="maildir", help="default: maildir")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_args: str, address: str, folder: Path, json: bool, **options: Any) -> None:
        with bars() as progress:
            done = mail_export.run(
                address, folder, actor=actor(), kind=options["format"], progress=progress.show, warn=self._warn
            )
        if json:
            self.say_json(asdict(done))
        else:
            self.stdout.write(f"{address}: exported {done.exported}, already there {done.present}")
        if done.lost:
            raise CommandError(f"{numbered(done.lost, 'message is', 'messages are')} lost: fsck names them")

    def _warn(self, text: str) -> None:
        self.stderr.write(f"popadmin: {text}")
