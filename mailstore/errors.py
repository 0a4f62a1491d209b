"""The one tree of errors that cross the waist; texts for peers live in each protocol's `replies`, not here.

MailError
├── Refused                  will fail again: the peer, the owner or the admin must change something
│   ├── BadCredentials       unknown user, wrong password, suspended account: never told apart
│   ├── PopSwitchedOff       said only after the right password
│   ├── MainPasswordBarred   said only after the right password
│   ├── UnknownRecipient     no mailbox and no alias of this address
│   ├── RecipientDisabled    the mailbox does not receive
│   ├── QuotaRejected        over quota in a domain that rejects
│   ├── MessageTooLarge      above the site's message limit
│   └── BodyLost             the row's body is known to be missing or damaged
└── TryAgain                 may work later without anybody's doing; also every bug of our own
    ├── Unavailable          database or body store away
    ├── BodyUnreadable       the body store is there, and does not give out this one body
    ├── StorageFull          no room left on the disk of the body store
    ├── QuotaDeferred        over quota in a domain that defers
    ├── Overloaded           a bounded queue is full
    ├── Throttled            too many wrong passwords or unknown accounts
    ├── Abandoned            the client left before its password was checked
    └── AliasOutside         an alias with targets that only the MTA can reach
"""


class MailError(Exception):
    """Base of all. `str(error)` is the cause for the log and never goes on the wire."""


class Refused(MailError):
    """Permanent for this input; a retry gives the same answer."""


class BadCredentials(Refused):
    """Unknown user, wrong password or suspended account; one reply, one cost."""


class PopSwitchedOff(Refused):
    """The password was right, POP is switched off for this mailbox."""


class MainPasswordBarred(Refused):
    """The password was right, but POP wants a device password in this mailbox."""


class UnknownRecipient(Refused):
    """Neither a mailbox nor an alias has this address."""


class RecipientDisabled(Refused):
    """The mailbox or its domain does not receive."""


class QuotaRejected(Refused):
    """The mailbox is full and its domain rejects (552 5.2.2)."""


class MessageTooLarge(Refused):
    """The message is above the site's limit (552 5.3.4)."""


class BodyLost(Refused):
    """A row's body is missing, short or not the one that was stored; an operator must look."""


class TryAgain(MailError):
    """Temporary; also what an unexpected exception becomes."""


class Unavailable(TryAgain):
    """The database or the body store cannot be reached now."""


class BodyUnreadable(TryAgain):
    """The system refuses to read a body: its disk fails there, or it belongs to another user."""


class StorageFull(TryAgain):
    """The body store has no room left."""


class QuotaDeferred(TryAgain):
    """The mailbox is full and its domain defers (452 4.2.2)."""


class Overloaded(TryAgain):
    """A bounded queue is full; nothing is wrong with the request."""


class Throttled(TryAgain):
    """Too many distinct wrong passwords or unknown accounts."""


class Abandoned(TryAgain):
    """The client left, or let others go first, before its password was checked."""


class AliasOutside(TryAgain):
    """An alias whose targets are not all local; the MTA must expand it before LMTP."""
