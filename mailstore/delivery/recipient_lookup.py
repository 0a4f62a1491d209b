"""Finds the mailboxes of a recipient's address: by +detail, aliases, forwards, catch-alls and alias domains."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mailstore.delivery.recipient_search import RecipientSearch, keys_of
from mailstore.delivery.trace_headers import plain
from mailstore.errors import (
    AliasOutside,
    MailError,
    Unavailable,
    UnknownRecipient,
)
from mailstore.pg import array_literals
from mailstore.policy.addresses import (
    BadAddress,
    catch_all_of,
    normal_address,
)
from mailstore.ports import Done, Recipient
from mailstore.sql.lanes import Lanes
from mailstore.sql.quota_relief import FIND_ROOM, RELIEF_BATCHES, RELIEVE
from mailstore.sql.statements.delivery import RENAMES, UNEXPANDED
from mailstore.sql.statements.view import LOCK

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

log = logging.getLogger("popadmin.delivery")

POSTMASTER = "postmaster"
RENAMES_MOST = 10  # that one lookup sees, one after the other, before it leaves the message to the next try


class SeenRenames:
    """How many renames a worker has seen, as the database counts them; None before it asked for the first time."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count: bytes | None = None


def find(
    lanes: Lanes,
    address: str,
    octets: int | None,
    done: Done[Recipient],
    *,
    hostname: str,
    seen: SeenRenames,
    advisory: bool = False,
) -> None:
    """Find the mailboxes of a recipient for a message of `octets` (None: not announced, so one octet must fit).

    UnknownRecipient, RecipientDisabled, QuotaRejected, QuotaDeferred, AliasOutside, Unavailable. `hostname` is the name
    of this site: the address `postmaster` without a domain means the one of its domain. All lookups of a worker share
    what they have `seen`. With `advisory` nothing is changed, and a recipient is refused only where every mailbox
    behind it refuses: it answers for a message that may never come.
    """
    # RFC 5321 §4.5.1: in any case, and without a domain.
    if address.lower() == POSTMASTER:
        keys = {POSTMASTER: _postmaster_keys(hostname)}
    else:
        try:
            name = normal_address(address)
            keys = {name: keys_of(name)}
        except (BadAddress, UnicodeEncodeError):
            catch_all = catch_all_of(address)
            if catch_all is None:
                done(UnknownRecipient(address, elsewhere=True))
                return
            keys = {catch_all: [catch_all]}
    _Lookup(lanes, address, keys, octets or 1, done, seen, advisory=advisory).ask()


class _Lookup:
    """The lookup of one recipient. If mailboxes are full, it makes room as their policies allow, and searches again.

    Each attempt makes room in one mailbox, in a transaction of its own, after finding it without a lock. No room is
    made unless all mailboxes together would have enough.

    A search that missed a name is made again if there was a rename since it began, so that no mail is refused between.
    """

    def __init__(
        self,
        lanes: Lanes,
        address: str,
        keys: dict[str, list[str]],
        octets: int,
        done: Done[Recipient],
        seen: SeenRenames,
        *,
        advisory: bool,
    ) -> None:
        self._lanes = lanes
        self._advisory = advisory
        self._address = address
        self._keys = keys
        self._octets = octets
        self._done = done
        self._seen = seen
        self._renames = 0  # that this lookup has met
        self._attempts = 0  # to make room
        self._most: int | None = None  # attempts allowed; None while no mailbox was full

    def ask(self) -> None:
        before = self._seen.count

        def found(answer: Recipient | MailError) -> None:
            if isinstance(answer, AliasOutside) and not self._advisory:
                self._lanes.write(((UNEXPANDED, UNEXPANDED.values(address=search.first_key.encode())),), _noted)
            if search.doubtful(answer):
                self._lanes.read(RENAMES, (), lambda count: self._counted(count, before, answer, search.full))
            else:
                self._answered(answer, search.full)

        search = RecipientSearch(self._lanes, self._address, self._octets, found, advisory=self._advisory)
        search.ask(self._keys, 0)

    def _counted(
        self, count: PGresult | MailError, before: bytes | None, answer: Recipient | MailError, full: list[int]
    ) -> None:
        """Answer if no name has changed since before the search."""
        if isinstance(count, MailError):
            self._done(count)
            return
        self._seen.count = count.get_value(0, 0)
        if self._seen.count == before:
            self._answered(answer, full)
        elif self._renames == RENAMES_MOST:
            self._done(Unavailable(f"{self._address}: names change all the time"))
        else:
            self._renames += 1
            self.ask()

    def _answered(self, answer: Recipient | MailError, full: list[int]) -> None:
        if not full or self._attempts == self._most:
            if self._attempts and isinstance(answer, Recipient):
                log.info("room made in %s", plain(self._address))
            self._done(answer)
        else:
            self._most = self._most or RELIEF_BATCHES * len(full)
            parameters = FIND_ROOM.values(mailbox_ids=array_literals.bigints(full), octets=b"%d" % self._octets)
            self._lanes.write(((FIND_ROOM, parameters),), lambda room: self._found(room, answer))

    def _found(self, room: PGresult | MailError, refusal: Recipient | MailError) -> None:
        """Make room in one mailbox, so that no lock is held while others wait."""
        if isinstance(room, MailError):
            self._done(room)
        elif not room.ntuples:
            self._done(refusal)
        elif self._advisory:
            self._done(Recipient(self._address, ()))
        else:
            mailbox, arrivals = room.get_value(0, 0) or b"", room.get_value(0, 1) or b""
            lock = LOCK.values(mailbox_ids=b"{%s}" % mailbox)
            relief = RELIEVE.values(mailbox_id=mailbox, octets=b"%d" % self._octets, arrivals=arrivals)
            self._lanes.write(((LOCK, lock), (RELIEVE, relief)), lambda moved: self._moved(moved, refusal))

    def _moved(self, moved: PGresult | MailError, refusal: Recipient | MailError) -> None:
        if isinstance(moved, MailError):
            self._done(moved)
        elif moved.get_value(0, 0) == b"0":
            self._done(refusal)
        else:
            self._attempts += 1
            self.ask()


def _noted(_answer: PGresult | MailError) -> None:
    """Do nothing: what could not be noted comes again with the next try of the MTA."""


def _postmaster_keys(hostname: str) -> list[str]:
    """Return the keys for mail.example.org: postmaster there, then in example.org, each followed by the catch-all."""
    labels = hostname.lower().split(".")
    domains = [".".join(labels[at:]) for at in range(len(labels))]
    return [key for domain in domains for key in (f"{POSTMASTER}@{domain}", f"@{domain}")]
