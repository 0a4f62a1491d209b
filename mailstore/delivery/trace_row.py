"""The rows of the trace that an answer makes, as the statement TRACE takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from mailstore import errors
from mailstore.delivery.trace_headers import plain
from mailstore.errors import MailboxRefusal, MailError, OverQuota, TryAgain
from mailstore.models import TraceEntry
from mailstore.pg import array_literals
from mailstore.pg.statement import Parameters
from mailstore.policy.addresses import BadAddress, lookup_keys, normal_address
from mailstore.policy.trace_fold import Fold, FoldRoom
from mailstore.ports import Answer, Delivered, Unfit
from mailstore.sql.statements.trace import TRACE

Kind = TraceEntry.Answer
Reason = TraceEntry.Reason
FOLDED = frozenset({Reason.UNKNOWN, Reason.ADDRESS})  # what strangers can cause without end by any way
# Where a recipient is refused before a message came.
BEFORE_MESSAGE = frozenset({TraceEntry.Source.POLICY, TraceEntry.Source.MTA})
ID_CHARACTERS = 300  # of a Message-ID
OCTETS_MOST = 2**63 - 1  # of a bigint

# What each error of a delivery is called in the trace. What is not here is a bug of ours.
_REASONS: dict[type[MailError], Reason] = {
    errors.UnknownRecipient: Reason.UNKNOWN,
    errors.RecipientDisabled: Reason.CLOSED,
    errors.QuotaRejected: Reason.FULL,
    errors.QuotaDeferred: Reason.FULL,
    errors.MessageTooLarge: Reason.TOO_LARGE,
    errors.MailLoop: Reason.LOOP,
    errors.StorageFull: Reason.DISK,
    errors.Overloaded: Reason.BUSY,
    errors.AliasOutside: Reason.OUTSIDE,
}
_UNFIT: dict[Unfit, tuple[Kind, Reason]] = {
    Unfit.ADDRESS: (Kind.REFUSED, Reason.ADDRESS),
    Unfit.UTF8: (Kind.REFUSED, Reason.UTF8),
    Unfit.MANY: (Kind.DEFERRED, Reason.MANY),
}


@dataclass(frozen=True, slots=True)
class FoldRooms:
    """Room for folded refusals: of names that nobody has, and of those that exist, so that no flood hides these."""

    unknown: FoldRoom = field(default_factory=FoldRoom)
    known: FoldRoom = field(default_factory=FoldRoom)


@dataclass(slots=True)
class TraceRow:
    """One answer as it will be written. `places` are the mailboxes that it is about, each with the UIDL there."""

    at: datetime
    first_at: datetime
    answer: Answer
    kind: Kind
    reason: str
    sender: str
    recipient: str
    names: str
    domain: str
    places: Sequence[tuple[int, str]]
    pair: int | None
    tries: int = 1
    fold_key: bytes | None = None


def row(answer: Answer, at: datetime, rooms: FoldRooms) -> TraceRow:
    """Return the row of an answer that was given at this time. A refusal that strangers can cause is folded.

    Before an MTA has a message, that is every refusal: to be refused costs a stranger nothing. There, messages of
    another announced size are told apart, so that those that were deferred can be counted.
    """
    kind, reason = _judgement(answer)
    sender, recipient = plain(answer.sender), plain(answer.recipient)
    name = _normal(answer.recipient)
    made = TraceRow(
        at, at, answer, kind, reason, sender, recipient, "", name.rpartition("@")[2], _places(answer),
        _pair(sender, name, answer.announced_octets),
    )  # fmt: skip
    if kind is not Kind.DELIVERED and "@" in name:
        made.names = "\n".join(lookup_keys(name))
    if reason in FOLDED:
        _fold(made, rooms.unknown.fold(at, reason, sender, recipient), name)
    elif answer.source in BEFORE_MESSAGE:
        _fold(made, rooms.known.fold(at, reason, sender, recipient, str(answer.announced_octets)), name)
    return made


def _fold(made: TraceRow, fold: Fold, name: str) -> None:
    made.fold_key = fold.key
    if fold.recipient != made.recipient:
        made.sender = made.recipient = made.names = ""
        made.pair, made.domain = None, name.rpartition("@")[2] if fold.domain else ""
        made.places = ()


def _judgement(answer: Answer) -> tuple[Kind, str]:
    outcome = answer.outcome
    if isinstance(outcome, Delivered):
        return Kind.DELIVERED, ""
    if isinstance(outcome, Unfit):
        return _UNFIT[outcome]
    kind = Kind.DEFERRED if answer.reply.startswith("4") or isinstance(outcome, TryAgain) else Kind.REFUSED
    if isinstance(outcome, OverQuota) and outcome.in_domain:
        return kind, Reason.DOMAIN_FULL
    unexpected = Reason.DATABASE if isinstance(outcome, errors.Unavailable) else Reason.TROUBLE
    return kind, _REASONS.get(type(outcome), unexpected)


def _places(answer: Answer) -> Sequence[tuple[int, str]]:
    if isinstance(answer.outcome, Delivered):
        return answer.outcome.copies
    mailboxes = answer.outcome.mailboxes if isinstance(answer.outcome, MailboxRefusal) else ()
    return [(mailbox, "") for mailbox in mailboxes]


def _normal(recipient: str) -> str:
    """Return the normal form of a recipient; as it was given if it has none."""
    try:
        return normal_address(recipient)
    except (BadAddress, UnicodeEncodeError):
        return plain(recipient).lower()


def _pair(sender: str, name: str, announced_octets: int | None) -> int:
    """Return the same number for each try of a message. Without an announced size, for each of this sender."""
    text = f"{sender.lower()}\0{name}\0{announced_octets}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), signed=True)


def parameters(rows: Sequence[TraceRow]) -> Parameters:
    """Return the parameters of TRACE for these rows."""
    flat = [
        (number, place, row, mailbox, uidl)
        for number, row in enumerate(rows)
        for place, (mailbox, uidl) in enumerate(row.places or ((None, ""),))
    ]
    every = [row for _number, _place, row, _mailbox, _uidl in flat]

    def texts(value: Callable[[TraceRow], str | None]) -> bytes:
        return array_literals.texts(map(value, every))

    def numbers(value: Callable[[TraceRow], int | None]) -> bytes:
        return array_literals.bigints(map(value, every))

    return TRACE.values(
        entries=array_literals.bigints(number for number, *_rest in flat),
        places=array_literals.bigints(place for _number, place, *_rest in flat),
        at=texts(lambda row: row.at.isoformat()),
        first_at=texts(lambda row: row.first_at.isoformat()),
        tries=numbers(lambda row: row.tries),
        sources=texts(lambda row: row.answer.source),
        answers=texts(lambda row: row.kind),
        reasons=texts(lambda row: row.reason),
        replies=texts(lambda row: plain(row.answer.reply)),
        senders=texts(lambda row: row.sender),
        recipients=texts(lambda row: row.recipient),
        names=texts(lambda row: row.names),
        domains=texts(lambda row: row.domain),
        mailbox_ids=array_literals.bigints(mailbox for _number, _place, _row, mailbox, _uidl in flat),
        uidls=array_literals.texts(uidl for _number, _place, _row, _mailbox, uidl in flat),
        mailbox_counts=numbers(lambda row: max(1, len(row.places))),
        vias=texts(lambda row: "\n".join(row.answer.via)),
        octets=numbers(lambda row: row.answer.octets),
        announced_octets=numbers(_announced_octets),
        message_ids=texts(lambda row: plain(row.answer.marks.message_id, ID_CHARACTERS)),
        queue_ids=texts(_queue_id),
        mta_ids=texts(lambda row: row.answer.marks.mta_id),
        clients=texts(lambda row: row.answer.client),
        origins=texts(lambda row: plain(row.answer.marks.origin)),
        pairs=numbers(lambda row: row.pair),
        fold_keys=array_literals.texts(_octets(row.fold_key for row in every)),
    )


def _announced_octets(row: TraceRow) -> int | None:
    """Return what the sender announced. RFC 1870 §3 allows 20 digits: None for more than a column holds."""
    octets = row.answer.announced_octets
    return octets if octets is not None and octets <= OCTETS_MOST else None


def _queue_id(row: TraceRow) -> str:
    return row.answer.outcome.queue_id if isinstance(row.answer.outcome, Delivered) else ""


def _octets(keys: Iterable[bytes | None]) -> Iterable[str | None]:
    return (None if key is None else f"\\x{key.hex()}" for key in keys)
