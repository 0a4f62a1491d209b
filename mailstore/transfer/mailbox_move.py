"""Move the mail of one mailbox from its old server, or go on with it. The row of the move says how far it is.

It runs in a process of its own, which alone knows the password. If that process ends early, the next sign-in goes on:
it knows the password again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import connection
from django.utils import timezone, translation

from mailstore.directory import mailbox_lookup, mailbox_moves
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.errors import MailError
from mailstore.models import Mailbox, MailboxMove
from mailstore.transfer import mail_import
from mailstore.transfer.mail_import import ImportResult
from mailstore.transfer.sources.old_server_error import Flaw, Lost, PasswordRefused, Unusable
from mailstore.transfer.sources.pop3_client import Account

log = logging.getLogger("popadmin.move")

State, Reason = MailboxMove.State, MailboxMove.Reason
_LOCK = 0x6D6F7665  # the first key of the advisory locks of moves; the second is the mailbox
_REASONS = {
    Flaw.NO_TLS: Reason.NO_TLS,
    Flaw.BAD_CERTIFICATE: Reason.BAD_CERTIFICATE,
    Flaw.TLS_FAILED: Reason.TLS_FAILED,
    Flaw.NO_UIDL: Reason.NO_UIDL,
    Flaw.NOT_POP3: Reason.NOT_POP3,
    Flaw.TOO_MANY: Reason.NOT_POP3,
}


def account_of(mailbox: Mailbox, password: str) -> Account:
    """Return the account of a marked mailbox on its old server. Rejected if it is not marked, or its server ended."""
    move = mailbox_moves.of_mailbox(mailbox)
    found = None if move is None else mailbox_moves.server_of(move)
    if found is None:
        raise Rejected(f"{mailbox.user.address} is not to be moved: it is not marked, or its domain has no old server")
    server, user = found
    return Account(server, user, password)


def run(address: str, password: str) -> MailboxMove | None:
    """Move the mail, and return the row of the move. None if another process moves it now. Rejected by `account_of`."""
    mailbox = mailbox_lookup.get(address)
    account = account_of(mailbox, password)
    with _alone(mailbox) as alone:
        if not alone:
            return None
        _enter(mailbox, {"state": State.MOVING, "messages": 0, "total": None, "reason": "", "detail": ""})
        _enter(mailbox, _outcome(mailbox, account))
    return MailboxMove.objects.get(mailbox=mailbox)


def _outcome(mailbox: Mailbox, account: Account) -> dict[str, object]:
    """Import the mail, and return what then stands in the row."""
    address = mailbox.user.address
    try:
        with translation.override("en"):  # the words of the store go into the log and the row as they are
            done = mail_import.run(
                address, account, actor=Actor(address, "shell"), progress=lambda _what, *count: _count(mailbox, *count)
            )
    except Rejected as error:
        reason, detail = _reason(error)
    except MailError as error:
        reason, detail = Reason.STORE, str(error)
    else:
        return _moved(done)
    log.warning("a mailbox was not moved", extra={"data": {"address": address, "cause": f"{reason}: {detail}"}})
    return {"state": State.FAILED, "reason": reason, "detail": detail}


def _moved(done: ImportResult) -> dict[str, object]:
    if left := done.failed + sum(done.refused.values()):
        # What the old server cannot read again is lost there; it must not keep all other mail from its owner.
        return {"state": State.MOVED, "moved_at": timezone.now(), "reason": Reason.MESSAGES, "detail": str(left)}
    return {"state": State.MOVED, "moved_at": timezone.now()}


def _reason(error: Rejected) -> tuple[MailboxMove.Reason, str]:
    cause = error.__cause__
    if isinstance(cause, PasswordRefused):
        return Reason.PASSWORD, str(cause)
    if isinstance(cause, Unusable):
        return _REASONS[cause.flaw], cause.detail
    return (Reason.LOST, str(cause)) if isinstance(cause, Lost) else (Reason.STORE, str(error))


def _enter(mailbox: Mailbox, values: Mapping[str, object]) -> None:
    MailboxMove.objects.filter(mailbox=mailbox).update(since=timezone.now(), **values)


def _count(mailbox: Mailbox, messages: int, total: int | None) -> None:
    MailboxMove.objects.filter(mailbox=mailbox).update(messages=messages, total=total)


@contextmanager
def _alone(mailbox: Mailbox) -> Iterator[bool]:
    """Hold the lock of this mailbox's move, for the time of this process's connection. False if another holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s::int)", [_LOCK, mailbox.pk % 2**31])
        (alone,) = cursor.fetchone()
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s::int)", [_LOCK, mailbox.pk % 2**31])
