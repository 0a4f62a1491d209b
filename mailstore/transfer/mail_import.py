"""Imports mail that another program kept: each message once, with its old date and UIDL; sources are read elsewhere.

A batch at a time: which are new, their bodies made durable together, their rows in order. A message and the note of
its source are one transaction, so an import that was killed goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator
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
from mailstore.transfer.sources import Found, maildir, mbox, uidlist
from mailstore.transfer.sources.contents import LOST, NotMail, Why
from mailstore.wire.body_normalizer import RawNormalizer

T = TypeVar("T")

FORMATS = ("maildir", "mbox")
BATCH_MESSAGES = 50  # bodies being made durable at once; with 128 KB of memory each at most
UIDL_CHARACTERS = 70  # RFC 1939 §7: 1 to 70, of 0x21 to 0x7E
UNIQUE_VIOLATION = "23505"

Progress = Callable[[str, int, int | None], None]
Warn = Callable[[str], None]


@dataclass(slots=True)
class ImportResult:
    """What an import did, message by message."""

    imported: int = 0
    present: int = 0  # brought in by an earlier run
    renamed: int = 0  # came under a new UIDL, since the old one could not be kept
    failed: int = 0  # could not be read
    refused: dict[str, int] = field(default_factory=dict)  # compressed, by what, or encrypted: mail that is missing now
    passed_over: dict[str, int] = field(default_factory=dict)  # is no mail: by its name, or what it is
    over_quota: bool = False  # where the mailbox stands now; an import itself is not bound by the quota

    def count(self, other: NotMail) -> None:
        """Count what is not imported since it is no message that can be read."""
        counts = self.refused if other.why in LOST else self.passed_over
        counts[other.what] = counts.get(other.what, 0) + 1


@dataclass(frozen=True, slots=True)
class _Job:
    mailbox: int
    delivery: StoredDelivery
    store: BodyStore
    warn: Warn
    done: ImportResult = field(default_factory=ImportResult)


@dataclass(frozen=True, slots=True)
class _Source:
    """How many messages there are, where that is known, each of them, and what else lies between them."""

    total: int | None
    found: Iterator[Found]
    strangers: Collection[NotMail] = ()


@dataclass(frozen=True, slots=True)
class _Stored:
    """A message whose body is durable, with the UIDL it shall have (None: a new one)."""

    found: Found
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
    """Bring the messages at `path` into a mailbox; `kind` is one of FORMATS, or None to look.

    What cannot be read or keep its UIDL is told to `warn`, and the import goes on. Rejected when the mailbox or the
    source is not what it should be; Unavailable, StorageFull stop it where it is: run it again.
    """
    mailbox = mailbox_lookup.get(address)
    source = _source(path, kind)
    audit.record(actor, "mailbox.import", mailbox.user.address, mailbox=mailbox, source=str(path))
    settings = conf.load()
    with asyncio.Runner() as runner, one_off.delivery_on(runner, settings) as delivery:
        job = _Job(mailbox.pk, delivery, bodies.from_url(settings.mail_store_url), warn)
        for other in source.strangers:
            job.done.count(other)
        count = 0
        while batch := _next(path, source.found):
            _take(runner, job, batch)
            count += len(batch)
            progress(_("messages"), count, source.total)
    mailbox = mailbox_lookup.get(address)  # its quota as it is now; or it was removed meanwhile, and took nothing more
    job.done.over_quota = mailbox_lookup.above_quota(mailbox)
    return job.done


def _source(path: Path, kind: str | None) -> _Source:
    try:
        if (kind or ("maildir" if path.is_dir() else "mbox")) == "mbox":
            path.open("rb").close()
            return _Source(None, mbox.messages(path))
        if not maildir.is_maildir(path):
            raise Rejected(_("%(path)s is not a Maildir: it has neither cur nor new") % {"path": path})
        return _Source(*maildir.messages(path), list(maildir.strangers(path)))
    except (OSError, uidlist.BadUidlist) as error:
        raise Rejected(_("%(path)s cannot be read: %(error)s") % {"path": path, "error": error}) from error


def _next(path: Path, found: Iterator[Found]) -> list[Found]:
    try:
        return list(islice(found, BATCH_MESSAGES))
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


def _take(runner: asyncio.Runner, job: _Job, batch: list[Found]) -> None:
    fresh = _fresh(job, batch)
    taken = _spent_uidls(job.mailbox, fresh)
    kept = [(found, _kept_uidl(job, found, taken)) for found in fresh]
    refused = runner.run(_store_and_place(job, kept))
    for stored in refused:
        job.warn(_("%(name)s: another message has its UIDL; it gets a new one") % {"name": stored.found.name})
        job.done.renamed += 1
    runner.run(_place(job, [_Stored(one.found, one.ref, None) for one in refused]))


def _fresh(job: _Job, batch: list[Found]) -> list[Found]:
    """Return what no earlier run brought in, each once."""
    each = {found.identity: found for found in batch}
    before = ImportedSource.objects.filter(mailbox=job.mailbox, source__in=list(each))
    for source in before.values_list("source", flat=True):
        del each[bytes(source)]
    job.done.present += len(batch) - len(each)
    return list(each.values())


def _spent_uidls(mailbox: int, fresh: Iterable[Found]) -> set[str]:
    """Return which of their UIDLs a message of the mailbox has or had: none is ever used again."""
    return spent_uidls.among({found.uidl for found in fresh if found.uidl and _is_uidl(found.uidl)}, mailbox=mailbox)


def _kept_uidl(job: _Job, found: Found, taken: set[str]) -> str | None:
    """Return the UIDL to keep, and count it as taken; None where there is none that can be."""
    uidl = found.uidl
    if uidl is None:
        return None
    if uidl not in taken and _is_uidl(uidl):
        taken.add(uidl)
        return uidl
    reason = (
        _("is or was that of another message in this mailbox")
        if uidl in taken
        else _("is not valid: a UIDL has 1 to 70 characters from ! to ~")
    )
    job.warn(
        _("%(name)s: its UIDL %(uidl)a %(reason)s; it gets a new one")
        % {"name": found.name, "uidl": uidl[:UIDL_CHARACTERS], "reason": reason}
    )
    job.done.renamed += 1
    return None


def _is_uidl(text: str) -> bool:
    return 0 < len(text) <= UIDL_CHARACTERS and all("!" <= character <= "~" for character in text)


async def _store_and_place(job: _Job, kept: list[tuple[Found, str | None]]) -> list[_Stored]:
    """Make the bodies durable together, then write the rows in order; returns what another's UIDL kept out."""
    stored = await asyncio.gather(*(_store(job, found, uidl) for found, uidl in kept))
    return await _place(job, [one for one in stored if one is not None])


