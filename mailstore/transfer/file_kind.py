"""Guess what a file is: the kind of its rows, and the program that wrote it."""

from __future__ import annotations

from collections.abc import Sequence

from mailstore.models import MailboxImport
from mailstore.policy.quota import EXPLICIT, Reading
from mailstore.transfer import alias_file, file_columns, file_preset, modoboa_file
from mailstore.transfer.csv_table import DATA, CsvTable
from mailstore.transfer.mailbox_columns import ADDRESS, LOCAL_PART

Kind = MailboxImport.Kind


def kind_of(table: CsvTable) -> str:
    """Return what the rows of a file are, by its columns and cells."""
    is_modoboas = table.header == modoboa_file.HEADER
    if is_modoboas or file_columns.has_kinds(table.header, [row.cells for row in table.rows]):
        return Kind.MIXED
    if file_columns.has_renames(table.header):
        return Kind.RENAMES
    if alias_file.is_one(table):
        return Kind.ALIASES
    first = table.rows[0].cells
    of_mailboxes = file_columns.guess(Kind.MAILBOXES, table.header, first)
    of_people = {ADDRESS, LOCAL_PART} & set(of_mailboxes) or any(DATA in cell for cell in first)
    return Kind.DOMAINS if file_columns.has_domains(table.header) and not of_people else Kind.MAILBOXES


def reading_of(header: Sequence[str]) -> Reading:
    """Return what sizes mean in the files of the program whose columns these are."""
    if tuple(header) == modoboa_file.HEADER:
        return file_preset.PRESETS["modoboa"].reading
    program = file_preset.program_of(header)
    return file_preset.PRESETS[program].reading if program else EXPLICIT
