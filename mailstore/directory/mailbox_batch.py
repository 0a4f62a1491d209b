"""Create and change mailboxes, one or many, with as many statements for hundreds as for one.

The rows are read and locked first. Then `mailbox_judge` judges each mailbox in the given order, as if it came alone.
Then all that was accepted is written. A check reads and judges in the same way, without locks, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext_lazy

from mailstore.directory import audit, bulk_sql, domain_caps, domains, mailbox_lookup, new_password, removal_state
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


class _Judge:
    """Decides what becomes of one mailbox after the other. Runs no statement and no slow hash.

    What was accepted counts for the next, towards the limits of the domain and among the addresses that look alike.
    """

    def __init__(self, rows: _LockedRows, hashes: BatchHashes, only: Only | None) -> None:
        self._rows = rows
        self._hashes = hashes
        self._only = only

    def answer(self, wanted: Wanted) -> MailboxCase | Rejected:
        try:
            return self._accepted(wanted)
        except Rejected as refusal:
            return refusal

    def _accepted(self, wanted: Wanted) -> MailboxCase:
        not_negative(wanted.fields, *_NUMBERS)
        name = domain_of(wanted.address)
        domain = domains.existing(name, self._rows.domains.get(name))
        mailbox = self._rows.mailboxes.get(wanted.address)
        if mailbox is None:
            return self._new(wanted, domain)
        if mailbox.removed_at is not None:
            raise removal_state.refusal(mailbox)
        if self._only is Only.NEW:
            raise Rejected(_("%(address)s is already a mailbox") % {"address": mailbox}, field="address")
        return self._changed(wanted, domain, mailbox)

    def _new(self, wanted: Wanted, domain: Domain) -> MailboxCase:
        if self._only is Only.THERE:
            raise mailbox_lookup.unknown(wanted.address)
        room = self._rows.rooms[domain.pk]
        domains.refuse_standing(domain)
        self._refuse_taken(wanted.address)
        if not wanted.look_alike:
            self._rows.neighbours.refuse(wanted.address)
        room.refuse_one_more()
        case = MailboxCase(Mailbox(user=User(address=wanted.address), domain=domain), created=True)
        self._give_first_password(case, wanted.password)
        case.assign({"quota_octets": domain_caps.quota_of_new(domain), **wanted.fields})
        room.refuse_fields_of_hosts(case.changes)
        room.refuse_quota(case.mailbox.quota_octets)
        room.take(case.mailbox.quota_octets, mailboxes=1)
        self._rows.neighbours.add(wanted.address)
        return case

    def _changed(self, wanted: Wanted, domain: Domain, mailbox: Mailbox) -> MailboxCase:
        room = self._rows.rooms[domain.pk]
        case = MailboxCase(mailbox, created=False)
        case.assign(wanted.fields)
        if wanted.password is not None:
            self._change_password(case, wanted.password)
        room.refuse_fields_of_hosts(case.changes)
        if "quota_octets" in case.changes:
            was, quota = case.changes["quota_octets"]
            room.refuse_quota(quota, was=was)
            room.take(quota, was=was)
        return case

    def _change_password(self, case: MailboxCase, password: str) -> None:
        """Give the mailbox another password. The present one changes nothing."""
        # Before the comparison, so that the actor does not learn whether it is the present password.
        domain_caps.refuse_out_of_reach(case.mailbox.user, self._rows.out_of_reach)
        new_password.refuse_hash(password)  # also where an earlier version accepted a hash as a password
        address = case.mailbox.user.address
        if address not in self._hashes.same:
            case.give_password(password, self._hashes.of(address))

    def _give_first_password(self, case: MailboxCase, chosen: str | None) -> None:
        address = case.mailbox.user.address
        if chosen is not None:
            case.give_password(chosen, self._hashes.of(address))
        elif self._hashes.generates:
            case.secret = self._hashes.new[address].password
            new_password.set_hash(case.mailbox.user, self._hashes.of(address))
        else:
            case.mailbox.user.set_unusable_password()

    def _refuse_taken(self, address: str) -> None:
        if address in self._rows.aliases:
            raise Rejected(_("%(address)s is an alias: remove that first") % {"address": address}, field="address")
        if address in self._rows.other_users:
            raise Rejected(_("%(address)s is the login of an administrator") % {"address": address}, field="address")


def domain_of(address: str) -> str:
    """Return the domain of an address in its normal form."""
    return address.rpartition("@")[2]


def _aliases(new: Sequence[str]) -> set[str]:
    """Return those of the new addresses that aliases have; no statement where there are none."""
    return set(Alias.objects.filter(address__in=new).values_list("address", flat=True)) if new else set()


def _users(new: Sequence[str]) -> set[str]:
    """Return those of the new addresses that users without a mailbox have; no statement where there are none."""
    found = User.objects.filter(address__in=bulk_sql.among(new))
    return set(found.values_list("address", flat=True)) if new else set()


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
            mailbox=case.mailbox, changes=case.audited(),
        )
        for case in cases
        if case.created or case.changes
    ]  # fmt: skip
