"""Mailboxes made and changed, one or many: by as many statements for hundreds as for one, each as it would go alone.

What is there is read and locked first; then each is judged in its turn; then all that stood is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypedDict

from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import audit, bulk_sql, domain_caps, domains, grants, new_password, policies, removal_notice
from mailstore.directory.audit import Actor
from mailstore.directory.look_alikes import Neighbours
from mailstore.directory.mailbox_hashes import Hashes
from mailstore.directory.outcome import (
    Changes,
    Ensured,
    LostRace,
    Only,
    Rejected,
    details,
    last_word,
    not_negative,
    put,
)
from mailstore.models import Alias, AuditEntry, Device, Domain, Mailbox, RetentionPolicy, User
from mailstore.sql import device_settlement

MAIN_DEVICE = "main"
OF_USER = ("name", "must_change_password")
_TAKEN = gettext_lazy("this address was taken or changed a moment ago: try again")
_RACES = {"mailstore_user_address_key": _TAKEN, "mailstore_mailbox_user_id_key": _TAKEN}


class Fields(TypedDict, total=False):
    """What of a mailbox and its user can be set; what is not given stays. A quota of None is no quota."""

    name: str
    suspended: bool
    must_change_password: bool
    quota_octets: int | None
    quota_messages: int | None
    receives: bool
    pop: bool
    web: bool
    main_pop: bool
    held: bool
    notes: str
    policy: RetentionPolicy | None
    policy_at_once: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mailbox as it is to be; `address` is in its normal form. A new one may look alike where that is meant."""

    address: str
    fields: Fields
    password: str | None = None
    look_alike: bool = False


Answer = Ensured[Mailbox] | Rejected


def ensure(
    wanted: Sequence[Wanted],
    *,
    actor: Actor,
    only: Only | None = None,
    generates: bool = True,
    rehearsal: bool = False,
) -> list[Answer]:
    """Do for each what `mailboxes.ensure` says, in their order; no address is there twice. Returns an answer for each.

    A new mailbox without a password gets none that opens it where this `generates` none. A `rehearsal`, which the
    caller rolls back, leaves the hashes of new passwords unmade. Slow hashes are made before anything is locked.
    """
    with suppress(LostRace):  # the second try sees what the other transaction left
        return _ensure(wanted, actor, only, generates=generates, rehearsal=rehearsal)
    return _ensure(wanted, actor, only, generates=generates, rehearsal=rehearsal)


def _ensure(
    wanted: Sequence[Wanted], actor: Actor, only: Only | None, *, generates: bool, rehearsal: bool
) -> list[Answer]:
    asked = {each.address: each.password for each in wanted}
    hashes = Hashes.make(
        asked, only_new=None if only is None else only is Only.NEW, generates=generates, kept=not rehearsal
    )
    with transaction.atomic(), last_word(_RACES, LostRace):
        ground = _Ground.read(wanted, actor)
        if hashes.stale(ground.mailboxes.values()):
            raise LostRace(str(_TAKEN), field="address")
        judge = _Judge(ground, hashes, only)
        judged = [judge.judged(each) for each in wanted]
        cases = [case for case in judged if isinstance(case, _Case)]
        _write(cases)
        device_settlement.settle([case.mailbox.pk for case in cases if case.bars_main()])
        audit.record_all(_entries(cases, actor))
    return [case if isinstance(case, Rejected) else case.ensured() for case in judged]


