"""`fsck`: print where rows, bodies and counters differ, and repair that on demand."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import Error as DjangoDatabaseError

from mailstore import bodies, conf
from mailstore.errors import MailError
from mailstore.integrity import body_adoption
from mailstore.integrity.body_adoption import Adoption
from mailstore.integrity.fsck import Check, Finding
from mailstore.management.progress import Bars, bars
from mailstore.management.shell import EXIT_USAGE, ShellCommand, actor

GOOD = frozenset({"adopted", "adoptable"})  # findings of these kinds need no further action


class Command(ShellCommand):
    help = (
        "Check rows against bodies, and usage against sums. Exit code 1 when something is wrong and was not mended. "
        "A message whose body is lost is named, never removed."
    )
    example = "popadmin fsck --repair"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair", action="store_true", help="set litter aside, mend counters, as root also who owns files"
        )
        parser.add_argument("--deep", action="store_true", help="read every octet of every body")
        parser.add_argument(
            "--destroy",
            type=_count,
            default=None,
            metavar="N",
            help="with --repair: set aside so many bodies without a row, where it refuses to",
        )
        parser.add_argument(
            "--adopt", default=None, metavar="ADDRESS", help="bring bodies without a row back as mail of this mailbox"
        )
        parser.add_argument("--dry-run", action="store_true", help="with --adopt: only say what would come back")
        parser.add_argument("--json", action="store_true", help="print JSON: a list of what is wrong, or was adopted")

    def handle(self, *_args: str, json: bool, **options: Any) -> None:
        _require_sense(options)
        left: Counter[str] = Counter()
        with bars() as shown:
            findings = _whole(_counted(_findings(options, shown), left), left)
            if json:
                self.say_json_list(asdict(finding) for finding in findings)
            else:
                self._say(findings, "nothing is wrong" if options["adopt"] is None else "no body is without a row")
        if left:
            raise CommandError(", ".join(f"{kind}: {count}" for kind, count in sorted(left.items())))

    def _say(self, findings: Iterator[Finding], nothing: str) -> None:
        finding = None
        for finding in findings:
            mended = " (mended)" if finding.mended and finding.kind not in GOOD else ""
            self.stdout.write(f"{finding.kind}: {finding.subject}: {finding.detail}{mended}")
        if finding is None:
            self.stdout.write(nothing)


def _require_sense(options: dict[str, Any]) -> None:
    """Refuse options that make no sense together."""
    adopts = options["adopt"] is not None
    wrong = {
        "--destroy says how many bodies --repair may set aside: give both": options["destroy"] is not None
        and not options["repair"],
        "--adopt does nothing else: give it without --repair and --deep": adopts
        and (options["repair"] or options["deep"]),
        "--dry-run belongs to --adopt; without --repair nothing is changed anyway": options["dry_run"] and not adopts,
    }
    for text, is_so in wrong.items():
        if is_so:
            raise CommandError(text, returncode=EXIT_USAGE)


def _findings(options: dict[str, Any], shown: Bars) -> Iterator[Finding]:
    store = bodies.from_url(conf.load().mail_store_url)
    if options["adopt"] is None:
        check = Check(
            store,
            deep=options["deep"],
            repair=options["repair"],
            destroy=options["destroy"],
            progress=shown.tell,
        )
        return check.run()
    if options["dry_run"]:
        return map(_as_finding, body_adoption.preview(options["adopt"], store, progress=shown.tell))
    return map(_as_finding, body_adoption.run(options["adopt"], store, actor=actor(), progress=shown.tell))


def _as_finding(one: Adoption) -> Finding:
    if one.why_not is not None:
        return Finding("damaged", one.name, one.why_not)
    kind = "adopted" if one.adopted else "adoptable"
    return Finding(kind, one.name, f"{one.octets} octets, arrived {one.arrived_at:%Y-%m-%d %H:%M}", mended=one.adopted)


def _counted(findings: Iterator[Finding], left: Counter[str]) -> Iterator[Finding]:
    """Yield the findings, and count those that remain wrong."""
    for finding in findings:
        if not finding.mended and finding.kind not in GOOD:
            left[finding.kind] += 1
        yield finding


def _whole(findings: Iterator[Finding], left: Counter[str]) -> Iterator[Finding]:
    """Pass the findings on; what ends the check before its end is the last one, and is raised behind it."""
    try:
        yield from findings
    except (MailError, DjangoDatabaseError) as error:
        left["unfinished"] += 1
        yield Finding("unfinished", "fsck", " ".join(str(error).split()))
        raise


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < len(text) <= 18:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a count: write how many bodies")
