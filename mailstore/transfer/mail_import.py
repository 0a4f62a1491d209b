"""Import the mail of another program: each message once, with its old date and UIDL. `sources` reads the formats.

Messages are imported in batches: find the new ones, make their bodies durable together, write their rows in order. A
message and the row of its source are written in one transaction, so an import that was killed can go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext as _

from mailstore import conf
from mailstore.directory import audit, mailbox_lookup
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import ImportedSource
from mailstore.transfer import import_source, spent_uidls
from mailstore.transfer.content_digest import ContentDigest
from mailstore.transfer.import_source import DEFAULT, FORMATS, Choices, Source, refusal
from mailstore.transfer.import_writer import ImportedMessage, ImportWriter, Outcome, writer_on
from mailstore.transfer.sources import SourceMessage, header_date, mbox
from mailstore.transfer.sources.contents import LOST, NotMail, Why
from mailstore.transfer.sources.old_server_error import OldServerError
from mailstore.transfer.sources.packing import Damaged
from mailstore.transfer.sources.pop3_client import Account
from mailstore.transfer.twins import Twins
from mailstore.wire.body_normalizer import RawNormalizer

BATCH_MESSAGES = 256  # bodies that are made durable at once; each takes at most 128 KB of memory

__all__ = ["FORMATS", "Choices", "ImportResult", "run"]

Progress = Callable[[str, int, int | None], None]
Warn = Callable[[str], None]


@dataclass(slots=True)
class ImportResult:
    """How many messages an import brought in, and what happened to the others."""

    imported: int = 0
    present: int = 0  # imported by an earlier run, perhaps from another place
    renamed: int = 0  # imported with a new UIDL, since the old one could not be kept
    failed: int = 0  # could not be read
    deleted: int = 0  # left out, since their mail program has marked them as deleted
    refused: dict[str, int] = field(default_factory=dict)  # mail that may be missing: compressed, encrypted, or links
    passed_over: dict[str, int] = field(default_factory=dict)  # files that are no mail, by name or kind
    folders: dict[str, int] = field(default_factory=dict)  # other folders of the Maildir, with their messages
    over_quota: bool = False  # of the mailbox after the import, which the quota does not bind

    def count(self, other: NotMail) -> None:
        """Count a file that is not imported, since it is no message that can be read."""
        counts = self.refused if other.why in LOST else self.passed_over
        counts[other.what] = counts.get(other.what, 0) + 1


@dataclass(frozen=True, slots=True)
class _Stored:
    """A message whose body is durable, with its name for warnings."""

    name: str
    row: ImportedMessage


@dataclass(slots=True)
class _Import:
    mailbox: int
    source: Source
    writer: ImportWriter
    warn: Warn
    done: ImportResult
    twins: Twins
    lost: OldServerError | None = None  # the old server is gone, so no more messages are read
    waiting: list[_Stored] = field(default_factory=list)  # the batch whose rows come next, while bodies are written
    paired: list[ImportedSource] = field(default_factory=list)  # the messages of the batch that have a twin


def run(
    address: str,
    place: Path | Account,
    *,
    actor: Actor,
    choices: Choices = DEFAULT,
    progress: Progress = lambda _what, _count, _total: None,
    warn: Warn = lambda _text: None,
) -> ImportResult:
    """Import the messages at a path, or of an account on an old server, into a mailbox.

    `warn` hears of each message that cannot be read or cannot keep its UIDL, and the import goes on. Rejected when
    there is no such mailbox or source. Unavailable and StorageFull interrupt the import: run it again.
    """
    mailbox = mailbox_lookup.get(address)
    settings = conf.load()
    source = import_source.opened(place, choices, most_octets=settings.lmtp.max_message_octets, warn=warn)
    audit.record(actor, "mailbox.import", mailbox.user.address, mailbox=mailbox, source=str(place))
    done = ImportResult(folders=dict(source.other_folders))
    for other in source.not_mail:
        done.count(other)
    with (
        closing(source),
        asyncio.Runner() as runner,
        writer_on(runner, settings, mailbox.pk, source.place) as writer,
    ):
        twins = Twins(mailbox.pk, source.place)
        current, count = _Import(mailbox.pk, source, writer, warn, done, twins), 0
        try:
            while batch := _next(place, source.messages):
                _take(runner, current, batch if choices.with_deleted else _without_deleted(current, batch))
                count += len(batch)
                progress(_("messages"), count, source.total)
        finally:
            runner.run(_place_waiting(current))
    mailbox = mailbox_lookup.get(address)  # read again for its quota; rejected if it has been removed
    done.over_quota = mailbox_lookup.above_quota(mailbox)
    return done


def _next(place: Path | Account, messages: Iterator[SourceMessage]) -> list[SourceMessage]:
    try:
        return list(islice(messages, BATCH_MESSAGES))
    except OSError as error:
        raise Rejected(str(error)) from error
    except mbox.NotAnMbox as error:
        other = error.unreadable
        raise Rejected(str(error) if other is None or other.why not in LOST else refusal(str(place), other)) from error


def _without_deleted(current: _Import, batch: list[SourceMessage]) -> list[SourceMessage]:
    kept = [message for message in batch if not message.deleted]
    current.done.deleted += len(batch) - len(kept)
    return kept


def _take(runner: asyncio.Runner, current: _Import, batch: list[SourceMessage]) -> None:
    fresh = _fresh(current, batch)
    taken = spent_uidls.among({message.uidl for message in fresh if message.uidl}, mailbox=current.mailbox)
    taken.update(one.row.uidl for one in current.waiting if one.row.uidl)
    current.source.fetch(fresh)
    runner.run(_store_and_place(current, fresh, taken))
    _note_twins(current)
    if current.lost is not None:
        raise Rejected(current.source.cut(current.lost)) from current.lost


def _fresh(current: _Import, batch: list[SourceMessage]) -> list[SourceMessage]:
    """Return the messages that no earlier run imported, each once."""
    each = {message.identity: message for message in batch}
    for one in current.waiting:
        each.pop(one.row.source, None)
    known_by = {message.former_identity: message.identity for message in each.values() if message.former_identity}
    known_by.update((identity, identity) for identity in each)
    before = ImportedSource.objects.filter(mailbox=current.mailbox, source__in=list(known_by))
    for source in before.values_list("source", flat=True):
        each.pop(known_by[bytes(source)], None)
    current.done.present += len(batch) - len(each)
    return list(each.values())


def _kept_uidl(current: _Import, message: SourceMessage, taken: set[str]) -> str | None:
    """Return the UIDL to keep, and add it to `taken`. None if the message has none, or cannot keep it."""
    uidl = message.uidl
    if uidl is None:
        return None
    if uidl not in taken and spent_uidls.is_uidl(uidl):
        taken.add(uidl)
        return uidl
    reason = (
        _("is or was that of another message in this mailbox")
        if uidl in taken
        else _("is not valid: a UIDL has 1 to 70 characters from ! to ~")
    )
    current.warn(
        _("%(name)s: its UIDL %(uidl)a %(reason)s; it gets a new one")
        % {"name": message.name, "uidl": uidl[: spent_uidls.UIDL_CHARACTERS], "reason": reason}
    )
    current.done.renamed += 1
    return None


def _note_twins(current: _Import) -> None:
    """Write the rows of the messages with a twin, so that the next run does not read them again."""
    ImportedSource.objects.bulk_create(current.paired, ignore_conflicts=True)
    current.done.present += len(current.paired)
    current.paired.clear()


async def _store_and_place(current: _Import, messages: list[SourceMessage], taken: set[str]) -> None:
    """Make the bodies durable together. Meanwhile the rows of the batch before are written."""
    placing = asyncio.ensure_future(_place_waiting(current))
    try:
        stored = await asyncio.gather(*(_store(current, message, taken) for message in messages))
    finally:
        await placing
    current.waiting.extend(one for one in stored if one is not None)


async def _place_waiting(current: _Import) -> None:
    """Write the rows of the messages that wait, in their order; last those whose UIDL is refused, with a new one."""
    waiting = current.waiting[:]
    current.waiting.clear()
    refused = await _place(current, waiting)
    for one in refused:
        current.warn(_("%(name)s: another message has its UIDL; it gets a new one") % {"name": one.name})
        current.done.renamed += 1
    await _place(current, [_Stored(one.name, replace(one.row, uidl=None)) for one in refused])


async def _store(current: _Import, message: SourceMessage, taken: set[str]) -> _Stored | None:
    """Read a message into a body. None if it has a twin, cannot be read or is no mail. Errors of the store end all."""
    if current.lost is not None:
        return None
    draft, normalizer, content, begin = current.writer.begin(), RawNormalizer(), ContentDigest(), b""
    try:
        for data in _wire(message, normalizer, content):
            begin = begin or data
            draft.write(data)
    except (NotMail, Damaged, OSError, OldServerError) as error:
        draft.abort()
        _leave_out(current, message, error)
        return None
    if current.twins.pair(content.value()):
        draft.abort()
        current.paired.append(_twin(current, message, content.value(), taken))
        return None
    uidl = _kept_uidl(current, message, taken)
    arrived_at = message.arrived_at or header_date.arrival(begin, timezone.now())
    ref = await current.writer.store(draft, normalizer.octets)
    return _Stored(message.name, ImportedMessage(ref, message.identity, arrived_at, uidl, content.value()))


def _twin(current: _Import, message: SourceMessage, content: bytes, taken: set[str]) -> ImportedSource:
    """Return the row of a message that has a twin. No other message gets its UIDL, which mail programs have seen."""
    digest = None
    if message.uidl is not None and message.uidl not in taken and spent_uidls.is_uidl(message.uidl):
        taken.add(message.uidl)
        digest = spent_uidls.digest(message.uidl)
    return ImportedSource(
        mailbox_id=current.mailbox,
        source=message.identity,
        place_digest=current.source.place,
        content_digest=content,
        uidl_digest=digest,
    )


def _leave_out(current: _Import, message: SourceMessage, error: NotMail | Damaged | OSError | OldServerError) -> None:
    if isinstance(error, OldServerError):
        current.lost = error  # told once, when what was read so far is stored
        return
    if isinstance(error, NotMail):
        current.done.count(error)
        if error.why in LOST:
            current.warn(refusal(message.name, error))
        return
    current.done.failed += 1
    current.warn(_("%(name)s cannot be read: %(error)s") % {"name": message.name, "error": error})


def _wire(message: SourceMessage, normalizer: RawNormalizer, content: ContentDigest) -> Iterator[bytes]:
    """Yield a message in wire form. Raises NotMail if it is no message or empty, Damaged and OSError."""
    for chunk in message.read():
        content.add(chunk)
        yield normalizer.feed(chunk)
    yield normalizer.finish()
    if not normalizer.octets:
        raise NotMail(Why.EMPTY)


async def _place(current: _Import, stored: list[_Stored]) -> list[_Stored]:
    """Write the rows in this order. Return the messages with refused UIDLs."""
    outcomes = await current.writer.place([one.row for one in stored])
    current.done.imported += outcomes.count(Outcome.IMPORTED)
    current.done.present += outcomes.count(Outcome.PRESENT)
    return [one for one, outcome in zip(stored, outcomes, strict=True) if outcome is Outcome.UIDL_TAKEN]
