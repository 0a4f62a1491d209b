"""`read-mta-log`: add to the trace what an MTA on this machine rejected, still holds, or returned."""

from __future__ import annotations

import math
import signal
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from mailstore.integrity import heartbeat
from mailstore.management.shell import EXIT_USAGE, ShellCommand
from mailstore.mta_log import log_source
from mailstore.mta_log.log_reader import LogReader, Read

PART = "mta-log"


class Command(ShellCommand):
    help = (
        "Read the log of Postfix or Exim on this machine into the trace: mail that the MTA rejected, that waits in its "
        "queue, and that it returned. It goes on where it ended, and tells nothing twice."
    )
    example = "popadmin read-mta-log --journal --follow"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", metavar="FILE", help="such as /var/log/mail.log; without it, MTA_LOG")
        parser.add_argument(
            "--journal",
            nargs="?",
            const=log_source.POSTFIX_UNITS,
            metavar="UNITS",
            help="read the systemd journal of these units, separated by commas (those of Postfix)",
        )
        parser.add_argument("--follow", action="store_true", help="go on until it is stopped")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        reader = LogReader(log_source.source(_chosen(options)))
        try:
            done = _followed(reader) if options["follow"] else reader.read()
        except OSError as error:
            raise CommandError(f"the log cannot be read: {error}") from error
        if not options["follow"]:
            heartbeat.forget_silent(PART)  # a timer reads now
        if options["json"]:
            self.say_json({"lines": done.lines, "rows": done.rows})
        else:
            self.stdout.write(f"lines read {done.lines}, answers of the MTA {done.rows}")


def _followed(reader: LogReader) -> Read:
    """Read until SIGTERM. The part counts as being at work from the first look that succeeded."""
    stopping, beaten_at = list[int](), -math.inf
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))

    def stop() -> bool:
        nonlocal beaten_at
        if monotonic() - beaten_at >= heartbeat.BEAT_SECONDS:
            beaten_at = monotonic()
            heartbeat.beat(PART)
        return bool(stopping)

    return reader.read(follow=True, stop=stop)


def _chosen(options: dict[str, Any]) -> str:
    if options["file"] and options["journal"]:
        raise CommandError("give FILE or --journal, not both", returncode=EXIT_USAGE)
    if options["journal"]:
        return f"journal:{options['journal']}"
    chosen: str = options["file"] or settings.MTA_LOG
    if not chosen:
        raise CommandError("say which log: FILE, --journal, or the setting MTA_LOG", returncode=EXIT_USAGE)
    return chosen
