"""`deliver`: hand the message on standard input to the store, and exit with a sysexits code."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import connection

from mailstore.delivery import pipe
from mailstore.errors import (
    AliasOutside,
    MailError,
    MessageTooLarge,
    QuotaDeferred,
    QuotaRejected,
    RecipientDisabled,
    Refused,
    StorageFull,
    UnknownRecipient,
)
from mailstore.management.shell import ShellCommand

# sysexits.h: the codes that MTAs understand
EXIT_UNKNOWN_USER = 67  # EX_NOUSER
EXIT_TRY_AGAIN = 75  # EX_TEMPFAIL
EXIT_REFUSED = 77  # EX_NOPERM
GRAVEST_FIRST = (EXIT_TRY_AGAIN, EXIT_REFUSED, EXIT_UNKNOWN_USER)

# The first match counts. The text may reach the sender in a bounce, so it contains no internal cause.
OUTCOMES: tuple[tuple[type[MailError], int, str], ...] = (
    (UnknownRecipient, EXIT_UNKNOWN_USER, "there is no such mailbox"),
    (RecipientDisabled, EXIT_REFUSED, "the mailbox does not receive"),
    (QuotaRejected, EXIT_REFUSED, "the mailbox is full"),
    (MessageTooLarge, EXIT_REFUSED, "the message is too large"),
    (Refused, EXIT_REFUSED, "the message is refused"),
    (QuotaDeferred, EXIT_TRY_AGAIN, "the mailbox is full, try again later"),
    (StorageFull, EXIT_TRY_AGAIN, "no room is left, try again later"),
    (AliasOutside, EXIT_TRY_AGAIN, "the alias leads elsewhere: let the mail server expand it"),
    (MailError, EXIT_TRY_AGAIN, "try again later"),
)


class Command(ShellCommand):
    help = (
        "Deliver the message on standard input. Exit code 0: delivered to all; 67: an address is unknown; "
        "77: an address refuses it; 75: try again, nothing was delivered."
    )
    example = "popadmin deliver --sender bob@example.com ann@example.org < message.eml"
    silences_log = True
    exit_unavailable = EXIT_TRY_AGAIN

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("addresses", nargs="+", metavar="ADDRESS")
        parser.add_argument(
            "--sender", default="", metavar="ADDRESS", help="the envelope sender; none: the null sender"
        )

    def handle(self, *_args: str, addresses: list[str], sender: str, **_options: Any) -> None:
        connection.ensure_connection()
        outcomes = pipe.deliver(addresses, sys.stdin.buffer, sender=sender)
        failed = [(outcome.address, *_end(outcome.error)) for outcome in outcomes if outcome.error is not None]
        if failed:
            text = "; ".join(f"{address}: {words}" for address, _exit, words in failed)
            raise CommandError(text, returncode=min((code for _to, code, _words in failed), key=GRAVEST_FIRST.index))


def _end(error: MailError) -> tuple[int, str]:
    return next((code, words) for kind, code, words in OUTCOMES if isinstance(error, kind))
