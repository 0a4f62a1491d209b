"""Read an MTA's log into the trace: what never reached us. It goes on where it ended, and tells nothing twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from mailstore.models import MtaLogPosition, TraceEntry
from mailstore.mta_log import exim_line, line_head, postfix_line
from mailstore.mta_log.log_event import LogEvent, Outcome, Taken
from mailstore.mta_log.log_source import Journal, Line, LogFile
from mailstore.mta_log.outcome_writer import OutcomeWriter

BATCH_LINES = 2_000  # of one transaction
MESSAGES_KEPT = 20_000  # whose sender is remembered, some 10 MB; the MTA names it once, and the recipients later
OLDEST = timedelta(days=90)  # an older line would be forgotten by the next sweep
Reason = TraceEntry.Reason


@dataclass(frozen=True, slots=True)
class Read:
    """How many lines were read, and how many rows of the trace they made or counted up."""

    lines: int = 0
    rows: int = 0


class ReadElsewhere(OSError):
    """Another process reads this log too. What it has read is in the trace."""


class LogReader:
    """One reading of a log. Call `read`; with `follow` it goes on until `stop`."""

    def __init__(self, source: LogFile | Journal) -> None:
        self._source = source
        self._zone = line_head.machine_zone()
        self._position = ""
        self._messages: OrderedDict[str, Taken] = OrderedDict()
        self._writer = OutcomeWriter()

    def read(self, *, follow: bool = False, stop: Callable[[], bool] = lambda: False) -> Read:
        """Read what is new. OSError if the log cannot be read; ReadElsewhere if another process reads it, too.

        `stop` is asked behind each line, and every second where there is none.
        """
        kept, _made = MtaLogPosition.objects.get_or_create(
            source=self._source.name, defaults={"read_at": timezone.now()}
        )
        self._position = kept.position
        done, batch = Read(), list[Line]()
        for line in self._source.lines(kept.position, follow=follow):
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
        kept = MtaLogPosition.objects.select_for_update().get(source=self._source.name)
        if kept.position != self._position:
            raise ReadElsewhere("another read-mta-log reads it, too: one is enough")
        kept.position, kept.read_at = lines[-1].position, timezone.now()
        rows = self._writer.write(self._outcomes(lines, kept.read_at), self._messages)
        kept.save()
        self._position = kept.position
        return rows

    def _outcomes(self, lines: Sequence[Line], now: datetime) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for line in lines:
            event = self._event(line, now)
            if isinstance(event, Taken):
                self._remember(event)
            elif event is not None and event.at > now - OLDEST:
                outcomes += _recipients(event, outcomes) if event.recipient is None else [event]
        return outcomes

    def _remember(self, message: Taken) -> None:
        known = self._messages.pop(message.mta_id, Taken(message.mta_id))
        facts = {
            name: value for name in ("sender", "octets", "message_id") if (value := getattr(message, name)) is not None
        }
        self._messages[message.mta_id] = replace(known, **facts)
        if len(self._messages) > MESSAGES_KEPT:
            self._messages.popitem(last=False)

    def _event(self, line: Line, now: datetime) -> LogEvent | None:
        if line.at_microseconds is not None:
            at = datetime.fromtimestamp(line.at_microseconds / 1_000_000, UTC)
            return self._said(line.program, at, line.text, now)
        found = line_head.head(line.text, now, self._zone)
        if found is None:
            return None
        at, program, text = found
        return self._said(program, at, text, now) if program else exim_line.event(at, text)

    def _said(self, program: str, at: datetime, text: str, now: datetime) -> LogEvent | None:
        """Return what a program said by syslog or to the journal. Exim says its own time there too."""
        if not program.startswith("exim"):
            return postfix_line.event(program, at, text)
        own = line_head.head(text, now, self._zone)
        return exim_line.event(at, own[2] if own else text)


def _recipients(given_up: Outcome, earlier: Iterable[Outcome]) -> list[Outcome]:
    """Return the outcome for each recipient that the queue still had, where the MTA names none.

    `earlier` are the outcomes that are not written yet.
    """
    rows = TraceEntry.objects.filter(mta_id=given_up.mta_id, reason=Reason.QUEUED)
    waiting = dict.fromkeys(rows.order_by("pk").values_list("recipient", flat=True))
    for one in earlier:
        if one.mta_id == given_up.mta_id and one.recipient:
            waiting.pop(one.recipient, None)
            waiting |= {one.recipient: None} if one.reason == Reason.QUEUED else {}
    return [replace(given_up, recipient=recipient) for recipient in waiting]
