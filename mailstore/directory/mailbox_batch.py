"""Create and change mailboxes, one or many, with as many statements for hundreds as for one.

The rows are read and locked first. Then each mailbox is judged in the given order, as if it came alone. Then all that
was accepted is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import audit, bulk_sql, domain_caps, domains, new_password, removal_notice
from mailstore.directory.audit import Actor
from mailstore.directory.fields.field import Kind
from mailstore.directory.fields.mailbox import MAILBOX, MailboxValues
from mailstore.directory.look_alikes import Neighbours
from mailstore.directory.mailbox_case import MailboxCase
from mailstore.directory.new_password import BatchHashes
from mailstore.directory.outcome import Ensured, LostRace, Only, Rejected, not_negative, refuse_violations
from mailstore.models import Alias, AuditEntry, Device, Domain, Mailbox, User
from mailstore.sql import device_settlement

MAIN_DEVICE = "main"
_NUMBERS = MAILBOX.names(Kind.SIZE, Kind.COUNT)
_TAKEN = gettext_lazy("this address was taken or changed a moment ago: try again")
_RACES = {"mailstore_user_address_key": _TAKEN, "mailstore_mailbox_user_id_key": _TAKEN}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mailbox to create or change. `address` is in its normal form.

    `password` None leaves the password as it is. `look_alike` allows a new address that looks like another one.
    """

    address: str
    fields: MailboxValues
    password: str | None = None
    look_alike: bool = False


Answer = Ensured[Mailbox] | Rejected


def ensure(
    wanted: Sequence[Wanted],
    *,
    actor: Actor,
    only: Only | None = None,
    generates: bool = True,
    dry_run: bool = False,
) -> list[Answer]:
    """Do for each what `mailboxes.ensure` does, in the given order. Returns an answer for each.

    No address may be there twice. With `generates`, a new mailbox without a password gets a generated one; without it,
    the mailbox gets none, and nobody can sign in. In a `dry_run`, which the caller rolls back, no hash is made for a
    new password. Slow hashes are made before any row is locked.

    Raises LostRace when another transaction changed the same mailboxes twice in a row.
    """
    with suppress(LostRace):  # the second try sees what the other transaction left
        return _ensure(wanted, actor, only, generates=generates, dry_run=dry_run)
    return _ensure(wanted, actor, only, generates=generates, dry_run=dry_run)


def _ensure(
    wanted: Sequence[Wanted], actor: Actor, only: Only | None, *, generates: bool, dry_run: bool
) -> list[Answer]:
    passwords = {each.address: each.password for each in wanted}
    hashes = BatchHashes.make(
        passwords, only_new=None if only is None else only is Only.NEW, generates=generates, kept=not dry_run
    )
    with transaction.atomic(), refuse_violations(_RACES, LostRace):
        rows = _LockedRows.read(wanted, actor)
        if hashes.stale(rows.mailboxes.values()):
            raise LostRace(str(_TAKEN), field="address")
        judge = _Judge(rows, hashes, only)
        answers = [judge.answer(each) for each in wanted]
        cases = [answer for answer in answers if isinstance(answer, MailboxCase)]
        _write(cases)
        device_settlement.settle([case.mailbox.pk for case in cases if case.bars_main()])
        audit.record_all(_entries(cases, actor))
    return [answer if isinstance(answer, Rejected) else answer.ensured() for answer in answers]


@dataclass(frozen=True, slots=True)
class _LockedRows:
    """What is there, by name and by address. Domains and mailboxes are locked, in the order of their keys."""

    domains: dict[str, Domain]
    mailboxes: dict[str, Mailbox]
    aliases: Collection[str]
    other_users: Collection[str]  # the addresses of users without a mailbox
    neighbours: Neighbours
    rooms: dict[int, domain_caps.Room]
    out_of_reach: Collection[int]  # the keys of users whose password the actor may not set

    @classmethod
    def read(cls, wanted: Sequence[Wanted], actor: Actor) -> _LockedRows:
        addresses = [each.address for each in wanted]
        found = domains.locked_all({domain_of(address) for address in addresses})
        rows = Mailbox.objects.select_related("user", "domain", "policy")
        rows = rows.select_for_update(of=("self", "user"), no_key=True).filter(
            user__address__in=bulk_sql.among(addresses)
        )
        boxes = {box.user.address: box for box in rows.order_by("pk")}
        new = [address for address in addresses if address not in boxes]
        with_password = {each.address for each in wanted if each.password is not None}
        owners = [box.user for address, box in boxes.items() if address in with_password]
        return cls(
            domains=found,
            mailboxes=boxes,
            aliases=_aliases(new),
            other_users=_users(new),
            neighbours=Neighbours.of(new, found.values()),
            rooms=domain_caps.rooms(found.values(), actor=actor),
            out_of_reach=domain_caps.out_of_reach(owners, actor=actor),
        )


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
            raise removal_notice.refusal(mailbox)
        if self._only is Only.NEW:
            raise Rejected(_("%(address)s is already a mailbox") % {"address": mailbox}, field="address")
        return self._changed(wanted, domain, mailbox)

    def _new(self, wanted: Wanted, domain: Domain) -> MailboxCase:
        if self._only is Only.THERE:
            raise removal_notice.unknown(wanted.address)
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
