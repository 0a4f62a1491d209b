"""`fsck`: print where rows, bodies and counters differ, and repair that on demand."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import Error as DjangoDatabaseError

from mailstore import bodies
from mailstore.amount_text import OCTETS, numbered
from mailstore.errors import MailError
from mailstore.integrity import body_adoption
from mailstore.integrity.body_adoption import Adoption
from mailstore.integrity.fsck import Check, Finding
from mailstore.management.progress import Bars, bars
from mailstore.management.shell import EXIT_USAGE, ShellCommand, actor

GOOD = frozenset({"adopted", "adoptable"})  # findings of these kinds need no further action


class Command(ShellCommand):
    help = (
        "Compare rows with bodies, and counters with sums. Exit code 1 when something is wrong and was not repaired. "
        "A message whose body is lost is named, never removed."
    )
    example = "popadmin fsck --repair"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair",
            action="store_true",
            help="set litter aside, correct counters; as root, also the owners of files",
        )
        parser.add_argument("--deep", action="store_true", help="read every octet of every body")
        parser.add_argument(
            "--destroy",
            type=_count,
            default=None,
            metavar="N",
            help="with --repair: set so many bodies without a row aside, although it would refuse to",
        )
        parser.add_argument(
            "--adopt", default=None, metavar="ADDRESS", help="bring bodies without a row back as mail of this mailbox"
        )
        parser.add_argument("--dry-run", action="store_true", help="with --adopt: only say what would come back")
        parser.add_argument("--json", action="store_true", help="print JSON: a list of what is wrong, or was adopted")

    def handle(self, *_args: str, json: bool, **options: Any) -> None:
        _refuse_bad_options(options)
        left: Counter[str] = Counter()
        with bars() as progress:
            findings = _whole(_counted(_findings(options, progress), left), left)
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


def _refuse_bad_options(options: dict[str, Any]) -> None:
    """Refuse options that do not go together."""
    adopts = options["adopt"] is not None
    wrong = {
        "--destroy says how many bodies --repair may set aside: give both": options["destroy"] is not None
        and not options["repair"],
        "--adopt does nothing else: give it without --repair and --deep": adopts
        and (options["repair"] or options["deep"]),
        "--dry-run belongs to --adopt; without --repair nothing is changed anyway": options["dry_run"] and not adopts,
    }
    for text, applies in wrong.items():
        if applies:
            raise CommandError(text, returncode=EXIT_USAGE)


def _findings(options: dict[str, Any], progress: Bars) -> Iterator[Finding]:
    store = bodies.site_store()
    if options["adopt"] is None:
        check = Check(
            store,
            deep=options["deep"],
            repair=options["repair"],
            destroy=options["destroy"],
            progress=progress.show,
        )
        return check.run()
    if options["dry_run"]:
        return map(_as_finding, body_adoption.preview(options["adopt"], store, progress=progress.show))
    return map(_as_finding, body_adoption.run(options["adopt"], store, actor=actor(), progress=progress.show))


def _as_finding(one: Adoption) -> Finding:
    if one.why_not is not None:
        return Finding("damaged", one.name, one.why_not)
    kind = "adopted" if one.adopted else "adoptable"
    return Finding(
        kind, one.name, f"{numbered(one.octets, *OCTETS)}, arrived {one.arrived_at:%Y-%m-%d %H:%M}", mended=one.adopted
    )


def _counted(findings: Iterator[Finding], left: Counter[str]) -> Iterator[Finding]:
    """Yield the findings, and count those that remain wrong."""
    for finding in findings:
        if not finding.mended and finding.kind not in GOOD:
            left[finding.kind] += 1
        yield finding


def _whole(findings: Iterator[Finding], left: Counter[str]) -> Iterator[Finding]:
    """Yield the findings. An error that interrupts the check is the last finding, and is raised after it."""
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
