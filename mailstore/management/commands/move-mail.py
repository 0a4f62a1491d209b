"""`move-mail`: move the mail of a mailbox that is still at the old server of its domain. Sign-ins start it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from mailstore.amount_text import MESSAGES, numbered
from mailstore.management.shell import EXIT_USAGE, ShellCommand, password_from_stdin
from mailstore.models import MailboxMove
from mailstore.transfer import mailbox_move


class Command(ShellCommand):
    help = (
        "Move the mail of a mailbox that is marked as still at the old server of its domain, or go on. The first "
        "sign-in does it by itself; nothing is removed there."
    )
    example = "popadmin move-mail ann@example.org --password-stdin < password"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", metavar="ADDRESS")
        parser.add_argument("--password-stdin", action="store_true", help="read the password there from standard input")

    def handle(self, *_args: str, address: str, password_stdin: bool, **_options: Any) -> None:
        if not password_stdin:
            raise CommandError("give the password on the old server with --password-stdin", returncode=EXIT_USAGE)
        move = mailbox_move.run(address, password_from_stdin())
        if move is None:
            self.stdout.write(f"{address}: another process moves it now")
        elif move.state == MailboxMove.State.MOVED:
            self.stdout.write(f"{address}: moved, {numbered(move.messages, *MESSAGES)}")
        else:
            raise CommandError(f"{address} is not moved: {move.get_reason_display()} ({move.detail})")