async def _store(job: _Job, found: Found, uidl: str | None) -> _Stored | None:
    """Read a message into a body; None when it cannot be read or is none. The store's own errors end the import."""
    draft, door = job.store.begin(), RawNormalizer()
    try:
        for octets in _wire(found, door):
            draft.write(octets)
    except NotMail as other:
        draft.abort()
        job.done.count(other)
        if other.why in LOST:
            job.warn(_refusal(found.name, other))
        return None
    except OSError as error:
        draft.abort()
        job.warn(_("%(name)s cannot be read: %(error)s") % {"name": found.name, "error": error})
        job.done.failed += 1
        return None
    ref: BodyRef | MailError = await one_off.answer(lambda done: job.delivery.store(draft, door.octets, done))
    return _Stored(found, _right(ref), uidl)


def _wire(found: Found, door: RawNormalizer) -> Iterator[bytes]:
    """Yield a message in wire form. NotMail where there is none, OSError."""
    for chunk in found.read():
        yield door.feed(chunk)
    yield door.finish()
    if not door.octets:
        raise NotMail(Why.EMPTY)


async def _place(job: _Job, stored: list[_Stored]) -> list[_Stored]:
    """Write the rows: asked for one after the other, on one lane, so in this order. Returns the refused UIDLs'."""
    answers = await asyncio.gather(*(_place_one(job, one) for one in stored))
    refused = []
    for one, answer in zip(stored, answers, strict=True):
        if isinstance(answer, StatementFailed) and answer.sqlstate == UNIQUE_VIOLATION:
            refused.append(one)
        elif isinstance(answer, PlacementRefused):  # another import of the same source was faster
            job.delivery.discard(one.ref)
            job.done.present += 1
        else:
            _right(answer)
            job.done.imported += 1
    return refused


async def _place_one(job: _Job, one: _Stored) -> MailError | None:
    placement = Placement(
        (job.mailbox,),
        one.ref,
        uidl=one.uidl,
        arrived_at=one.found.arrived_at,
        unlimited=True,
        source=one.found.identity,
        uidl_digest=None if one.uidl is None else spent_uidls.digest(one.uidl),
    )
    return await one_off.answer(lambda done: job.delivery.place(placement, done))


def _right(answer: T | MailError) -> T:
    if isinstance(answer, MailError):
        raise answer
    return answer
