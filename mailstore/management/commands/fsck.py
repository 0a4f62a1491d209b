"""`fsck`: prints what is wrong between rows, bodies and counters, and repairs what may be repaired on demand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from mailstore import bodies, conf
from mailstore.management.progress import bars
from mailstore.management.shell import ShellCommand
from mailstore.store.fsck import Check, Finding


class Command(ShellCommand):
    help = (
        "Check rows against bodies, and usage against sums. Exit code 1 when something is wrong and was not mended. "
        "A message whose body is lost is named, never removed."
    )
    example = "popadmin fsck --repair"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="clear litter and mend counters")
        parser.add_argument("--deep", action="store_true", help="read every octet of every body")
        parser.add_argument("--json", action="store_true", help="print JSON: a list of what is wrong")

    def handle(self, *_args: str, repair: bool, deep: bool, json: bool, **_options: Any) -> None:
        left: Counter[str] = Counter()
        with bars() as shown:
            store = bodies.from_url(conf.load().mail_store_url)
            findings = _counted(Check(store, deep=deep, repair=repair, progress=shown.tell).run(), left)
            if json:
                self.say_json_list(asdict(finding) for finding in findings)
            else:
                self._say(findings)
        if left:
            raise CommandError(", ".join(f"{kind}: {count}" for kind, count in sorted(left.items())))

    def _say(self, findings: Iterator[Finding]) -> None:
        finding = None
        for finding in findings:
            mended = " (mended)" if finding.mended else ""
            self.stdout.write(f"{finding.kind}: {finding.subject}: {finding.detail}{mended}")
        if finding is None:
            self.stdout.write("nothing is wrong")


def _counted(findings: Iterator[Finding], left: Counter[str]) -> Iterator[Finding]:
    """Pass the findings on, counting those that stay."""
    for finding in findings:
        if not finding.mended:
            left[finding.kind] += 1
        yield finding
