"""`import`: create and change mailboxes, aliases and domains from a file, check it, undo it, take its passwords."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from mailstore.directory.outcome import Rejected
from mailstore.management.progress import bars
from mailstore.management.shell import EXIT_INTERRUPTED, EXIT_REFUSED, EXIT_USAGE, ShellCommand, actor
from mailstore.models import MailboxImport, MailboxImportRow, RetentionPolicy
from mailstore.policy.quota import Reading
from mailstore.transfer import (
    csv_table,
    file_preset,
    mailbox_import,
    mailbox_import_changes,
    mailbox_import_undo,
    password_handout,
)

Fate, Stage = MailboxImportRow.Fate, MailboxImport.Stage
_ENDED = ("rows", "create", "change", "same", "wrong", "due", "full", "nowhere")


class Command(ShellCommand):
    help = (
        "Create and change mailboxes, aliases and domains from a CSV file: ours, PostfixAdmin's, Modoboa's, mailcow's "
        "or cPanel's. Each row is checked before any is imported; correct rows are imported although others are wrong. "
        "Ends with 1 if a row is wrong."
    )
    example = "popadmin import people.csv --dry-run"

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("file", metavar="FILE", type=Path, nargs="?", help="the CSV file")
        what.add_argument("--undo", metavar="NUMBER", type=int, help="undo the import of this number")
        what.add_argument("--resume", metavar="NUMBER", type=int, help="go on with an import that was interrupted")
        what.add_argument(
            "--passwords", metavar="NUMBER", type=int, help="print the generated passwords of an import, once, as CSV"
        )
        parser.add_argument("--dry-run", action="store_true", help="check the rows and change nothing")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("--kind", choices=MailboxImport.Kind.values, help="of the rows; default: by the columns")
        parser.add_argument("--from", dest="program", choices=[*file_preset.PRESETS], help="whose columns they are")
        parser.add_argument(
            "--mode", choices=MailboxImport.Mode.values, default="create", help="what is done (default: create)"
        )
        parser.add_argument("--unit", choices=["B", "MB"], help="the unit of sizes that have none")
        parser.add_argument("--zero", choices=["none", "0B"], help="what a size of 0 or -1 means: no limit, or no mail")
        parser.add_argument("--small-sizes", action="store_true", help="sizes below 1 MB are meant")
        parser.add_argument(
            "--existing-passwords",
            action="store_true",
            help="the passwords existed elsewhere: take weak ones too; then the pages ask for better ones",
        )

    def handle(self, *_args: str, **options: Any) -> None:
        if options["undo"] is not None:
            self._undo(_found(options["undo"]), json=options["json"])
        elif options["resume"] is not None:
            upload = _found(options["resume"])
            if upload.stage != Stage.RUNNING:
                raise Rejected(f"import {upload.pk} was not interrupted")
            _run(upload)
            self._end(upload, imported=True, json=options["json"])
        elif options["passwords"] is not None:
            self._hand_out(_found(options["passwords"]))
        else:
            self._import(options)

    def _import(self, options: dict[str, Any]) -> None:
        upload = mailbox_import.bring_in(_read(options["file"]), options["file"].name, owner=None)
        try:
            self._take(upload, options)
        finally:  # the cells of what is not imported may hold passwords, and nobody comes back for them
            if upload.stage not in (Stage.RUNNING, Stage.DONE):
                upload.delete()

    def _take(self, upload: MailboxImport, options: dict[str, Any]) -> None:
        _choose(upload, options)
        _take_all(upload, "checked")
        counts = mailbox_import.counts(upload)
        runs = not options["dry_run"] and bool(counts["create"] or counts["change"])
        if runs:
            mailbox_import.start(upload)
            upload.refresh_from_db()
            _run(upload)
        self._end(upload, imported=runs, json=options["json"])

    def _end(self, upload: MailboxImport, *, imported: bool, json: bool) -> None:
        """Say what became of the rows. Refused if any is wrong."""
        counts = mailbox_import.counts(upload)
        if json:
            self.say_json(_as_json(upload, counts, imported=imported))
        else:
            self._say(upload, counts, imported=imported)
        if counts["wrong"]:
            raise CommandError(_number(counts["wrong"], "row is", "rows are") + " wrong", returncode=EXIT_REFUSED)

    def _say(self, upload: MailboxImport, counts: dict[str, int], *, imported: bool) -> None:
        for text in _complaints(upload):
            self.stdout.write(text)
        done = "imported" if imported else "checked, nothing is changed"
        self.stdout.write(
            f"{upload.file_name} ({upload.kind}): {done}: {counts['create']} new, {counts['change']} changed, "
            f"{counts['same']} left as they are, {counts['wrong']} wrong"
        )
        if not imported:
            return
        if counts["due"]:
            number = _number(counts["due"], "mailbox has", "mailboxes have")
            self.stdout.write(f"{number} no password yet: popadmin import --passwords {upload.pk} > passwords.csv")
        self.stdout.write(f"to undo it: popadmin import --undo {upload.pk}")

    def _undo(self, upload: MailboxImport, *, json: bool) -> None:
        if not mailbox_import_undo.waiting(upload).exists():
            raise Rejected(f"import {upload.pk} has nothing that can be undone")
        rows = list(mailbox_import_undo.waiting(upload).order_by("line").values_list("pk", flat=True))
        while mailbox_import_undo.step(upload, actor=actor(), domains=None):
            pass
        ended = MailboxImportRow.objects.filter(pk__in=rows).order_by("line")
        if json:
            self.say_json([{"line": row.line, "address": row.address, "result": row.detail} for row in ended])
            return
        for row in ended:
            self.stdout.write(f"line {row.line}, {row.address}: {row.detail}")

    def _hand_out(self, upload: MailboxImport) -> None:
        given = password_handout.hand_out(upload, actor=actor(), domains=None)
        if not given:
            raise Rejected("all passwords of this import have already been taken")
        for line in csv_table.write(["address", "password"], given):
            self.stdout.write(line.decode("utf-8-sig"), ending="")


def _choose(upload: MailboxImport, options: dict[str, Any]) -> None:
    """Choose the columns and what their cells mean, by the options; the check can then begin."""
    if options["kind"]:
        mailbox_import.use_kind(upload, options["kind"])
    if options["program"]:
        mailbox_import.use_preset(upload, options["program"])
    upload.refresh_from_db()
    mailbox_import.choose(
        upload,
        upload.meaning,
        options["mode"],
        reading=Reading(options["unit"] or upload.unit, options["zero"] or upload.zero, options["small_sizes"]),
        existing_passwords=options["existing_passwords"],
    )
    upload.refresh_from_db()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(csv_table.OCTETS_AT_MOST + 1)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", returncode=EXIT_USAGE) from error


def _found(number: int) -> MailboxImport:
    upload = MailboxImport.objects.filter(pk=number).first()
    if upload is None:
        raise Rejected(f"there is no import {number}: files are kept for a week")
    return upload


def _run(upload: MailboxImport) -> None:
    """Import all rows that are left."""
    try:
        _take_all(upload, "imported")
    except KeyboardInterrupt as error:
        text = f"interrupted; to go on: popadmin import --resume {upload.pk}"
        raise CommandError(text, returncode=EXIT_INTERRUPTED) from error


def _take_all(upload: MailboxImport, what: str) -> None:
    """Take all steps of the stage of the upload."""
    policies = RetentionPolicy.objects.all()
    runs = upload.stage == Stage.RUNNING
    with bars() as progress:
        while mailbox_import.step(upload, actor=actor(), domains=None, policies=policies):
            counts = mailbox_import.counts(upload)
            taken = counts["done"] if runs else counts["rows"] - counts["unknown"]
            progress.show(what, taken, counts["rows"])
    upload.refresh_from_db()


def _rows(upload: MailboxImport) -> Any:
    return MailboxImportRow.objects.filter(mailbox_import=upload).order_by("line")


def _complaints(upload: MailboxImport) -> Iterator[str]:
    """Yield a line for each wrong row, and for each alias with targets that lead to nobody."""
    for row in _rows(upload).exclude(detail="").iterator():
        lost = mailbox_import_changes.nowhere(row.detail)
        if row.fate == Fate.WRONG:
            column = f", {row.column}" if row.column else ""
            yield f"line {row.line}, {row.address or 'no address'}{column}: {row.detail}"
        elif lost:
            yield f"line {row.line}, {row.address}: warning: leads to nobody: {', '.join(lost)}"


def _as_json(upload: MailboxImport, counts: dict[str, int], *, imported: bool) -> dict[str, Any]:
    keys: dict[str, Callable[[MailboxImportRow], Any]] = {
        "line": lambda row: row.line,
        "kind": lambda row: MailboxImportRow.Kind(row.kind).name.lower(),
        "address": lambda row: row.address,
        "result": lambda row: row.fate,
        "column": lambda row: row.column,
        "error": lambda row: row.detail if row.fate == Fate.WRONG else "",
        "leads_to_nobody": lambda row: mailbox_import_changes.nowhere(row.detail),
    }
    return {
        "import": upload.pk if imported else None,
        "kind": upload.kind,
        "imported": imported,
        **{name: counts[name] for name in _ENDED},
        "results": [{name: read(row) for name, read in keys.items()} for row in _rows(upload)],
        "undo": f"popadmin import --undo {upload.pk}" if imported else None,
    }


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
