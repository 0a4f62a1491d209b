"""Finds the mailboxes of a recipient's address: by +detail, aliases, forwards, catch-alls and alias domains."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mailstore.delivery.recipient_rows import AliasRow, DomainRow, MailboxRow, domain_rows, name_rows
from mailstore.delivery.trace_headers import plain
from mailstore.errors import (
    AliasOutside,
    MailError,
    QuotaDeferred,
    QuotaRejected,
    RecipientDisabled,
    Unavailable,
    UnknownRecipient,
)
from mailstore.pg import array_literals
from mailstore.policy.addresses import (
    ALIAS_LEVELS_LIMIT,
    ALIAS_TARGETS_LIMIT,
    BadAddress,
    catch_all_of,
    lookup_keys,
    normal_address,
)
from mailstore.ports import Done, Recipient
from mailstore.sql.lanes import Lanes
from mailstore.sql.quota_relief import FIND_ROOM, RELIEF_BATCHES, RELIEVE
from mailstore.sql.statements.delivery import OURS, RECIPIENTS, RENAMES, ROOM, UNEXPANDED
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


class _Search:
    """The search for the mailboxes of one recipient. Each query asks for all names that are not resolved yet."""

    def __init__(self, lanes: Lanes, address: str, octets: int, done: Done[Recipient], *, advisory: bool) -> None:
        self._lanes = lanes
        self._advisory = advisory  # refuse only where every mailbox refuses
        self._address = address
        self._octets = octets
        self._done = done
        self._copy: MailboxRow | None = None  # the mailbox itself, if its forward keeps a copy
        self._boxes: dict[int, MailboxRow] = {}
        self._asked: set[str] = set()
        self._unknown_here = False
        self._reads = 0
        self._missed_one = False  # a name that is unknown or was asked for before
        self._via: list[str] = []  # the domain, and the alias or catch-all, that the address itself leads by
        self.full: list[int] = []  # mailboxes without room, if the answer is that they are full
        self.first_key = ""  # under which the name itself was found

    def doubtful(self, answer: Recipient | MailError) -> bool:
        """Return whether a rename between two of the statements may have hidden a mailbox from all of them."""
        refused = isinstance(answer, UnknownRecipient | RecipientDisabled | AliasOutside)
        return self._reads > 1 and (self._missed_one or refused)

    def ask(self, keys: dict[str, list[str]], depth: int, following: Sequence[str] = ()) -> None:
        """Query names, each with the keys that may resolve it, in order; `following` are names for the next query."""
        self._reads += 1
        array = array_literals.texts({key for group in keys.values() for key in group})
        self._asked.update(keys)
        parameters = RECIPIENTS.values(addresses=array, octets=b"%d" % self._octets)
        self._lanes.read(RECIPIENTS, parameters, lambda answer: self._answered(answer, keys, depth, [*following]))

    def _answered(
        self, answer: PGresult | MailError, keys: dict[str, list[str]], depth: int, following: list[str]
    ) -> None:
        if isinstance(answer, MailError):
            self._done(answer)
            return
        result = name_rows(answer)
        missing: list[str] = []
        for name, group in keys.items():
            box, alias = result.of(group)
            self.first_key = self.first_key or result.known(group)
            if box is None and alias is None:
                missing.append(name)
            if alias is not None and depth == 0:
                self._via.append(next(key for key in group if key in result.aliases))
            following.extend(self._follow(box, alias, depth))
        if missing:
            self._missed(missing, following, depth)
        else:
            self._go_on(following, depth)

    def _follow(self, box: MailboxRow | None, alias: AliasRow | None, depth: int) -> list[str]:
        """Note the mailbox, unless its mail is forwarded without a copy; return the names to query next."""
        if box is not None and not box.receives:
            alias = None  # a mailbox that takes no mail forwards none
        if box is not None and (alias is None or alias.keep_copy):
            self._boxes[box.mailbox] = box
            self._copy = box if depth == 0 and alias is not None else self._copy
        if alias is None or not alias.receives:
            return []
        fresh = [target for target in alias.targets if target not in self._asked]
        self._missed_one = self._missed_one or len(fresh) < len(alias.targets)
        return fresh

    def _missed(self, missing: list[str], following: list[str], depth: int) -> None:
        """Look up the domains of names that were not found: they are alias domains, ours, or elsewhere."""
        self._reads += 1

        def answered(answer: PGresult | MailError) -> None:
            if isinstance(answer, MailError):
                self._done(answer)
            else:
                self._placed(missing, domain_rows(answer), following, depth)

        domains = {name.rpartition("@")[2] for name in missing}
        self._lanes.read(OURS, OURS.values(domains=array_literals.texts(domains)), answered)

    def _placed(self, missing: list[str], ours: dict[str, DomainRow], following: list[str], depth: int) -> None:
        """Go on with names that were not found. A name in an alias domain is looked up in the domain behind it."""
        moved: dict[str, list[str]] = {}
        outside: list[str] = []
        for name in missing:
            local_part, _at, domain = name.rpartition("@")
            domain_row = ours.get(domain)
            if domain_row is None:
                outside.append(name)
            elif domain_row.stands_for is None:
                self._unknown_here = self._missed_one = True
            elif domain_row.active:
                if depth == 0:
                    self._via.append(domain)
                there = f"{local_part}@{domain_row.stands_for}"
                moved[there] = _keys(there)
        if outside and depth > 0:
            self._outside(", ".join(outside))
        elif outside:
            self._done(UnknownRecipient(self._address, elsewhere=True))
        elif moved:
            self.ask(moved, depth, following)
        else:
            self._go_on(following, depth)

    def _go_on(self, following: list[str], depth: int) -> None:
        if not following:
            self._decide(list(self._boxes.values()))
        elif depth == ALIAS_LEVELS_LIMIT or len(following) + len(self._boxes) > ALIAS_TARGETS_LIMIT:
            self._outside(f"more than {ALIAS_LEVELS_LIMIT} levels or {ALIAS_TARGETS_LIMIT} targets")
        else:
            self.ask({name: _keys(name) for name in following}, depth + 1)

    def _outside(self, why: str) -> None:
        """End the search, since only the MTA reaches all targets. A forward with a copy reaches its own mailbox."""
        if self._copy is None:
            self._done(AliasOutside(f"{self._address}: {why}"))
        else:
            self._decide([self._copy])

    def _decide(self, boxes: list[MailboxRow]) -> None:
        """Answer for all mailboxes or none: else some would lose the message or get it twice.

        Advice is another matter: a recipient is worth a message as long as one mailbox takes it.
        """
        if not boxes and self._unknown_here:
            self._done(UnknownRecipient(self._address))
            return
        receiving = [box for box in boxes if box.receives]
        if not receiving:
            self._done(RecipientDisabled(self._address, mailboxes=tuple(box.mailbox for box in boxes)))
            return
        taking = [box for box in receiving if box.fits]
        full = [box for box in receiving if not box.fits]
        if full and not (self._advisory and taking):
            self.full = [box.mailbox for box in full]
            self._done(self._full(full[0].over_quota, self.full))
            return
        capped = tuple(sorted({box.capped for box in taking if box.capped is not None}))
        accepted = Recipient(self._address, tuple(sorted(box.mailbox for box in taking)), capped, tuple(self._via))
        if capped and not (self._advisory and any(box.capped is None for box in taking)):
            self._ask_room(accepted)
        else:
            self._done(accepted)

    def _ask_room(self, accepted: Recipient) -> None:
        def answered(answer: PGresult | MailError) -> None:
            if isinstance(answer, MailError):
                self._done(answer)
            elif answer.ntuples and not (self._advisory and answer.ntuples < len(accepted.capped)):
                over_quota = (answer.get_value(0, 0) or b"").decode()
                self._done(self._full(over_quota, accepted.mailboxes, in_domain=True))
            else:
                self._done(accepted)

        parameters = ROOM.values(domain_ids=array_literals.bigints(accepted.capped), octets=b"%d" % self._octets)
        self._lanes.read(ROOM, parameters, answered)

    def _full(self, over_quota: str, mailboxes: Sequence[int], *, in_domain: bool = False) -> MailError:
        kind = QuotaRejected if over_quota == "reject" else QuotaDeferred
        return kind(self._address, mailboxes=tuple(mailboxes), in_domain=in_domain)


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
            keys = {name: _keys(name)}
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

        search = _Search(self._lanes, self._address, self._octets, found, advisory=self._advisory)
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


def _keys(name: str) -> list[str]:
    """Return the keys that may resolve a name, in order of precedence; the catch-all comes last."""
    return [*lookup_keys(name), f"@{name.rpartition('@')[2]}"]