@dataclass(slots=True)
class _Case:
    """One that stands, not written yet: what was set in memory, and where."""

    mailbox: Mailbox
    created: bool
    changes: Changes = field(default_factory=dict)
    of_user: set[str] = field(default_factory=set)  # columns that changed
    of_mailbox: set[str] = field(default_factory=set)
    secret: str | None = None

    def assign(self, fields: Fields) -> None:
        """Set each field where it lives: the person's on the user, the rest on the mailbox."""
        rest = policies.chosen(self.mailbox, fields)
        person: dict[str, Any] = {name: rest.pop(name) for name in OF_USER if name in rest}
        if "suspended" in rest:
            person["is_active"] = not rest.pop("suspended")
        of_user, of_mailbox = put(self.mailbox.user, person), put(self.mailbox, rest)
        if of_mailbox.get("held") == (True, False) and "policy_since" not in rest:
            self.mailbox.policy_since = timezone.now()  # what fell due meanwhile does not go at once
            self.of_mailbox.add("policy_since")
        if not self.created and _lowers(of_mailbox):
            self.mailbox.quota_lowered_at = timezone.now()
            self.of_mailbox.add("quota_lowered_at")
        self.of_user |= of_user.keys()
        self.of_mailbox |= of_mailbox.keys()
        self.changes |= of_user | of_mailbox
        if "is_active" in self.changes:
            was_active, active = self.changes.pop("is_active")
            self.changes["suspended"] = (not was_active, not active)

    def bars_main(self) -> bool:
        """Mail waits for the main password no more: what waited for it alone is to go."""
        return not self.created and self.changes.get("main_pop") == (True, False)

    def give(self, password: str, encoded: str) -> None:
        """Let the user have a password that a person chose, of this hash. Rejected where it is against the rules."""
        user, before = self.mailbox.user, self.mailbox.user.password_changed_at
        new_password.check(password, user)
        new_password.have(user, encoded)
        if not self.created:  # the change is told by its moment alone
            self.of_user |= {*new_password.FIELDS}
            self.changes["password_changed_at"] = (before, user.password_changed_at)

    def ensured(self) -> Ensured[Mailbox]:
        return Ensured(self.mailbox, self.created, self.changes, self.secret)


