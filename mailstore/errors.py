"""What the ports answer with: `Done` takes a value or one of the errors below.

Each protocol makes its replies of the errors in its module `replies`.

MailError
├── Refused                  will fail again: the peer, the owner or the admin must change something
│   ├── BadCredentials       unknown user, wrong password, suspended account: not distinguished on purpose
│   ├── PopSwitchedOff       only after the right password
│   ├── MainPasswordBarred   only after the right password
│   ├── SendingOff           only after the right password
│   ├── DeviceMayNotSend     only after the right password
│   ├── UnknownRecipient     no mailbox and no alias of this address
│   ├── RecipientDisabled    the mailbox does not receive
│   ├── QuotaRejected        over quota in a domain that rejects
│   ├── MessageTooLarge      above the site's message limit
│   ├── MailLoop             the message comes back to where it was delivered before
│   └── BodyLost             the row's body is known to be missing or damaged
└── TryAgain                 may work later by itself; also every bug of our own
    ├── Unavailable          the database or the body store cannot be reached
    ├── BodyUnreadable       the body store is there, but cannot read or remove this body
    ├── StorageFull          no room left on the disk of the body store
    ├── QuotaDeferred        over quota in a domain that defers
    ├── Overloaded           a bounded queue is full
    ├── Throttled            too many wrong passwords or unknown accounts
    ├── SendingLimitReached  a mailbox or its domain has sent as much as it may for now
    ├── MailMoving           the mail is still being moved from the old server
    ├── Abandoned            the client left before its password was checked
    └── AliasOutside         an alias with targets that only the MTA can reach
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar


class MailError(Exception):
    """The base of all. `str(error)` is the cause for the log; it is never sent to a peer."""


class MailboxRefusal(Exception):
    """What some errors of the tree have in common: the `mailboxes` that they are about, for the trace."""

    def __init__(self, cause: str, *, mailboxes: tuple[int, ...] = ()) -> None:
        super().__init__(cause)
        self.mailboxes = mailboxes


class OverQuota(MailboxRefusal):
    """No room: in the mailboxes, or `in_domain` below the quota of their domain."""

    def __init__(self, cause: str, *, mailboxes: tuple[int, ...] = (), in_domain: bool = False) -> None:
        super().__init__(cause, mailboxes=mailboxes)
        self.in_domain = in_domain


class Refused(MailError):
    """Permanent for this input; a retry gives the same answer."""


class BadCredentials(Refused):
    """Unknown user, wrong password or suspended account. All get one reply and cost the same."""


class PopSwitchedOff(Refused):
    """The password was right, but POP is switched off for this mailbox."""


class MainPasswordBarred(Refused):
    """The main password was right, but mail programs need a device password in this mailbox."""


class SendingOff(Refused):
    """The password was right, but this mailbox may not send."""


class DeviceMayNotSend(Refused):
    """The password of a device was right, but it is for fetching alone."""


class UnknownRecipient(Refused):
    """Neither a mailbox nor an alias has this address. `elsewhere`: its domain is none of ours."""

    def __init__(self, cause: str, *, elsewhere: bool = False) -> None:
        super().__init__(cause)
        self.elsewhere = elsewhere


class RecipientDisabled(MailboxRefusal, Refused):
    """The mailbox or its domain does not receive."""


class QuotaRejected(OverQuota, Refused):
    """The mailbox is full and its domain rejects (552 5.2.2)."""


class MessageTooLarge(Refused):
    """The message is above the site's limit (552 5.3.4)."""


class MailLoop(Refused):
    """The message was delivered to this address before, or goes in a circle between servers (554 5.4.6)."""


class BodyLost(Refused):
    """The body of a row is missing, short or not the one that was stored; an operator must look at it."""


class TryAgain(MailError):
    """Temporary. An unexpected exception becomes one too."""


class Unavailable(TryAgain):
    """The database or the body store cannot be reached now."""


class BodyUnreadable(TryAgain):
    """A body cannot be read or removed: the disk fails there, or the file belongs to another user."""


class StorageFull(TryAgain):
    """The body store has no room left."""


class QuotaDeferred(OverQuota, TryAgain):
    """The mailbox is full and its domain defers (452 4.2.2)."""


class Overloaded(TryAgain):
    """A bounded queue is full. Nothing is wrong with the request."""


class Throttled(TryAgain):
    """Too many distinct wrong passwords or unknown accounts."""


class SendingLimitReached(TryAgain):
    """A mailbox, or its domain, has sent as many messages as it may in an hour or a day."""


class MailMoving(TryAgain):
    """The password was right, but the mail of the mailbox is still being moved from its old server."""


class Abandoned(TryAgain):
    """The client left before its password was checked, or let others go first for too long."""


class AliasOutside(TryAgain):
    """An alias with targets that are not local; the MTA must expand it before LMTP."""


T = TypeVar("T")

# How a port answers that cannot answer at once. The caller passes `done`. The port calls it exactly once, with a value
# or with a MailError; it may do so before the call returns. The call itself never raises. A session that has ended by
# then ignores the answer. There is no task, no future and no coroutine, so an answer costs one call.
Done = Callable[[T | MailError], None]
