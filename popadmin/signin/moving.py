"""The first sign-in on the pages of a user whose mailbox is still at its old server, as POP3 does it too."""

from __future__ import annotations

from functools import cache
from threading import BoundedSemaphore

from mailstore.directory import mailbox_moves
from mailstore.errors import MailError, Throttled
from mailstore.models import User
from mailstore.transfer.old_server_moves import OldServerMoves
from popadmin.signin.limits import Busy
from popadmin.web import people

ASKING_AT_MOST = 2  # threads that wait for old servers; a process has eight, and the pages need some

_asking = BoundedSemaphore(ASKING_AT_MOST)


def takes_over(name: str, password: str) -> bool:
    """Ask the old server of a marked mailbox without a password, and keep the password if it is right there.

    False for everybody else. Busy if too many ask, or the old server does not answer.
    """
    user = people.users_with_rights().filter(address=name).first()
    mailbox = getattr(user, "mailbox", None)
    if user is None or mailbox is None or user.has_usable_password() or people.suspended(user):
        return False
    move = mailbox_moves.pending(mailbox)
    if move is None:
        return False
    if not _asking.acquire(blocking=False):
        raise Busy
    try:
        encoded = _moves().ask_and_wait(move, password)
    except Throttled:  # the reply of a wrong password, or strangers would see who is marked
        return False
    except MailError as error:
        raise Busy from error
    finally:
        _asking.release()
    if encoded is None:
        return False
    mailbox_moves.keep_password(user, encoded)
    return True


def hides(name: str) -> bool:
    """Return whether a refusal is told as Busy: an old server that users of this domain ask is away.

    Those for whom it would be asked are told the same, so strangers do not see who is marked.
    """
    if not _moves().away(None):
        return False
    return any(_moves().away(server) for server in mailbox_moves.servers_behind(name.rpartition("@")[2]))


def go_on(user: User, password: str) -> None:
    """Move the mail in the background, if the user's mailbox is marked and not moved."""
    mailbox = getattr(user, "mailbox", None)
    move = None if mailbox is None else mailbox_moves.pending(mailbox)
    if move is not None and move.due:
        _moves().go_on(move, password)


@cache
def _moves() -> OldServerMoves:
    """Return the moves of this process. It is made after the fork, since threads do not survive one."""
    return OldServerMoves()
