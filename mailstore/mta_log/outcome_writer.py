"""Writes what an MTA's log says of mail to or from our domains into the trace, within the transaction of a reading.

A recipient that the MTA cannot reach is looked up as LMTP would, so its row has the true reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b

from django.db.models import F

from mailstore.delivery.trace_row import FoldRooms
from mailstore.models import Domain, Mailbox, TraceEntry
from mailstore.mta_log import refusal_text
from mailstore.mta_log.log_event import Outcome, Taken
from mailstore.mta_log.refused_recipients import RefusedRecipients
from mailstore.pg import array_literals
from mailstore.policy.addresses import BadAddress, lookup_keys, normal_address
from mailstore.policy.trace_fold import KEY_OCTETS, NAMES_IN_ALL, FoldRoom
from mailstore.sql.orm_lanes import OrmLanes
from mailstore.sql.statements.delivery import LOOPED
from mailstore.sql.statements.view import LOCK

AN_HOUR = timedelta(hours=1)
Answer = TraceEntry.Answer
Reason = TraceEntry.Reason


@dataclass(frozen=True, slots=True)
class _Places:
    """Our domains and mailboxes that some outcomes are about, by name. `former` are domains that were removed."""

    domains: Mapping[str, int]
    former: frozenset[str]
    mailboxes: Mapping[str, int]

    def domain(self, *names: str) -> int | None:
        return next((self.domains[part] for name in names if (part := _domain(name)) in self.domains), None)

    def mailbox(self, *names: str) -> int | None:
        return next((self.mailboxes[key] for name in names for key in _keys(name) if key in self.mailboxes), None)

    def is_ours(self, name: str) -> bool:
        """Return whether an address is in a domain that is hosted here, or was."""
        return _domain(name) in self.domains or _domain(name) in self.former


class OutcomeWriter:
    """The rows of one reading of a log. Call `write` for each batch of its lines, in order."""

    def __init__(self) -> None:
        self._room = FoldRoom(known=_folded)
        self._refused = RefusedRecipients(FoldRooms(FoldRoom(known=_folded), FoldRoom(known=_folded)))

    def write(self, outcomes: Sequence[Outcome], messages: Mapping[str, Taken]) -> int:
        """Write outcomes; return how many. `messages` are those that the reading remembers, by queue id."""
        wanted = _wanted(_with_senders(outcomes, messages))
        places = _places(wanted)
        waiting, looped, written = _waiting(wanted), set[int](), 0
        for outcome in wanted:
            if outcome.reason == Reason.SENT:
                written += outcome.mta_id in waiting and _end_waiting(outcome)
                continue
            if not self._is_kept(outcome, places):
                continue
            written += 1
            cause = refusal_text.reason(outcome)
            if self._is_explained(outcome, places):
                continue
            recipient, sender = _normal(outcome.recipient or ""), _normal(outcome.sender or "")
            mailbox = places.mailbox(recipient, sender)
            if cause == Reason.LOOP and mailbox is not None:
                looped.add(mailbox)
            self._write(outcome, messages.get(outcome.mta_id), cause, places.domain(recipient, sender), mailbox)
        self._refused.write()
        _note_loops(looped)
        return written

    def _is_kept(self, outcome: Outcome, places: _Places) -> bool:
        """Return whether it is about mail of ours. A message without recipients may have been to anybody."""
        names = (_normal(outcome.recipient or ""), _normal(outcome.sender or ""))
        return not outcome.recipient or any(map(places.is_ours, names))

    def _is_explained(self, outcome: Outcome, places: _Places) -> bool:
        """Note a recipient of ours that the MTA cannot reach, if the lookup finds the cause."""
        recipient = outcome.recipient or ""
        is_refused = outcome.reason == Reason.REJECTED and places.is_ours(_normal(recipient))
        return is_refused and refusal_text.is_of_recipient(outcome.text) and self._refused.add(outcome)

    def _write(
        self, outcome: Outcome, message: Taken | None, cause: str, domain: int | None, mailbox: int | None
    ) -> None:
        """Add it to the row of its message and recipient. What strangers can cause is folded by the hour."""
        sender, recipient = outcome.sender or "", outcome.recipient or ""
        has_name = True
        if outcome.mta_id and outcome.reason != Reason.REJECTED:
            key = _key(outcome)
        else:
            fold = self._room.fold(outcome.at, cause, sender, recipient)
            has_name = (fold.sender, fold.recipient) == (sender, recipient)
            key, sender, recipient = fold.key, fold.sender, fold.recipient
        answer = Answer.REFUSED if outcome.final else Answer.DEFERRED
        rows = TraceEntry.objects.filter(fold_key=key)
        if rows.update(tries=F("tries") + 1, at=outcome.at, reply=outcome.text, answer=answer, reason=cause):
            return
        TraceEntry.objects.create(
            at=outcome.at,
            first_at=outcome.at,
            source=TraceEntry.Source.MTA,
            answer=answer,
            reason=cause,
            reply=outcome.text,
            sender=sender,
            recipient=recipient,
            domain_id=domain,
            mailbox_id=mailbox if has_name else None,
            octets=message.octets if message else None,
            message_id=(message.message_id if message else None) or "",
            mta_id=outcome.mta_id,
            origin=outcome.origin,
            fold_key=key,
        )


def _folded(hour: datetime) -> Iterator[tuple[str, bytes]]:
    """Yield domain and key of the folded rows of an hour that readings before have made."""
    of_hour = TraceEntry.objects.filter(source=TraceEntry.Source.MTA, copy=False, first_at__gte=hour)
    rows = of_hour.filter(at__gte=hour, first_at__lt=hour + AN_HOUR).exclude(sender="", recipient="")
    for recipient, key in rows.values_list("recipient", "fold_key")[:NAMES_IN_ALL]:
        yield _domain(recipient.lower()), bytes(key or b"")


def _wanted(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Leave out the refusals of our own policy service: the trace has its rows."""
    return [one for one in outcomes if one.reason != Reason.REJECTED or not refusal_text.is_of_policy(one.text)]


