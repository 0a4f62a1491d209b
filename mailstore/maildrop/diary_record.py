"""What the diary keeps of a session or a refused sign-in, and the same as parameters of its statements.

The writing is in `diary_writer`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from mailstore.pg import array_literals
from mailstore.sql.statements.diary import DIARY

if TYPE_CHECKING:
    from mailstore.pg.statement import Parameters


class SessionOrigin(NamedTuple):
    """Who signed in or tried to, and to which mailbox."""

    mailbox: int
    device: int | None  # None if no secret was right
    client: str | None  # an IP address; None for a unix socket
    tls: str


class DiaryEntry(NamedTuple):
    """One session, or one refused sign-in.

    `fetched` and `removed` name messages by the change number of the arrival that the session saw; `unremoved` counts
    those that DELE marked in vain. `had` names by primary key the messages that the client has now. A message that was
    restored during the session counts too, since its UIDL is the old one.
    """

    origin: SessionOrigin
    began_at: datetime
    ended_at: datetime
    ended: str  # DiarySession.Ended
    listed: int = 0
    octets_out: int = 0
    fetched: Sequence[int] = ()
    had: Sequence[int] = ()
    removed: Sequence[int] = ()
    unremoved: int = 0
    list_requested: bool = True

    @property
    def messages(self) -> int:
        return len(self.fetched) + len(self.removed) + self.unremoved


def address(client: str) -> str | None:
    """Return an IP address for Postgres, without the zone (RFC 4007 §11); None for a unix socket."""
    return None if client == "unix" else client.partition("%")[0]


def diary_parameters(entries: Sequence[DiaryEntry]) -> Parameters:
    """Return the parameters of DIARY."""
    handled = [
        (place, arrival, removed)
        for place, entry in enumerate(entries, 1)
        for arrivals, removed in ((entry.fetched, False), (entry.removed, True))
        for arrival in arrivals
    ]
    return DIARY.values(
        **shared_parameters(entries, (entry.ended_at for entry in entries)),
        fetched_counts=array_literals.bigints(len(entry.fetched) for entry in entries),
        removed_counts=array_literals.bigints(len(entry.removed) for entry in entries),
        unremoved_counts=array_literals.bigints(entry.unremoved for entry in entries),
        octets_out=array_literals.bigints(entry.octets_out for entry in entries),
        handled_sessions=array_literals.bigints(place for place, _, _ in handled),
        handled_arrivals=array_literals.bigints(arrival for _, arrival, _ in handled),
        handled_removed=array_literals.booleans(removed for _, _, removed in handled),
    )


def shared_parameters(entries: Sequence[DiaryEntry], ended_at: Iterable[datetime]) -> dict[str, bytes]:
    """Return the parameters that DIARY and ROLL_UP_DIARY share."""
    return {
        "mailbox_ids": array_literals.bigints(entry.origin.mailbox for entry in entries),
        "device_ids": array_literals.bigints(entry.origin.device for entry in entries),
        "started_at": array_literals.texts(entry.began_at.isoformat() for entry in entries),
        "ended_at": array_literals.texts(at.isoformat() for at in ended_at),
        "clients": array_literals.texts(entry.origin.client for entry in entries),
        "tls": array_literals.texts(entry.origin.tls for entry in entries),
        "ended": array_literals.texts(entry.ended for entry in entries),
        "listed_counts": array_literals.bigints(entry.listed for entry in entries),
        "list_requested": array_literals.booleans(entry.list_requested for entry in entries),
    }
