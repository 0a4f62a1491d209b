"""Create and change mailboxes, aliases and domains from a file, in steps that can be resumed. The file is an upload.

The check judges the rows by the code of the run, and takes its changes back. So the result of a row (its fate) is the
same in both, unless something has changed between them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import takewhile

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from mailstore.directory import audit, bulk_sql
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import MailboxImport, MailboxImportRow, RetentionPolicy, User
from mailstore.policy.quota import Reading
from mailstore.transfer import (
    alias_file,
    csv_table,
    file_columns,
    file_kind,
    file_preset,
    mailbox_import_changes,
    modoboa_file,
)
from mailstore.transfer.alias_import_step import AliasImportStep
from mailstore.transfer.domain_import_step import DomainImportStep
from mailstore.transfer.import_step import ImportStep, empty
from mailstore.transfer.mailbox_import_step import MailboxImportStep
from mailstore.transfer.rename_import_step import RenameImportStep

STEP_ROWS = 500  # one transaction takes about half a second, and holds the locks of its domains so long
NAME_CHARACTERS = 255
WAITING_AT_MOST = 20  # files of a user that were not carried out; each takes some 50 MB in the database
FIRST_LINE = 1  # all other rows end on a later line

Kind, Mode, Stage, Fate = MailboxImport.Kind, MailboxImport.Mode, MailboxImport.Stage, MailboxImportRow.Fate
RowKind = MailboxImportRow.Kind
_STEPS: dict[int, type[ImportStep]] = {
    RowKind.DOMAIN: DomainImportStep,
    RowKind.ALIAS_DOMAIN: DomainImportStep,
    RowKind.MAILBOX: MailboxImportStep,
    RowKind.ALIAS: AliasImportStep,
    RowKind.RENAME: RenameImportStep,
}


def bring_in(data: bytes, file_name: str, *, owner: User | None) -> MailboxImport:
    """Store the rows of a file. Each column gets the meaning that it had last time, or that its heading suggests.

    The kind of the rows, and what their sizes mean, are guessed too: `use_kind` and `choose` set others. Rejected for a
    file that cannot be read, or that has no rows.
    """
    table = csv_table.read(data, recast=lambda rows: modoboa_file.recast(alias_file.one_cell_of_targets(rows)))
    if not table.rows:
        raise Rejected(_("the file has no rows below its first line"))
    header, kind = list(table.header), file_kind.kind_of(table)
    reading = file_kind.reading_of(header)
    with transaction.atomic():
        last = _last_of(owner, header, kind)
        upload = MailboxImport.objects.create(
            owner=owner,
            file_name=file_name[-NAME_CHARACTERS:],
            header=header,
            kind=kind,
            meaning=last.meaning if last else file_columns.guess(kind, header, table.rows[0].cells),
            unit=last.unit if last else reading.unit,
            zero=last.zero if last else reading.zero,
            mode=Mode.CREATE,
        )
        MailboxImportRow.objects.bulk_create(
            (MailboxImportRow(mailbox_import=upload, line=row.line, cells=list(row.cells)) for row in table.rows),
            batch_size=1000,
        )
        if owner is not None:
            _forget_oldest(owner)
    return upload


def _forget_oldest(owner: User) -> None:
    """Delete the oldest files that the user has not carried out, so that nobody fills the disk with them."""
    waiting = MailboxImport.objects.filter(owner=owner).exclude(stage__in=(Stage.RUNNING, Stage.DONE))
    oldest = waiting.order_by("-created_at", "-pk").values_list("pk", flat=True)[WAITING_AT_MOST:]
    MailboxImport.objects.filter(pk__in=list(oldest)).delete()


def turn_first_line(upload: MailboxImport) -> None:
    """Turn the first line from names of columns into data, or from data into names.

    The kind of the rows is guessed again. Rejected after rows were imported, and for names that columns cannot have.
    """
    with transaction.atomic():
        row = _before_the_run(upload)
        if any(row.header):
            MailboxImportRow.objects.create(mailbox_import=row, line=FIRST_LINE, cells=row.header)
            row.header = [""] * len(row.header)
        else:
            line = _rows(row).order_by("line")[0]
            csv_table.check_header(line.cells)
            row.header = line.cells
            line.delete()
        table = _table(row)
        if not table.rows:
            raise Rejected(_("the file has no rows below its first line"))
        row.kind, row.stage = file_kind.kind_of(table), Stage.COLUMNS
        row.meaning = file_columns.guess(row.kind, row.header, table.rows[0].cells)
        row.save(update_fields=["header", "kind", "meaning", "stage"])


def use_kind(upload: MailboxImport, kind: str) -> None:
    """Say what the rows are; the columns are guessed anew. Rejected after rows were imported.

    Rejected also for mailboxes where the file holds aliases: these would keep the mail of the targets.
    """
    if kind not in Kind.values:
        raise Rejected(_("choose what the rows are: mailboxes, aliases or domains"))
    with transaction.atomic():
        row = _before_the_run(upload)
        table = _table(row)
        if kind == Kind.MAILBOXES:
            alias_file.refuse(table)
        row.kind, row.stage = kind, Stage.COLUMNS
        row.meaning = file_columns.guess(kind, row.header, table.rows[0].cells)
        row.save(update_fields=["kind", "meaning", "stage"])


def use_preset(upload: MailboxImport, name: str) -> None:
    """Choose the columns by the headings that another program gives them. Rejected for a program that is not known.

    Rejected also after rows were imported, and where no column has the heading of the address.
    """
    with transaction.atomic():
        row = _before_the_run(upload)
        row.meaning, row.stage = file_preset.by_preset(name, row.kind, row.header), Stage.COLUMNS
        reading = file_preset.PRESETS[name].reading
        row.unit, row.zero = reading.unit, reading.zero
        row.save(update_fields=["meaning", "unit", "zero", "stage"])


def choose(
    upload: MailboxImport,
    meaning: Sequence[str],
    mode: str,
    *,
    reading: Reading | None = None,
    existing_passwords: bool = False,
) -> None:
    """Set the meaning of the columns and what to do. The check starts again. Rejected after rows were imported.

    `reading` says what the sizes mean, None leaves it as it is. `existing_passwords` takes passwords that
    are too weak for new ones: their users are asked for others on the pages.
    """
    if mode not in Mode.values:
        raise Rejected(_("choose what to do with the rows"))
    with transaction.atomic():
        row = _before_the_run(upload)
        file_columns.check(row.kind, meaning, len(row.header))
        row.meaning, row.mode, row.stage = list(meaning), mode, Stage.CHECKING
        row.existing_passwords = existing_passwords
        if reading is not None:
            row.unit, row.zero, row.small_sizes = reading.unit, reading.zero, reading.small
        row.save(update_fields=["meaning", "mode", "stage", "unit", "zero", "small_sizes", "existing_passwords"])
        _set_kinds(row)
        MailboxImportRow.objects.filter(mailbox_import=row).update(fate=Fate.UNKNOWN, column="", detail="", address="")


def start(upload: MailboxImport) -> None:
    """Begin the import. Rejected before all rows are checked, and when no row would change anything.

    Wrong rows are not read again, so their cells are emptied.
    """
    with transaction.atomic():
        row = _locked(upload)
        if row.stage != Stage.CHECKED:
            raise Rejected(_("the rows have not been checked yet"))
        if not _rows(row).filter(fate__in=(Fate.CREATE, Fate.CHANGE)).exists():
            raise Rejected(_("no row would change anything"))
        empty(_rows(row).filter(fate=Fate.WRONG), len(row.header))
        row.stage = Stage.RUNNING
        row.save(update_fields=["stage"])


def step(
    upload: MailboxImport, *, actor: Actor, domains: Collection[str] | None, policies: QuerySet[RetentionPolicy]
) -> bool:
    """Check or import the next rows, by the stage of the upload. Return whether rows are left.

    `domains` are the names of those that the actor may change (None: all), `policies` those that they may choose. For
    the actor, others do not exist. Several callers may call this at once, since it locks the import's row.
    """
    with transaction.atomic():
        row = _locked(upload)
        if row.stage not in (Stage.CHECKING, Stage.RUNNING):
            return False
        runs = row.stage == Stage.RUNNING
        waiting = _rows(row).filter(**({"done": False} if runs else {"fate": Fate.UNKNOWN})).exclude(fate=Fate.WRONG)
        actor = actor.within("import", row.pk)
        rows = list(waiting.order_by("kind", "line")[:STEP_ROWS])
        if rows:
            rows = list(takewhile(lambda each: each.kind == rows[0].kind, rows))
            part = _STEPS[rows[0].kind](row, rows, actor=actor, domains=domains, policies=policies)
            if runs:
                part.run()
            else:
                part.check()
        left = waiting.exists()
        if not left:
            row.stage = Stage.CHECKED if row.stage == Stage.CHECKING else Stage.DONE
            row.save(update_fields=["stage"])
            _record_end(row, actor)
    return left


def counts(upload: MailboxImport) -> dict[str, int]:
    """Return how many `rows` there are, how many have each fate, are `done`, and wait for a password (`due`).

    `full` counts mailboxes that contain as much as their new quota, or more; `nowhere` aliases with targets that lead
    to nobody.
    """
    fates = {fate.name.lower(): Count("pk", filter=Q(fate=fate)) for fate in Fate}
    found: dict[str, int] = _rows(upload).aggregate(
        rows=Count("pk"),
        done=Count("pk", filter=Q(done=True)),
        due=Count("pk", filter=Q(password_due=True)),
        nowhere=Count("pk", filter=Q(kind=RowKind.ALIAS, detail__contains=mailbox_import_changes.LEADS_NOWHERE)),
        full=Count("pk", filter=Q(detail__startswith=mailbox_import_changes.LEAVES_FULL)),
        **fates,
    )
    return found


def _set_kinds(upload: MailboxImport) -> None:
    """Note what each row is, so that the rows are taken in an order in which they find what they need."""
    rows = list(_rows(upload).only("kind", "cells"))
    for row in rows:
        row.kind = file_columns.row_kind(upload.kind, upload.meaning, row.cells)
    bulk_sql.update(rows, ("kind",))


def _last_of(owner: User | None, header: list[str], kind: str) -> MailboxImport | None:
    """Return the last file of this user with the same columns, whose meaning was chosen."""
    if owner is None:
        return None
    last = MailboxImport.objects.filter(owner=owner, header=header, kind=kind).exclude(stage=Stage.COLUMNS)
    return last.order_by("-created_at").first()


def _before_the_run(upload: MailboxImport) -> MailboxImport:
    row = _locked(upload)
    if row.stage in (Stage.RUNNING, Stage.DONE):
        raise Rejected(_("this file has already been imported: upload it again"))
    return row


def _locked(upload: MailboxImport) -> MailboxImport:
    return MailboxImport.objects.select_for_update().get(pk=upload.pk)


def _rows(upload: MailboxImport) -> QuerySet[MailboxImportRow]:
    return MailboxImportRow.objects.filter(mailbox_import=upload)


def _table(upload: MailboxImport) -> csv_table.CsvTable:
    """Return the table of the file with its header as it is now."""
    rows = _rows(upload).order_by("line").values_list("line", "cells")
    return csv_table.CsvTable(tuple(upload.header), tuple(csv_table.Row(line, tuple(cells)) for line, cells in rows))


def _record_end(upload: MailboxImport, actor: Actor) -> None:
    """Write one audit entry for the whole import. Each mailbox has an entry of its own."""
    if upload.stage == Stage.DONE:
        sums = counts(upload)
        audit.record(
            actor,
            "mailbox_import.done",
            upload.file_name,
            created=sums["create"],
            changed=sums["change"],
            wrong=sums["wrong"],
        )
