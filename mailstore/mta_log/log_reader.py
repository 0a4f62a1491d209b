"""Read an MTA's log into the trace: what never reached us. It goes on where it ended, and tells nothing twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from mailstore.models import Domain, Mailbox, MtaLogPosition, TraceEntry
from mailstore.mta_log import exim_line, line_head, postfix_line
from mailstore.mta_log.log_event import LogEvent, Outcome, Taken
from mailstore.mta_log.log_source import Journal, Line, LogFile
from mailstore.policy.addresses import BadAddress, lookup_keys, normal_address
from mailstore.policy.trace_fold import KEY_OCTETS, FoldRoom

BATCH_LINES = 2_000  # of one transaction
MESSAGES_KEPT = 20_000  # whose sender is remembered, some 10 MB; the MTA names it once, and the recipients later
OLDEST = timedelta(days=90)  # an older line would be forgotten by the next sweep
Reason = TraceEntry.Reason


@dataclass(frozen=True, slots=True)
class Read:
    """How many lines were read, and how many rows of the trace they made or counted up."""

    lines: int = 0
    rows: int = 0


class LogReader:
    """One reading of a log. Call `read`; with `follow` it goes on until `stop`."""

    def __init__(self, source: LogFile | Journal) -> None:
        self._source = source
        self._messages: OrderedDict[str, Taken] = OrderedDict()
        self._room = FoldRoom()

    def read(self, *, follow: bool = False, stop: Callable[[], bool] = lambda: False) -> Read:
        """Read what is new. OSError if the log cannot be read.

        `stop` is asked behind each line, and every second where there is none.
        """
        kept = MtaLogPosition.objects.filter(source=self._source.name).first()
        done, batch = Read(), list[Line]()
        for line in self._source.lines(kept.position if kept else "", follow=follow):
            if line is not None:
                batch.append(line)
            if batch and (line is None or len(batch) >= BATCH_LINES):
                done = Read(done.lines + len(batch), done.rows + self._store(batch))
                batch = []
            if stop():
                break
        return done

    @transaction.atomic
    def _store(self, lines: Sequence[Line]) -> int:
        """Write a batch and the position behind it: both or neither."""
        now = timezone.now()
        outcomes = [outcome for line in lines for outcome in self._outcomes(line, now)]
        rows = _write(outcomes, self._messages, self._room)
        MtaLogPosition.objects.update_or_create(
            source=self._source.name, defaults={"position": lines[-1].position, "read_at": now}
        )
        return rows

    def _outcomes(self, line: Line, now: datetime) -> Iterable[Outcome]:
        event = _event(line, now)
        if isinstance(event, Taken):
            self._remember(event)
        elif event is not None and event.at > now - OLDEST:
            yield from _recipients(event) if event.recipient is None else [event]

    def _remember(self, message: Taken) -> None:
        known = self._messages.pop(message.mta_id, Taken(message.mta_id))
        told = {
            name: value for name in ("sender", "octets", "message_id") if (value := getattr(message, name)) is not None
        }
        self._messages[message.mta_id] = replace(known, **told)
        if len(self._messages) > MESSAGES_KEPT:
            self._messages.popitem(last=False)


def _event(line: Line, now: datetime) -> LogEvent | None:
    if line.at_microseconds is not None:
        at = datetime.fromtimestamp(line.at_microseconds / 1_000_000, UTC)
        return postfix_line.event(line.program, at, line.text)
    found = line_head.head(line.text, now)
    if found is None:
        return None
    at, program, text = found
    if not program:
        return exim_line.event(at, text)
    if program.startswith("exim"):  # by syslog, with a time of its own
        own = line_head.head(text, now)
        return exim_line.event(at, own[2] if own else text)
    return postfix_line.event(program, at, text)


def _recipients(given_up: Outcome) -> Iterable[Outcome]:
    """Return the outcome for each recipient that the queue still had, where the MTA names none."""
    waiting = TraceEntry.objects.filter(mta_id=given_up.mta_id, reason=Reason.QUEUED)
    for recipient in waiting.values_list("recipient", flat=True).distinct():
        yield replace(given_up, recipient=recipient)


def _write(outcomes: Sequence[Outcome], messages: dict[str, Taken], room: FoldRoom) -> int:
    """Write the outcomes of mail to or from our domains; return how many."""
    senders = _senders(outcomes, messages)
    told = [
        replace(outcome, sender=senders.get(outcome.mta_id)) if outcome.sender is None else outcome
        for outcome in outcomes
    ]
    names = {name for one in told for name in (_normal(one.recipient or ""), _normal(one.sender or ""))}
    domains = _domains({name.rpartition("@")[2] for name in names})
    boxes = _mailboxes({key for name in names if "@" in name for key in lookup_keys(name)})
    written = 0
    for outcome in told:
        recipient, sender = _normal(outcome.recipient or ""), _normal(outcome.sender or "")
        domain = domains.get(recipient.rpartition("@")[2]) or domains.get(sender.rpartition("@")[2])
        if domain is not None:
            mailbox = next((boxes[key] for name in (recipient, sender) for key in _keys(name) if key in boxes), None)
            _write_one(outcome, messages.get(outcome.mta_id), domain, mailbox, room)
            written += 1
    return written


def _write_one(outcome: Outcome, message: Taken | None, domain: int, mailbox: int | None, room: FoldRoom) -> None:
    """Add it to the row of its message and recipient. What a stranger can cause without end is folded by the hour."""
    sender, recipient = outcome.sender or "", outcome.recipient or ""
    if outcome.mta_id and outcome.reason != Reason.REJECTED:
        key = _key(outcome)
    else:
        fold = room.fold(outcome.at, outcome.reason, sender, recipient)
        key, sender, recipient = fold.key, fold.sender, fold.recipient
    rows = TraceEntry.objects.filter(fold_key=key)
    if rows.update(tries=F("tries") + 1, at=outcome.at, reply=outcome.text):
        return
    TraceEntry.objects.create(
        at=outcome.at,
        first_at=outcome.at,
        source=TraceEntry.Source.MTA,
        answer=TraceEntry.Answer.REFUSED if outcome.final else TraceEntry.Answer.DEFERRED,
        reason=outcome.reason,
        reply=outcome.text,
        sender=sender,
        recipient=recipient,
        domain_id=domain,
        mailbox_id=mailbox if recipient else None,
        octets=message.octets if message else None,
        message_id=(message.message_id if message else None) or "",
        mta_id=outcome.mta_id,
        origin=outcome.origin,
        fold_key=key,
    )


def _senders(outcomes: Sequence[Outcome], messages: dict[str, Taken]) -> dict[str, str]:
    """Return the senders by queue id: as this reading has seen them, else as an earlier one has written them."""
    wanted = {outcome.mta_id for outcome in outcomes if outcome.sender is None}
    seen = {key: messages[key].sender for key in wanted if key in messages}
    earlier = TraceEntry.objects.filter(mta_id__in=wanted - seen.keys()).values_list("mta_id", "sender")
    return dict(earlier) | {key: sender for key, sender in seen.items() if sender is not None}


def _key(outcome: Outcome) -> bytes:
    parts = ("mta", outcome.mta_id, outcome.recipient or "", outcome.reason, str(outcome.final))
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=KEY_OCTETS).digest()


def _domains(names: set[str]) -> dict[str, int]:
    rows = Domain.objects.filter(name__in=names, removed_at=None)
    return {name: target or key for name, key, target in rows.values_list("name", "pk", "stands_for")}


def _mailboxes(names: set[str]) -> dict[str, int]:
    rows = Mailbox.objects.filter(user__address__in=names, removed_at=None)
    return dict(rows.values_list("user__address", "pk"))


def _keys(name: str) -> list[str]:
    return lookup_keys(name) if "@" in name else []


def _normal(address: str) -> str:
    try:
        return normal_address(address)
    except (BadAddress, UnicodeEncodeError):
        return address.lower()
