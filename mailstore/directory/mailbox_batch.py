"""Create and change mailboxes, one or many, with as many statements for hundreds as for one.

The rows are read and locked first. Then `mailbox_judge` judges each mailbox in the given order, as if it came alone.
Then all that was accepted is written. A check reads and judges in the same way, without locks, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext_lazy

from mailstore.directory import audit, bulk_sql, recovery_addresses
from mailstore.directory.audit import Actor
from mailstore.directory.mailbox_case import MailboxCase
from mailstore.directory.mailbox_judge import BatchRows, MailboxJudge, Wanted
from mailstore.directory.new_password import BatchHashes
from mailstore.directory.outcome import Ensured, LostRace, Only, Rejected, refuse_violations
from mailstore.models import AuditEntry, Device, Mailbox
from mailstore.sql import device_settlement

MAIN_DEVICE = "main"
_TAKEN = gettext_lazy("this address was taken or changed a moment ago: try again")
_RACES = {"mailstore_user_address_key": _TAKEN, "mailstore_mailbox_user_id_key": _TAKEN}

Answer = Ensured[Mailbox] | Rejected


def ensure(wanted: Sequence[Wanted], *, actor: Actor, only: Only | None = None, generates: bool = True) -> list[Answer]:
    """Do for each what `mailboxes.ensure` does, in the given order. Returns an answer for each.

    No address may be there twice. With `generates`, a new mailbox without a password gets a generated one; without it,
    the mailbox gets none, and nobody can sign in. Slow hashes are made before any row is locked.

    Raises LostRace when another transaction changed the same mailboxes twice in a row.
    """
    with suppress(LostRace):  # the second try sees what the other transaction left
        return _ensure(wanted, actor, only, generates=generates)
    return _ensure(wanted, actor, only, generates=generates)


def check(wanted: Sequence[Wanted], *, actor: Actor, only: Only | None = None) -> list[Answer]:
    """Return for each what `ensure` without `generates` would answer now. Writes nothing and locks nothing.

    No hash is made for a new password. The rows of the answers are not saved.
    """
    hashes = _hashes(wanted, only, generates=False, kept=False)
    judge = MailboxJudge(BatchRows.read(wanted, actor=actor, lock=False), hashes, only)
    return [_answer(judge.judge(each)) for each in wanted]


def _ensure(wanted: Sequence[Wanted], actor: Actor, only: Only | None, *, generates: bool) -> list[Answer]:
    hashes = _hashes(wanted, only, generates=generates, kept=True)
    with transaction.atomic(), refuse_violations(_RACES, LostRace):
        rows = BatchRows.read(wanted, actor=actor, lock=True)
        if hashes.stale(rows.mailboxes.values()):
            raise LostRace(str(_TAKEN), field="address")
        judge = MailboxJudge(rows, hashes, only)
        judged = [judge.judge(each) for each in wanted]
        cases = [each for each in judged if isinstance(each, MailboxCase)]
        _write(cases)
        device_settlement.settle([case.mailbox.pk for case in cases if case.bars_main()])
        audit.record_all(_entries(cases, actor))
    return [_answer(each) for each in judged]


def _hashes(wanted: Sequence[Wanted], only: Only | None, *, generates: bool, kept: bool) -> BatchHashes:
    passwords = {each.address: each.password for each in wanted}
    only_new = None if only is None else only is Only.NEW
    return BatchHashes.make(passwords, only_new=only_new, generates=generates, kept=kept)


def _answer(judged: MailboxCase | Rejected) -> Answer:
    return judged if isinstance(judged, Rejected) else judged.ensured()


def _write(cases: Sequence[MailboxCase]) -> None:
    new = [case.mailbox for case in cases if case.created]
    bulk_sql.insert([mailbox.user for mailbox in new])
    for mailbox in new:
        mailbox.user = mailbox.user  # copies the key that the insert gave the user
    bulk_sql.insert(new)
    bulk_sql.insert([_main_device(mailbox) for mailbox in new])
    changed = [case for case in cases if not case.created]
    _update([(case.mailbox.user, case.user_columns) for case in changed])
    _update([(case.mailbox, case.mailbox_columns) for case in changed])


def _main_device(mailbox: Mailbox) -> Device:
    """Return the device of the main password. While it is alone, it deletes mail for good, as in RFC 1939."""
    return Device(mailbox=mailbox, name=MAIN_DEVICE, main=True, mode=Device.Mode.PRIMARY)


def _update(rows: Sequence[tuple[Model, Collection[str]]]) -> None:
    """Write each row that changed. All get the columns that changed in any; the others have what was read."""
    bulk_sql.update(
        [row for row, columns in rows if columns], sorted(set().union(*(columns for _row, columns in rows)))
    )


def _entries(cases: Iterable[MailboxCase], actor: Actor) -> list[AuditEntry]:
    return [
        audit.entry(
            actor, "mailbox.create" if case.created else "mailbox.change", case.mailbox.user.address,
            mailbox=case.mailbox, changes=case.audited(), **_invitation(case),
        )
        for case in cases
        if case.created or case.changes
    ]  # fmt: skip


def _invitation(case: MailboxCase) -> dict[str, Any]:
    address = case.mailbox.user.invitation_address if case.created else ""
    return {"invitation_address": recovery_addresses.masked(address)} if address else {}
