"""What `mailbox rename` renames: two addresses, or the pairs of a file; and the result of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from mailstore.directory import mailbox_rename
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.management.noun_verb import Options
from mailstore.management.shell import EXIT_USAGE
from mailstore.transfer import csv_table

Pair = tuple[str, str]


def pairs(options: Options) -> list[Pair]:
    """Return the old and the new addresses. Ends as a wrong use of the command unless there is one way to know them."""
    old, new, file = options["old"], options["new"], options["file"]
    if file is not None and old is None:
        return _of_file(file)
    if file is None and old is not None and new is not None:
        return [(old, new)]
    raise CommandError("give OLD and NEW, or --file FILE", returncode=EXIT_USAGE)


def result(old: str, new: str, *, actor: Actor, keep_alias: bool, look_alike: bool, dry_run: bool) -> dict[str, Any]:
    """Rename a mailbox, or check it, and return what came of it. What an earlier run renamed is no error."""
    names: dict[str, Any] = {"old": old, "new": new}
    try:
        if mailbox_rename.is_done(old, new):
            return {**names, "state": "already renamed"}
        if dry_run:
            mailbox_rename.check(old, new, actor=actor, keep_alias=keep_alias, look_alike=look_alike)
            return {**names, "state": "can be renamed"}
        mailbox_rename.rename(old, new, actor=actor, keep_alias=keep_alias, look_alike=look_alike)
    except Rejected as refusal:
        return {**names, "refused": str(refusal)}
    return {**names, "state": "renamed"}


def _of_file(file: Path) -> list[Pair]:
    try:
        table = csv_table.read(file.read_bytes())
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from error
    found = [tuple(row.cells[:2]) for row in table.rows]
    if not found or any(len(cells) < 2 for cells in found):
        raise CommandError(f"{file} needs two columns: the old address, the new address")
    return [(old, new) for old, new in found]