def _lowers(changes: Changes) -> bool:
    was, quota = changes.get("quota_octets", (None, None))
    return quota is not None and (was is None or quota < was)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What is there, by name and address: domains and mailboxes are locked, in the order of their keys."""

    domains: dict[str, Domain]
    mailboxes: dict[str, Mailbox]
    aliases: Collection[str]
    users: Collection[str]  # who own no mailbox
    neighbours: Neighbours
    rooms: dict[int, domain_caps.Room]
    beyond: Collection[int]  # keys of users whose password is not the actor's to set

    @classmethod
    def read(cls, wanted: Sequence[Wanted], actor: Actor) -> _Ground:
        addresses = [each.address for each in wanted]
        found = domains.locked_all({domain_of(address) for address in addresses})
        rows = Mailbox.objects.select_related("user", "domain", "policy")
        rows = rows.select_for_update(of=("self", "user"), no_key=True).filter(
            user__address__in=bulk_sql.among(addresses)
        )
        boxes = {box.user.address: box for box in rows.order_by("pk")}
        new = [address for address in addresses if address not in boxes]
        chosen = {each.address for each in wanted if each.password is not None}
        return cls(
            domains=found,
            mailboxes=boxes,
            aliases=set(Alias.objects.filter(address__in=new).values_list("address", flat=True)) if new else (),
            users=set(User.objects.filter(address__in=bulk_sql.among(new)).values_list("address", flat=True))
            if new
            else (),
            neighbours=Neighbours.of(new, found.values()),
            rooms=domain_caps.rooms(found.values(), actor=actor),
            beyond=grants.beyond([box.user for box in boxes.values() if box.user.address in chosen], actor=actor),
        )


class _Judge:
    """Says what becomes of one after the other; each finds counted what stood before it. No statement, no slow hash."""

    def __init__(self, ground: _Ground, hashes: Hashes, only: Only | None) -> None:
        self._ground = ground
        self._hashes = hashes
        self._only = only

    def judged(self, wanted: Wanted) -> _Case | Rejected:
        try:
            return self._standing(wanted)
        except Rejected as refusal:
            return refusal

    def _standing(self, wanted: Wanted) -> _Case:
        not_negative(wanted.fields, "quota_octets", "quota_messages")
        name = domain_of(wanted.address)
        domain = domains.there(name, self._ground.domains.get(name))
        mailbox = self._ground.mailboxes.get(wanted.address)
        if mailbox is None:
            return self._made(wanted, domain)
        if mailbox.removed_at is not None:
            raise removal_notice.refusal(mailbox)
        if self._only is Only.NEW:
            raise Rejected(_("%(address)s is a mailbox already") % {"address": mailbox}, field="address")
        return self._changed(wanted, domain, mailbox)

    def _made(self, wanted: Wanted, domain: Domain) -> _Case:
        if self._only is Only.THERE:
            raise removal_notice.unknown(wanted.address)
        room = self._ground.rooms[domain.pk]
        domains.refuse_standing(domain)
        self._refuse_taken(wanted.address)
        if not wanted.look_alike:
            self._ground.neighbours.refuse(wanted.address)
        room.refuse_one_more()
        case = _Case(Mailbox(user=User(address=wanted.address), domain=domain), created=True)
        self._give_first_password(case, wanted.password)
        case.assign({"quota_octets": domain_caps.quota_of_new(domain), **wanted.fields})
        room.refuse_hold(case.changes)
        room.refuse_quota(case.mailbox.quota_octets)
        room.take(case.mailbox.quota_octets, mailboxes=1)
        self._ground.neighbours.add(wanted.address)
        return case

    def _changed(self, wanted: Wanted, domain: Domain, mailbox: Mailbox) -> _Case:
        room = self._ground.rooms[domain.pk]
        case = _Case(mailbox, created=False)
        case.assign(wanted.fields)
        if wanted.password is not None:
            grants.refuse_sign_in(mailbox.user, self._ground.beyond)  # nor is he told whether it is the present one
            new_password.refuse_hash(wanted.password)  # also where one was taken for the present password before
            if wanted.address not in self._hashes.same:
                case.give(wanted.password, self._hashes.of(wanted.address))
        room.refuse_hold(case.changes)
        if "quota_octets" in case.changes:
            was, quota = case.changes["quota_octets"]
            room.refuse_quota(quota, was=was)
            room.take(quota, was=was)
        return case

    def _give_first_password(self, case: _Case, chosen: str | None) -> None:
        address = case.mailbox.user.address
        if chosen is not None:
            case.give(chosen, self._hashes.of(address))
        elif self._hashes.generates:
            case.secret = self._hashes.new[address].password
            new_password.have(case.mailbox.user, self._hashes.of(address))
        else:
            case.mailbox.user.set_unusable_password()

    def _refuse_taken(self, address: str) -> None:
        if address in self._ground.aliases:
            raise Rejected(_("%(address)s is an alias: remove that first") % {"address": address}, field="address")
        if address in self._ground.users:
            raise Rejected(_("%(address)s is the login of an administrator") % {"address": address}, field="address")


def domain_of(address: str) -> str:
    """The domain of an address in its normal form."""
    return address.rpartition("@")[2]


def _write(cases: Sequence[_Case]) -> None:
    made = [case.mailbox for case in cases if case.created]
    bulk_sql.insert([mailbox.user for mailbox in made])
    for mailbox in made:
        mailbox.user = mailbox.user  # takes over the key that it has now
    bulk_sql.insert(made)
    bulk_sql.insert([_main_device(mailbox) for mailbox in made])
    there = [case for case in cases if not case.created]
    _update([(case.mailbox.user, case.of_user) for case in there])
    _update([(case.mailbox, case.of_mailbox) for case in there])


def _main_device(mailbox: Mailbox) -> Device:
    """While it is the only device, the main password gives plain RFC 1939: what it deletes is deleted."""
    return Device(mailbox=mailbox, name=MAIN_DEVICE, main=True, mode=Device.Mode.PRIMARY)


def _update(rows: Sequence[tuple[Model, Collection[str]]]) -> None:
    """Write what changed in any of the locked rows; what of it has not changed in another is as it was read."""
    bulk_sql.update(
        [row for row, changed in rows if changed], sorted(set().union(*(changed for _row, changed in rows)))
    )


def _entries(cases: Iterable[_Case], actor: Actor) -> list[AuditEntry]:
    return [
        audit.entry(
            actor, "mailbox.create" if case.created else "mailbox.change", case.mailbox.user.address,
            mailbox=case.mailbox, changes=_told(case.changes),
        )
        for case in cases
        if case.created or case.changes
    ]  # fmt: skip


def _told(changes: Changes) -> dict[str, list[str | int | None]]:
    """As the audit has it, which the owner may read: of the administrators' notes only how long they are."""
    old, new = changes.get("notes", ("", ""))
    return details(changes | ({"notes": (len(old), len(new))} if "notes" in changes else {}))
