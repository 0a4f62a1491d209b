"""The maildrop of one session over rows and bodies. It holds a snapshot, and no connection to the database."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from mailstore.errors import BadCredentials, BodyLost, MailError, TryAgain
from mailstore.maildrop.diary_record import DiaryEntry, SessionOrigin
from mailstore.maildrop.diary_writer import Diary
from mailstore.maildrop.listing_cache import Listings, unpack
from mailstore.maildrop.nul_free_body import NulFreeBody
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

WINDOW = 64  # message rows read at a time: one query for that many RETRs, some 30 KB
WINDOW_GROWTH = 8  # each read takes so many times more rows; a client that fetches one message costs 8 rows
HIDES_NOTHING = b"{}"
BINARY_TRUE = b"\x01"
_FIGURES = Struct(">4q").unpack

_Ended = DiarySession.Ended
# How the diary calls the end of a session, by the reason that listener and pop3 give. Other reasons: the client left.
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
    """What the sign-in found: the view of one device of one mailbox at one change number, with its counters."""

    origin: SessionOrigin
    mailbox: int
    address: str
    device: int
    device_name: str
    password_version: bytes | None  # of the main password; None for a device's secret and a password that never changed
    change: int
    hidden: bytes  # int8multirange, as Postgres prints it
    messages: int
    octets: int
    expire_days: int | None


@dataclass(frozen=True, slots=True)
class MaildropContext:
    """What all maildrops of a worker use."""

    lanes: ConnectionPool
    bodies: BodyStore
    listings: Listings
    diary: Diary
    revocation: SessionRevocation


class _Row(NamedTuple):
    """What RETR needs of the row of a message."""

    octets: int
    prefix: bytes
    ref: BodyRef


class StoredMaildrop:
    """ports.Maildrop. The counters answer STAT; the listing is read when a command needs it.

    Both are of the same change number, so they agree.
    """

    __slots__ = (
        "_barred",
        "_began_at",
        "_bodies",
        "_diary",
        "_lanes",
        "_listing",
        "_listings",
        "_revocation",
        "_rows",
        "_view",
        "_window",
        "address",
        "device",
        "expire_days",
        "messages",
        "octets",
    )

    def __init__(self, view: View, context: MaildropContext) -> None:
        self.address = view.address
        self.device = view.device_name
        self.messages = view.messages
        self.octets = view.octets
        self.expire_days = view.expire_days
        self._view = view
        self._lanes = context.lanes
        self._bodies = context.bodies
        self._listings = context.listings
        self._diary = context.diary
        self._revocation = context.revocation
        self._barred: Callable[[], None] | None = None
        self._began_at = datetime.now(UTC)
        self._listing: Listing | None = None
        self._rows: dict[int, _Row] = {}  # by message number
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
        row = self._rows.get(number)
        if row is not None:
            self._open(row, done)
        elif self._listing is None:
            self.listing(lambda answer: done(answer) if isinstance(answer, MailError) else self.message(number, done))
        else:
            self._read_rows(self._listing, number, done)

    def _read_rows(self, listing: Listing, number: int, done: Done[Message]) -> None:
        """Read the rows from this message on: few at first, since the client may want only one, then more."""
        self._window = min(WINDOW, WINDOW_GROWTH * self._window)
        window = listing.keys[number - 1 : number - 1 + self._window]
        parameters = CARDS.values(message_ids=array_literals.bigints(window))
        self._lanes.read(CARDS, parameters, lambda answer: self._rows_read(answer, window, number, done))

    def _rows_read(self, answer: PGresult | MailError, window: array[int], number: int, done: Done[Message]) -> None:
        if isinstance(answer, MailError):
            done(answer)
            return
        rows = dict(_row(answer, index) for index in range(answer.ntuples))
        self._rows = {place: rows[key] for place, key in enumerate(window, number) if key in rows}
        row = self._rows.get(number)
        if row is None:
            done(BodyLost(f"message {number} of {self.address} has no row any more"))
        else:
            self._open(row, done)

    def _open(self, row: _Row, done: Done[Message]) -> None:
        """Open the body of a message. An error names the body; the session logs message number and address with it."""

        def opened(body: OpenBody | MailError) -> None:
            if isinstance(body, MailError):
                done(body)
            else:
                done(Message(row.octets, row.prefix, body if row.ref.has_nul is False else NulFreeBody(body)))

        self._bodies.open(row.ref, opened)

    # --- UPDATE -----------------------------------------------------------------------------------------------

    def remove(self, numbers: Sequence[int], done: Done[int]) -> None:
        if self._listing is None:
            done(TryAgain("nothing was listed, so nothing can be marked"))
            return
        keys = self._listing.keys
        keys_literal = array_literals.bigints(keys[number - 1] for number in numbers)
        self._lanes.write(self._update(keys_literal), lambda answer: done(self._removed(answer) or len(numbers)))

    def _removed(self, answer: PGresult | MailError) -> MailError | None:
        if isinstance(answer, MailError):
            return answer
        if answer.ntuples:
            return None
        return BadCredentials(f"{self.device} of {self.address} is revoked, barred or gone, or has another password")

    def _update(self, keys: bytes) -> Steps:
        """Return the steps of QUIT's transaction. The mode of the device decides which of them changes anything."""
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
        self._revocation.watch(self._credential(), barred)

    def _credential(self) -> Credential:
        return Credential(self._view.device, self._view.password_version)

    def ended(self, record: SessionRecord, handled: Handled) -> None:
        if self._barred is not None:
            self._revocation.forget(self._credential(), self._barred)
            self._barred = None
        entry = DiaryEntry(
            self._view.origin,
            self._began_at,
            datetime.now(UTC),
            _KINDS.get(record.reason, _LOST),
            listed=self.messages,
            octets_out=record.octets_out,
            fetched=self._arrivals(handled.fetched),
            removed=self._arrivals(handled.removed),
            unremoved=handled.unremoved,
            list_requested=handled.listed,
            had=self._keys(handled.fetched[: handled.confirmed]),
        )
        self._diary.add(entry)

    def _keys(self, numbers: Iterable[int]) -> Sequence[int]:
        return [self._listing.keys[number - 1] for number in numbers] if self._listing else ()

    def _arrivals(self, numbers: Iterable[int]) -> Sequence[int]:
        return [self._listing.arrivals[number - 1] for number in numbers] if self._listing else ()


def _row(answer: PGresult, index: int) -> tuple[int, _Row]:
    """Return the primary key of a message and its row, from one row of CARDS."""
    value = answer.get_value
    message, octets, wire_octets, body_octets = _FIGURES(value(index, 0) or b"")
    has_nul = None if (flag := value(index, 4)) is None else flag == BINARY_TRUE
    ref = BodyRef((value(index, 2) or b"").decode(), wire_octets, body_octets, value(index, 3) or b"", has_nul)
    return message, _Row(octets, value(index, 1) or b"", ref)
