"""`sweep`: run one pass of the sweep, or one at each interval until it is stopped."""

from __future__ import annotations

import signal
from argparse import ArgumentTypeError
from dataclasses import asdict
from threading import Event
from time import monotonic
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import close_old_connections

from mailstore import bodies
from mailstore.integrity import heartbeat
from mailstore.management import text_table
from mailstore.management.shell import ShellCommand
from mailstore.retention import sweep

PART = "sweep"
TEND_SECONDS = 60  # an owner hears of a quota crossing within this time; it costs one query of the mailboxes


class Command(ShellCommand):
    help = (
        "Expire mail by its policy. Delete for good what has been in recovery long enough, mailboxes and domains that "
        "were removed long ago, bodies without messages, unfinished drafts and ended web sessions."
    )
    example = "popadmin sweep --dry-run"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what a pass would do now")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("--every", type=_seconds, default=None, metavar="SECONDS", help="go on until SIGTERM")

    def handle(self, *_args: str, dry_run: bool, json: bool, every: int | None, **_options: Any) -> None:
        self.store = bodies.site_store()
        if dry_run:
            self._say(sweep.preview(self.store), json=json)
        elif every is None:
            self._say(sweep.run(self.store), json=json)
            heartbeat.forget_silent(PART)  # a timer makes the passes now
        else:
            with heartbeat.beating(PART):
                self._go_on(every, json=json)

    def _go_on(self, every: int, *, json: bool) -> None:
        """Make a pass now and after each interval. Between two passes, do what cannot wait.

        A failure is printed, and tried again later. A signal ends the loop between two batches.
        """
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_signal: stop.set())
        due = monotonic()
        while not stop.is_set():
            close_old_connections()
            if monotonic() >= due:
                due = monotonic() + every
                self._pass(stop, json=json)
            else:
                self._tend(stop)
            stop.wait(max(0.0, min(TEND_SECONDS, due - monotonic())))

    def _tend(self, stop: Event) -> None:
        try:
            with self.refusals():
                sweep.tend(self.store, stop=stop.is_set)
        except CommandError as error:
            self.stderr.write(f"popadmin: {error}; the next minute tries again")

    def _pass(self, stop: Event, *, json: bool) -> None:
        try:
            with self.refusals():
                self._say(sweep.run(self.store, stop=stop.is_set), json=json)
        except CommandError as error:
            self.stderr.write(f"popadmin: {error}; the next pass tries again")

    def _say(self, swept: sweep.SweepResult, *, json: bool) -> None:
        if json:
            self.say_json(asdict(swept))
            return
        self.stdout.write(
            f"messages {swept.messages}, above the cap {swept.capped}, removed mailboxes {swept.mailboxes}, "
            f"bodies {swept.bodies} ({text_table.about(swept.body_octets)}), "
            f"drafts {swept.drafts}, bodies set aside {swept.quarantined}, "
            f"expired aliases {swept.aliases}, web sessions {swept.sessions}, "
            f"expired {swept.expired} ({text_table.about(swept.expired_octets)}), "
            f"relieved {swept.relieved} ({text_table.about(swept.relieved_octets)}), "
            f"diary rows {swept.diary}, trace rows {swept.trace}, silent devices {swept.silenced}, "
            f"waited for by no device any more {swept.settled}, warnings {swept.warned}, "
            f"bodies read {swept.checked}, damaged {swept.damaged}"
        )


def _seconds(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text[:9]) <= 31_536_000:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a number of seconds, from 1 to 31536000")
