"""Judge each mailbox of a batch by the rules, in the given order: what it would become, or why it is refused.

This reads rows and writes nothing. `mailbox_batch` calls it for the check and for the run, so both have one set of
rules. What two transactions do at the same time, only the constraints of the database can refuse, at the run.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from mailstore.directory import bulk_sql, domain_caps, domains, mailbox_lookup, new_password, removal_state
from mailstore.directory.audit import Actor
from mailstore.directory.existing_password import ExistingPassword
from mailstore.directory.fields.field import Kind
from mailstore.directory.fields.mailbox import MAILBOX, MailboxValues
from mailstore.directory.look_alikes import Neighbours
from mailstore.directory.mailbox_case import MailboxCase
from mailstore.directory.new_password import BatchHashes
from mailstore.directory.outcome import Only, Rejected, not_negative
from mailstore.models import Alias, Domain, Mailbox, User

_NUMBERS = MAILBOX.names(Kind.SIZE, Kind.COUNT)


class AlreadyThere(Rejected):
    """Only new mailboxes were wanted, and there is one of this address. An import leaves it as it is."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mailbox to create or change. `address` is in its normal form.

    `password` None leaves the password as it is. An existing password that would be too weak for a new one must be
    changed on the pages, unless `fields` say otherwise. `look_alike` allows a new address that looks like another one.
    `invitation_address` is where a new owner may be invited, in its normal form.
    """

    address: str
    fields: MailboxValues
    password: str | ExistingPassword | None = None
    look_alike: bool = False
    invitation_address: str = ""


@dataclass(frozen=True, slots=True)
class BatchRows:
    """What is there, by name and by address."""

    domains: dict[str, Domain]
    mailboxes: dict[str, Mailbox]
    aliases: Collection[str]
    other_users: Collection[str]  # the addresses of users without a mailbox
    neighbours: Neighbours
    rooms: dict[int, domain_caps.Room]
    out_of_reach: Collection[int]  # the keys of users whose password the actor may not set

    @classmethod
    def read(cls, wanted: Sequence[Wanted], *, actor: Actor, lock: bool) -> BatchRows:
        """Read the rows. With `lock`, domains and mailboxes are locked, in the order of their keys."""
        addresses = [each.address for each in wanted]
        names = {domain_of(address) for address in addresses}
        found = domains.locked_all(names) if lock else domains.by_name(names)
        rows = Mailbox.objects.select_related("user", "domain", "policy")
        rows = rows.filter(user__in=bulk_sql.user_ids(addresses))
        if lock:
            rows = rows.select_for_update(of=("self", "user"), no_key=True)
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


class MailboxJudge:
    """Decides what becomes of one mailbox after the other. Runs no statement and no slow hash.

    What was accepted counts for the next, towards the limits of the domain and among the addresses that look alike.
    """

    def __init__(self, rows: BatchRows, hashes: BatchHashes, only: Only | None) -> None:
        self._rows = rows
        self._hashes = hashes
        self._only = only

    def judge(self, wanted: Wanted) -> MailboxCase | Rejected:
        """Return the accepted mailbox, set in memory, or the refusal."""
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
            raise AlreadyThere(_("%(address)s is already a mailbox") % {"address": mailbox}, field="address")
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
        user = User(address=wanted.address, invitation_address=wanted.invitation_address)
        case = MailboxCase(Mailbox(user=user, domain=domain), created=True)
        self._give_first_password(case, wanted)
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
            self._change_password(case, wanted, wanted.password)
        room.refuse_fields_of_hosts(case.changes)
        if "quota_octets" in case.changes:
            was, quota = case.changes["quota_octets"]
            room.refuse_quota(quota, was=was)
            room.take(quota, was=was)
        return case

    def _change_password(self, case: MailboxCase, wanted: Wanted, password: str | ExistingPassword) -> None:
        """Give the mailbox another password. The present one changes nothing."""
        # Before the comparison, so that the actor does not learn whether it is the present password.
        domain_caps.refuse_out_of_reach(case.mailbox.user, self._rows.out_of_reach)
        if isinstance(password, str):
            new_password.refuse_hash(password)  # also where an earlier version accepted a hash as a password
        if wanted.address not in self._hashes.same:
            self._give_password(case, wanted, password)

    def _give_first_password(self, case: MailboxCase, wanted: Wanted) -> None:
        address = wanted.address
        if wanted.password is not None:
            self._give_password(case, wanted, wanted.password)
        elif self._hashes.generates:
            case.secret = self._hashes.new[address].password
            new_password.set_hash(case.mailbox.user, self._hashes.of(address))
        else:
            case.mailbox.user.set_unusable_password()

    def _give_password(self, case: MailboxCase, wanted: Wanted, password: str | ExistingPassword) -> None:
        weak = case.give_password(password, self._hashes.of(wanted.address))
        if weak and "must_change_password" not in wanted.fields:
            case.assign({"must_change_password": True})

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
    # A check locks nothing, so a mailbox may have been created a moment ago: its user is no administrator.
    found = User.objects.filter(pk__in=bulk_sql.user_ids(new), mailbox=None)
    return set(found.values_list("address", flat=True)) if new else set()
