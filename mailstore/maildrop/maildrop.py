"""One session's maildrop over the rows and bodies; the port of the same name. Holds a snapshot, never a connection."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from mailstore.errors import BadCredentials, BodyLost, MailError, TryAgain
from mailstore.maildrop.diary_record import Visit, Visitor
from mailstore.maildrop.diary_writer import Diary
from mailstore.maildrop.listing_cache import Listings, unpack
from mailstore.maildrop.session_revocation import Credential, SessionRevocation
from mailstore.models import DiarySession
from mailstore.pg import array_literals
from mailstore.pg.pipeline import Steps
from mailstore.ports import BodyRef, BodyStore, Done, Handled, Listing, Message, OpenBody, SessionRecord
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.removal import REMOVE
from mailstore.sql.statements.view import CARDS, HIDE, LISTING, LOCK, PAST_LISTING

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

WINDOW = 64  # cards asked for at a time: one query for that many RETRs, some 30 KB while they last
WINDOW_GROWTH = 8  # from one question to the next: a client that wants the newest message alone costs 8 cards
HIDES_NOTHING = b"{}"
BINARY_TRUE = b"\x01"
_FIGURES = Struct(">4q").unpack

_Ended = DiarySession.Ended
# What connections and sessions say when they end (listener, pop3). Whatever is not here is the other side's doing.
_KINDS = {
    "quit": _Ended.QUIT.value,
    "idle": _Ended.IDLE.value,
    "barred": _Ended.BARRED.value,
    "shutdown": _Ended.SHUTDOWN.value,
    "failed": _Ended.FAILED.value,
    "body failed": _Ended.FAILED.value,
}
_LOST = _Ended.LOST.value


class View(NamedTuple):
    """What the sign-in found: one device's view of one mailbox at one change number, and its counters."""

    visitor: Visitor
    mailbox: int
    address: str
    device: int
    device_name: str
    password_version: bytes | None  # of the main password; None: a device's secret, or a password never changed
    change: int
    hidden: bytes  # int8multirange, as Postgres prints it
    messages: int
    octets: int
    expire_days: int | None


@dataclass(frozen=True, slots=True)
class Shelves:
    """What every maildrop of a worker stands on."""

    lanes: ConnectionPool
    bodies: BodyStore
    listings: Listings
    diary: Diary
    standing: SessionRevocation


class _Card(NamedTuple):
    octets: int
    prefix: bytes
    ref: BodyRef


