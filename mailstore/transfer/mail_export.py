"""Exports a live maildrop as other programs keep mail, with dates and UIDLs; reads everything, changes nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC
from itertools import islice
from pathlib import Path

from django.utils.translation import gettext as _

from mailstore import bodies, conf
from mailstore.directory import audit, mailbox_lookup
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.errors import BodyLost
from mailstore.messages.message_file import unstuffed
from mailstore.models import Mailbox, Message
from mailstore.ports import BodyStore
from mailstore.transfer.sources import maildir, mbox, uidlist

FORMATS = ("maildir", "mbox")
BATCH_ROWS = 500

Progress = Callable[[str, int, int | None], None]
Warn = Callable[[str], None]


@dataclass(slots=True)
class Exported:
    """What an export did, message by message."""

    exported: int = 0
    present: int = 0  # written by an earlier run
    lost: int = 0  # the body is missing


@dataclass(frozen=True, slots=True)
class _Job:
    mailbox: Mailbox
    store: BodyStore
    progress: Progress
    warn: Warn
    done: Exported = field(default_factory=Exported)


def run(
    address: str,
    folder: Path,
    *,
    actor: Actor,
    kind: str = "maildir",
    progress: Progress = lambda _what, _count, _total: None,
    warn: Warn = lambda _text: None,
) -> Exported:
    """Write every message of the live maildrop below `folder`; `kind` is one of FORMATS.

    A Maildir that is there is completed: what an earlier run wrote is left alone. An mbox is made anew and takes its
    name when it is whole. A lost body is told to `warn`. Rejected when the folder cannot be written.
    """
    mailbox = mailbox_lookup.get(address)
    audit.record(actor, "mailbox.export", mailbox.user.address, mailbox=mailbox, target=str(folder))
    job = _Job(mailbox, bodies.from_url(conf.load().mail_store_url), progress, warn)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (_to_mbox if kind == "mbox" else _to_maildir)(job, folder)
    except (OSError, uidlist.BadUidlist) as error:
        raise Rejected(_("%(path)s cannot be written: %(error)s") % {"path": folder, "error": error}) from error
    return job.done


# --- Maildir ------------------------------------------------------------------------------------------------------


def _to_maildir(job: _Job, folder: Path) -> None:
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    listed = maildir.uids(folder) or uidlist.Uidlist(int(time.time()), {})
    present = {uidlist.base_of(name) for name in maildir.names(folder)}
    uid = max((entry.uid for entry in listed.entries.values()), default=0)
    for message in _messages(job):
        base = f"{int(message.arrived_at.timestamp())}.P{message.pk}.popadmin,S={message.octets}"
        if base in present:
            job.done.present += 1
        elif not _write_file(job, message, folder, base):
            continue
        if base not in listed.entries:
            uid += 1
            listed.entries[base] = uidlist.Entry(uid, message.uidl, base)
    _write_whole(
        folder / uidlist.FILE, (line.encode() for line in uidlist.render(listed.validity, listed.entries.values()))
    )


def _write_file(job: _Job, message: Message, folder: Path, base: str) -> bool:
    """Write one message by way of `tmp`, as Maildir wants it; False when its body is lost."""
    unfinished = folder / "tmp" / base
    try:
        _write(unfinished, unstuffed(job.store, message))
    except BodyLost as loss:
        unfinished.unlink(missing_ok=True)
        _tell_loss(job, message, loss)
        return False
    arrived = message.arrived_at.timestamp()
    os.utime(unfinished, (arrived, arrived))
    unfinished.rename(folder / "new" / base)
    job.done.exported += 1
    return True


# --- mbox ---------------------------------------------------------------------------------------------------------


def _to_mbox(job: _Job, folder: Path) -> None:
    _write_whole(folder / f"{job.mailbox.user.address.replace('/', '_')}.mbox", _mbox(job))


def _mbox(job: _Job) -> Iterator[bytes]:
    """Yield the file. A body that turns out to be lost on opening leaves no trace of its message."""
    for message in _messages(job):
        content = unstuffed(job.store, message)
        try:
            first = next(content, b"")
        except BodyLost as loss:
            _tell_loss(job, message, loss)
            continue
        date = message.arrived_at.astimezone(UTC).strftime("%a %b %e %H:%M:%S %Y")
        yield f"From MAILER-DAEMON {date}\nX-UIDL: {message.uidl}\n".encode()
        yield from mbox.quoted(_chained(first, content))
        yield b"\n"
        job.done.exported += 1


def _chained(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


# --- both ---------------------------------------------------------------------------------------------------------


def _messages(job: _Job) -> Iterator[Message]:
    """Yield the live messages in their order, in batches, so that memory and snapshots stay small."""
    live = Message.objects.filter(mailbox=job.mailbox, removed=None).select_related("body").order_by("added")
    total, count, after = live.count(), 0, -1
    while batch := list(islice(live.filter(added__gt=after), BATCH_ROWS)):
        yield from batch
        after, count = batch[-1].added, count + len(batch)
        job.progress(_("messages"), count, total)


def _tell_loss(job: _Job, message: Message, loss: BodyLost) -> None:
    job.done.lost += 1
    job.warn(_("message %(uidl)s is lost: %(loss)s") % {"uidl": message.uidl, "loss": loss})


def _write_whole(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file that has its name only when all of it is there."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    _write(unfinished, chunks)
    unfinished.rename(path)


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        for chunk in chunks:
            stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())
