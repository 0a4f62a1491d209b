"""Export a live maildrop as a Maildir or an mbox, with dates and UIDLs. Changes nothing in the store."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC
from itertools import islice
from pathlib import Path

from django.utils.translation import gettext as _

from mailstore import bodies
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
class ExportResult:
    """How many messages an export wrote, found already there, or could not read."""

    exported: int = 0
    present: int = 0  # written by an earlier run
    lost: int = 0  # the body is missing


@dataclass(frozen=True, slots=True)
class _Export:
    mailbox: Mailbox
    store: BodyStore
    progress: Progress
    warn: Warn
    done: ExportResult = field(default_factory=ExportResult)


def run(
    address: str,
    folder: Path,
    *,
    actor: Actor,
    kind: str = "maildir",
    progress: Progress = lambda _what, _count, _total: None,
    warn: Warn = lambda _text: None,
) -> ExportResult:
    """Write every message of the live maildrop below `folder`. `kind` is one of FORMATS.

    An existing Maildir is completed: messages that an earlier run wrote stay as they are. An mbox is written from the
    start, and gets its name when it is complete. `warn` hears of each lost body. Rejected when the folder cannot be
    written.
    """
    mailbox = mailbox_lookup.get(address)
    audit.record(actor, "mailbox.export", mailbox.user.address, mailbox=mailbox, target=str(folder))
    export = _Export(mailbox, bodies.site_store(), progress, warn)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (_to_mbox if kind == "mbox" else _to_maildir)(export, folder)
    except (OSError, uidlist.BadUidlist) as error:
        raise Rejected(_("%(path)s cannot be written: %(error)s") % {"path": folder, "error": error}) from error
    return export.done


# --- Maildir ------------------------------------------------------------------------------------------------------


def _to_maildir(export: _Export, folder: Path) -> None:
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    listed = maildir.uids(folder) or uidlist.Uidlist(int(time.time()), {})
    present = {uidlist.base_of(name) for name in maildir.names(folder)}
    uid = max((entry.uid for entry in listed.entries.values()), default=0)
    for message in _messages(export):
        base = f"{int(message.arrived_at.timestamp())}.P{message.pk}.popadmin,S={message.octets}"
        if base in present:
            export.done.present += 1
        elif not _write_file(export, message, folder, base):
            continue
        if base not in listed.entries:
            uid += 1
            listed.entries[base] = uidlist.Entry(uid, message.uidl, base)
    _write_whole(
        folder / uidlist.FILE, (line.encode() for line in uidlist.render(listed.validity, listed.entries.values()))
    )


def _write_file(export: _Export, message: Message, folder: Path, base: str) -> bool:
    """Write one message to `tmp`, then move it to `new`, as Maildir demands. Return False when its body is lost."""
    unfinished = folder / "tmp" / base
    try:
        _write(unfinished, unstuffed(export.store, message))
    except BodyLost as loss:
        unfinished.unlink(missing_ok=True)
        _warn_of_loss(export, message, loss)
        return False
    arrived = message.arrived_at.timestamp()
    os.utime(unfinished, (arrived, arrived))
    unfinished.rename(folder / "new" / base)
    export.done.exported += 1
    return True


# --- mbox ---------------------------------------------------------------------------------------------------------


def _to_mbox(export: _Export, folder: Path) -> None:
    _write_whole(folder / f"{export.mailbox.user.address.replace('/', '_')}.mbox", _mbox(export))


def _mbox(export: _Export) -> Iterator[bytes]:
    """Yield the content of the file. A message whose body is lost is left out."""
    for message in _messages(export):
        content = unstuffed(export.store, message)
        try:
            first = next(content, b"")
        except BodyLost as loss:
            _warn_of_loss(export, message, loss)
            continue
        date = message.arrived_at.astimezone(UTC).strftime("%a %b %e %H:%M:%S %Y")
        yield f"From MAILER-DAEMON {date}\nX-UIDL: {message.uidl}\n".encode()
        yield from mbox.quoted(_chained(first, content))
        yield b"\n"
        export.done.exported += 1


def _chained(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


# --- both ---------------------------------------------------------------------------------------------------------


def _messages(export: _Export) -> Iterator[Message]:
    """Yield the live messages in their order. They are read in batches, so that memory and snapshots stay small."""
    live = Message.objects.filter(mailbox=export.mailbox, removed=None).select_related("body").order_by("added")
    total, count, after = live.count(), 0, -1
    while batch := list(islice(live.filter(added__gt=after), BATCH_ROWS)):
        yield from batch
        after, count = batch[-1].added, count + len(batch)
        export.progress(_("messages"), count, total)


def _warn_of_loss(export: _Export, message: Message, loss: BodyLost) -> None:
    export.done.lost += 1
    export.warn(_("message %(uidl)s is lost: %(loss)s") % {"uidl": message.uidl, "loss": loss})


def _write_whole(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file under another name, and give it its own name when it is complete."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    _write(unfinished, chunks)
    unfinished.rename(path)


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        for chunk in chunks:
            stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())
