"""The search for the mailboxes behind a name: by aliases, forwards, catch-alls and alias domains, level by level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mailstore.delivery.recipient_rows import AliasRow, DomainRow, MailboxRow, domain_rows, name_rows
from mailstore.errors import (
    AliasOutside,
    MailError,
    QuotaDeferred,
    QuotaRejected,
    RecipientDisabled,
    UnknownRecipient,
)
from mailstore.pg import array_literals
from mailstore.policy.addresses import (
    ALIAS_LEVELS_LIMIT,
    ALIAS_TARGETS_LIMIT,
    lookup_keys,
)
from mailstore.ports import Done, Recipient
from mailstore.sql.lanes import Lanes
from mailstore.sql.statements.delivery import OURS, RECIPIENTS, ROOM

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult


class RecipientSearch:
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
                moved[there] = keys_of(there)
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
            self.ask({name: keys_of(name) for name in following}, depth + 1)

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


def keys_of(name: str) -> list[str]:
    """Return the keys that may resolve a name, in order of precedence; the catch-all comes last."""
    return [*lookup_keys(name), f"@{name.rpartition('@')[2]}"]