def _with_senders(outcomes: Sequence[Outcome], messages: Mapping[str, Taken]) -> list[Outcome]:
    """Add the senders by queue id: as this reading has seen them, else as an earlier one has written them."""
    wanted = {one.mta_id for one in outcomes if one.sender is None and one.reason != Reason.SENT}
    seen = {key: messages[key].sender for key in wanted if key in messages}
    earlier = TraceEntry.objects.filter(mta_id__in=wanted - seen.keys()).values_list("mta_id", "sender")
    senders = dict(earlier) | {key: sender for key, sender in seen.items() if sender is not None}
    return [replace(one, sender=senders.get(one.mta_id)) if one.sender is None else one for one in outcomes]


def _waiting(outcomes: Sequence[Outcome]) -> set[str]:
    """Return the queue ids of the messages whose recipients may have a row that says that they wait."""
    sent = {one.mta_id for one in outcomes if one.reason == Reason.SENT}
    deferred = {one.mta_id for one in outcomes if one.reason == Reason.QUEUED}
    rows = TraceEntry.objects.filter(mta_id__in=sent - deferred, reason=Reason.QUEUED)
    return set(rows.values_list("mta_id", flat=True)) | (sent & deferred)


def _end_waiting(outcome: Outcome) -> int:
    """Say in the row of a message that has waited that it went on; return how many rows that are."""
    rows = TraceEntry.objects.filter(mta_id=outcome.mta_id, recipient=outcome.recipient, reason=Reason.QUEUED)
    return rows.update(answer=Answer.DELIVERED, reason=Reason.SENT, at=outcome.at, reply=outcome.text)


def _note_loops(mailbox_ids: set[int]) -> None:
    """Tell the overview that messages of these mailboxes go in a circle, as the delivery does."""
    if mailbox_ids:
        boxes = array_literals.bigints(sorted(mailbox_ids))
        steps = ((LOCK, LOCK.values(mailbox_ids=boxes)), (LOOPED, LOOPED.values(mailbox_ids=boxes)))
        OrmLanes().write(steps, lambda _answer: None)


def _key(outcome: Outcome) -> bytes:
    parts = ("mta", outcome.mta_id, outcome.recipient or "", outcome.reason, str(outcome.final))
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=KEY_OCTETS).digest()


def _places(outcomes: Sequence[Outcome]) -> _Places:
    named = [one for one in outcomes if one.reason != Reason.SENT]
    names = {name for one in named for name in (_normal(one.recipient or ""), _normal(one.sender or ""))}
    domains = set(map(_domain, names))
    rows = Domain.objects.filter(name__in=domains).values_list("name", "pk", "stands_for", "removed_at")
    hosted = {name: stands_for or key for name, key, stands_for, removed_at in rows if removed_at is None}
    former = frozenset(name for name, *_rest in rows) - hosted.keys()
    boxes = Mailbox.objects.filter(user__address__in={key for name in names for key in _keys(name)}, removed_at=None)
    return _Places(hosted, former, dict(boxes.values_list("user__address", "pk")))


def _domain(name: str) -> str:
    return name.rpartition("@")[2]


def _keys(name: str) -> list[str]:
    return lookup_keys(name) if "@" in name else []


def _normal(address: str) -> str:
    try:
        return normal_address(address)
    except (BadAddress, UnicodeEncodeError):
        return address.lower()