class StoredMaildrop:
    """ports.Maildrop. STAT comes from the counters, the listing when something asks for it; both agree by the change
    number."""

    __slots__ = (
        "_barred",
        "_began_at",
        "_bodies",
        "_cards",
        "_diary",
        "_lanes",
        "_listing",
        "_listings",
        "_standing",
        "_view",
        "_window",
        "address",
        "device",
        "expire_days",
        "messages",
        "octets",
    )

    def __init__(self, view: View, shelves: Shelves) -> None:
        self.address = view.address
        self.device = view.device_name
        self.messages = view.messages
        self.octets = view.octets
        self.expire_days = view.expire_days
        self._view = view
        self._lanes = shelves.lanes
        self._bodies = shelves.bodies
        self._listings = shelves.listings
        self._diary = shelves.diary
        self._standing = shelves.standing
        self._barred: Callable[[], None] | None = None
        self._began_at = datetime.now(UTC)
        self._listing: Listing | None = None
        self._cards: dict[int, _Card] = {}  # by number
        self._window = 1

    # --- the list ---------------------------------------------------------------------------------------------

    def listing(self, done: Done[Listing]) -> None:
        found = self._listing or self._listings.get(self._view.device, self._view.change)
        if found is not None:
            self._listing = found
            done(found)
            return
        if self._view.hidden == HIDES_NOTHING:
            self._lanes.read(LISTING, LISTING.values(**self._moment()), lambda answer: self._listed_live(answer, done))
        else:
            self._list_past(done)

    def _moment(self) -> dict[str, bytes]:
        return {"mailbox_id": b"%d" % self._view.mailbox, "change": b"%d" % self._view.change}

    def _listed_live(self, answer: PGresult | MailError, done: Done[Listing]) -> None:
        if not isinstance(answer, MailError) and answer.get_value(0, 4) == BINARY_TRUE:
            self._list_past(done)
        else:
            self._listed(answer, done)

    def _list_past(self, done: Done[Listing]) -> None:
        parameters = PAST_LISTING.values(**self._moment(), hidden=self._view.hidden)
        self._lanes.read(PAST_LISTING, parameters, lambda answer: self._listed(answer, done))

    def _listed(self, answer: PGresult | MailError, done: Done[Listing]) -> None:
        if isinstance(answer, MailError):
            done(answer)
            return
        listing = unpack(*[answer.get_value(0, column) or b"" for column in range(4)])
        if len(listing) != self.messages or sum(listing.octets) != self.octets:
            said, found = (self.messages, self.octets), (len(listing), sum(listing.octets))
            done(TryAgain(f"the counters say messages and octets are {said}, the rows {found}: run fsck --repair"))
            return
        self._listing = listing
        self._listings.put(self._view.device, self._view.change, listing)
        done(listing)

    # --- messages ---------------------------------------------------------------------------------------------

    def message(self, number: int, done: Done[Message]) -> None:
        card = self._cards.get(number)
        if card is not None:
            self._open(card, done)
        elif self._listing is None:
            self.listing(lambda answer: done(answer) if isinstance(answer, MailError) else self.message(number, done))
        else:
            self._deal(self._listing, number, done)

    def _deal(self, listing: Listing, number: int, done: Done[Message]) -> None:
        """Ask for the cards from this message on: few at first, for whoever wants one; more for whoever goes on."""
        self._window = min(WINDOW, WINDOW_GROWTH * self._window)
        window = listing.keys[number - 1 : number - 1 + self._window]
        asked = CARDS.values(message_ids=array_literals.bigints(window))
        self._lanes.read(CARDS, asked, lambda answer: self._dealt(answer, window, number, done))

    def _dealt(self, answer: PGresult | MailError, window: array[int], number: int, done: Done[Message]) -> None:
        if isinstance(answer, MailError):
            done(answer)
            return
        cards = dict(_card(answer, row) for row in range(answer.ntuples))
        self._cards = {place: cards[key] for place, key in enumerate(window, number) if key in cards}
        card = self._cards.get(number)
        if card is None:
            done(BodyLost(f"message {number} of {self.address} has no row any more"))
        else:
            self._open(card, done)

    def _open(self, card: _Card, done: Done[Message]) -> None:
        """Open the body of a card. An error names the body; the session logs it beside the message and the address."""

        def opened(body: OpenBody | MailError) -> None:
            done(body if isinstance(body, MailError) else Message(card.octets, card.prefix, body))

        self._bodies.open(card.ref, opened)

    # --- UPDATE -----------------------------------------------------------------------------------------------

    def remove(self, numbers: Sequence[int], done: Done[int]) -> None:
        if self._listing is None:
            done(TryAgain("nothing was listed, so nothing can be marked"))
            return
        keys = self._listing.keys
        asked = array_literals.bigints(keys[number - 1] for number in numbers)
        self._lanes.write(self._update(asked), lambda answer: done(self._removed(answer) or len(numbers)))

    def _removed(self, answer: PGresult | MailError) -> MailError | None:
        if isinstance(answer, MailError):
            return answer
        if answer.ntuples:
            return None
        return BadCredentials(f"{self.device} of {self.address} is revoked, barred or gone, or has another password")

    def _update(self, keys: bytes) -> Steps:
        """The transaction of QUIT; which of its steps does anything depends on the device's mode at that moment."""
        view = self._view
        parameters = HIDE.values(  # those of REMOVE too
            mailbox_id=b"%d" % view.mailbox,
            message_ids=keys,
            device_id=b"%d" % view.device,
            change=b"%d" % view.change,
            password_version=view.password_version,
        )
        lock = (LOCK, LOCK.values(mailbox_ids=array_literals.bigints([view.mailbox])))
        return (lock, (HIDE, parameters), (REMOVE, parameters))

    # --- the end ----------------------------------------------------------------------------------------------

    def watch(self, barred: Callable[[], None]) -> None:
        self._barred = barred
        self._standing.watch(self._credential(), barred)

    def _credential(self) -> Credential:
        return Credential(self._view.device, self._view.password_version)

    def ended(self, record: SessionRecord, handled: Handled) -> None:
        if self._barred is not None:
            self._standing.forget(self._credential(), self._barred)
            self._barred = None
        visit = Visit(
            self._view.visitor,
            self._began_at,
            datetime.now(UTC),
            _KINDS.get(record.reason, _LOST),
            listed=self.messages,
            octets_out=record.octets_out,
            fetched=self._arrivals(handled.fetched),
            removed=self._arrivals(handled.removed),
            had=self._keys(handled.fetched[: handled.confirmed]),
        )
        self._diary.tell(visit)

    def _keys(self, numbers: Iterable[int]) -> Sequence[int]:
        return [self._listing.keys[number - 1] for number in numbers] if self._listing else ()

    def _arrivals(self, numbers: Iterable[int]) -> Sequence[int]:
        return [self._listing.arrivals[number - 1] for number in numbers] if self._listing else ()


def _card(answer: PGresult, row: int) -> tuple[int, _Card]:
    """One row of CARDS, with its message's key."""
    value = answer.get_value
    message, octets, wire_octets, body_octets = _FIGURES(value(row, 0) or b"")
    ref = BodyRef((value(row, 2) or b"").decode(), wire_octets, body_octets, value(row, 3) or b"")
    return message, _Card(octets, value(row, 1) or b"", ref)
