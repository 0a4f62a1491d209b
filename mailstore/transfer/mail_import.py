"""Import the mail of another program: each message once, with its old date and UIDL. `sources` reads the formats.

Messages are imported in batches: find the new ones, make their bodies durable together, write their rows in order. A
message and the row of its source are written in one transaction, so an import that was killed can go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

from django.utils.translation import gettext as _

from mailstore import bodies, conf
from mailstore.delivery import one_off
from mailstore.delivery.delivery import StoredDelivery
from mailstore.delivery.message_writer import Placement, PlacementRefused
from mailstore.directory import audit, mailbox_lookup
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.errors import MailError
from mailstore.models import ImportedSource
from mailstore.pg.pipeline import StatementFailed
from mailstore.ports import BodyRef, BodyStore
from mailstore.transfer import spent_uidls
from mailstore.transfer.sources import SourceMessage, maildir, mbox, uidlist
from mailstore.transfer.sources.contents import LOST, NotMail, Why
from mailstore.wire.body_normalizer import RawNormalizer

T = TypeVar("T")

FORMATS = ("maildir", "mbox")
BATCH_MESSAGES = 50  # bodies that are made durable at once; each takes at most 128 KB of memory
UNIQUE_VIOLATION = "23505"

Progress = Callable[[str, int, int | None], None]
Warn = Callable[[str], None]


@dataclass(slots=True)
class ImportResult:
    """How many messages an import brought in, and what happened to the others."""

    imported: int = 0
    present: int = 0  # imported by an earlier run
    renamed: int = 0  # imported with a new UIDL, since the old one could not be kept
    failed: int = 0  # could not be read
    refused: dict[str, int] = field(default_factory=dict)  # mail that is missing: compressed, by program, or encrypted
    passed_over: dict[str, int] = field(default_factory=dict)  # files that are no mail, by name or kind
    over_quota: bool = False  # of the mailbox after the import, which the quota does not bind

    def count(self, other: NotMail) -> None:
        """Count a file that is not imported, since it is no message that can be read."""
        counts = self.refused if other.why in LOST else self.passed_over
        counts[other.what] = counts.get(other.what, 0) + 1


@dataclass(frozen=True, slots=True)
class _Import:
    mailbox: int
    delivery: StoredDelivery
    store: BodyStore
    warn: Warn
    done: ImportResult = field(default_factory=ImportResult)


@dataclass(frozen=True, slots=True)
class _Source:
    """The messages of a source, their number if it is known, and the files between them that are no messages."""

    total: int | None
    messages: Iterator[SourceMessage]
    not_mail: Collection[NotMail] = ()


@dataclass(frozen=True, slots=True)
class _Stored:
    """A message whose body is durable, with the UIDL that it will have (None: a new one)."""

    message: SourceMessage
    ref: BodyRef
    uidl: str | None


def run(
    address: str,
    path: Path,
    *,
    actor: Actor,
    kind: str | None = None,
    progress: Progress = lambda _what, _count, _total: None,
    warn: Warn = lambda _text: None,
) -> ImportResult:
    """Import the messages at `path` into a mailbox. `kind` is one of FORMATS; None means to look what it is.

    `warn` hears of each message that cannot be read or cannot keep its UIDL, and the import goes on. Rejected when
    there is no such mailbox or source. Unavailable and StorageFull interrupt the import: run it again.
    """
    mailbox = mailbox_lookup.get(address)
    source = _source(path, kind)
    audit.record(actor, "mailbox.import", mailbox.user.address, mailbox=mailbox, source=str(path))
    settings = conf.load()
    with asyncio.Runner() as runner, one_off.delivery_on(runner, settings) as delivery:
        current = _Import(mailbox.pk, delivery, bodies.site_store(), warn)
        for other in source.not_mail:
            current.done.count(other)
        count = 0
        while batch := _next(path, source.messages):
            _take(runner, current, batch)
            count += len(batch)
            progress(_("messages"), count, source.total)
    mailbox = mailbox_lookup.get(address)  # read again for its quota; rejected if it has been removed
    current.done.over_quota = mailbox_lookup.above_quota(mailbox)
    return current.done


def _source(path: Path, kind: str | None) -> _Source:
    try:
        if (kind or ("maildir" if path.is_dir() else "mbox")) == "mbox":
            path.open("rb").close()
            return _Source(None, mbox.messages(path))
        if not maildir.is_maildir(path):
            raise Rejected(_("%(path)s is not a Maildir: it has neither cur nor new") % {"path": path})
        return _Source(*maildir.messages(path), list(maildir.not_mail(path)))
    except (OSError, uidlist.BadUidlist) as error:
        raise Rejected(_("%(path)s cannot be read: %(error)s") % {"path": path, "error": error}) from error


def _next(path: Path, messages: Iterator[SourceMessage]) -> list[SourceMessage]:
    try:
        return list(islice(messages, BATCH_MESSAGES))
    except OSError as error:
        raise Rejected(str(error)) from error
    except mbox.NotAnMbox as error:
        other = error.unreadable
        raise Rejected(str(error) if other is None or other.why not in LOST else _refusal(str(path), other)) from error


def _refusal(name: str, other: NotMail) -> str:
    if other.why is Why.ENCRYPTED:
        return _("%(name)s is encrypted by Dovecot and not imported: have it decrypted there first") % {"name": name}
    return _("%(name)s is compressed with %(packing)s and not imported: unpack it first") % {
        "name": name,
        "packing": other.what,
    }


def _take(runner: asyncio.Runner, current: _Import, batch: list[SourceMessage]) -> None:
    fresh = _fresh(current, batch)
    taken = spent_uidls.among({message.uidl for message in fresh if message.uidl}, mailbox=current.mailbox)
    kept = [(message, _kept_uidl(current, message, taken)) for message in fresh]
    refused = runner.run(_store_and_place(current, kept))
    for stored in refused:
        current.warn(_("%(name)s: another message has its UIDL; it gets a new one") % {"name": stored.message.name})
        current.done.renamed += 1
    runner.run(_place(current, [_Stored(one.message, one.ref, None) for one in refused]))


def _fresh(current: _Import, batch: list[SourceMessage]) -> list[SourceMessage]:
    """Return the messages that no earlier run imported, each once."""
    each = {message.identity: message for message in batch}
    before = ImportedSource.objects.filter(mailbox=current.mailbox, source__in=list(each))
    for source in before.values_list("source", flat=True):
        del each[bytes(source)]
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


async def _store_and_place(current: _Import, kept: list[tuple[SourceMessage, str | None]]) -> list[_Stored]:
    """Make the bodies durable together, then write the rows in order. Return the messages with refused UIDLs."""
    stored = await asyncio.gather(*(_store(current, message, uidl) for message, uidl in kept))
    return await _place(current, [one for one in stored if one is not None])


async def _store(current: _Import, message: SourceMessage, uidl: str | None) -> _Stored | None:
    """Read a message into a body. None if it cannot be read or is no mail. Errors of the store end the import."""
    draft, normalizer = current.store.begin(), RawNormalizer()
    try:
        for data in _wire(message, normalizer):
            draft.write(data)
    except NotMail as other:
        draft.abort()
        current.done.count(other)
        if other.why in LOST:
            current.warn(_refusal(message.name, other))
        return None
    except OSError as error:
        draft.abort()
        current.warn(_("%(name)s cannot be read: %(error)s") % {"name": message.name, "error": error})
        current.done.failed += 1
        return None
    ref: BodyRef | MailError = await one_off.answer(lambda done: current.delivery.store(draft, normalizer.octets, done))
    return _Stored(message, _checked(ref), uidl)


def _wire(message: SourceMessage, normalizer: RawNormalizer) -> Iterator[bytes]:
    """Yield a message in wire form. Raises NotMail if it is no message or empty, and OSError."""
    for chunk in message.read():
        yield normalizer.feed(chunk)
    yield normalizer.finish()
    if not normalizer.octets:
        raise NotMail(Why.EMPTY)


async def _place(current: _Import, stored: list[_Stored]) -> list[_Stored]:
    """Write the rows in this order: one lane runs them one after another. Return the messages with refused UIDLs."""
    answers = await asyncio.gather(*(_place_one(current, one) for one in stored))
    refused = []
    for one, answer in zip(stored, answers, strict=True):
        if isinstance(answer, StatementFailed) and answer.sqlstate == UNIQUE_VIOLATION:
            refused.append(one)
        elif isinstance(answer, PlacementRefused):  # another import of the same source wrote it first
            current.delivery.discard(one.ref)
            current.done.present += 1
        else:
            _checked(answer)
            current.done.imported += 1
    return refused


async def _place_one(current: _Import, one: _Stored) -> MailError | None:
    placement = Placement(
        (current.mailbox,),
        one.ref,
        uidl=one.uidl,
        arrived_at=one.message.arrived_at,
        unlimited=True,
        source=one.message.identity,
        uidl_digest=None if one.uidl is None else spent_uidls.digest(one.uidl),
    )
    return await one_off.answer(lambda done: current.delivery.place(placement, done))


def _checked(answer: T | MailError) -> T:
    if isinstance(answer, MailError):
        raise answer
    return answer
