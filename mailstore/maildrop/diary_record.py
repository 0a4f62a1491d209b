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


class Visitor(NamedTuple):
    """Who signed in or tried to, and to which mailbox."""

    mailbox: int
    device: int | None  # None if no secret was right
    client: str | None  # an IP address; None for a unix socket
    tls: str


class Visit(NamedTuple):
    """One session, or one refused sign-in.

    `fetched` and `removed` name messages by the change number of the arrival that the session saw. `had` names by
    primary key the messages that the client has now: a message that was restored meanwhile counts too, since its UIDL
    is the old one.
    """

    visitor: Visitor
    began_at: datetime
    ended_at: datetime
    ended: str  # DiarySession.Ended
    listed: int = 0
    octets_out: int = 0
    fetched: Sequence[int] = ()
    had: Sequence[int] = ()
    removed: Sequence[int] = ()

    @property
    def messages(self) -> int:
        return len(self.fetched) + len(self.removed)


def address(client: str) -> str | None:
    """Return an IP address for Postgres, without the zone (RFC 4007 §11); None for a unix socket."""
    return None if client == "unix" else client.partition("%")[0]


def diary_parameters(visits: Sequence[Visit]) -> Parameters:
    """Return the parameters of DIARY."""
    handled = [
        (place, arrival, removed)
        for place, visit in enumerate(visits, 1)
        for arrivals, removed in ((visit.fetched, False), (visit.removed, True))
        for arrival in arrivals
    ]
    return DIARY.values(
        **shared_parameters(visits, (visit.ended_at for visit in visits)),
        fetched_counts=array_literals.bigints(len(visit.fetched) for visit in visits),
        removed_counts=array_literals.bigints(len(visit.removed) for visit in visits),
        octets_out=array_literals.bigints(visit.octets_out for visit in visits),
        handled_sessions=array_literals.bigints(place for place, _, _ in handled),
        handled_numbers=array_literals.bigints(arrival for _, arrival, _ in handled),
        handled_removed=array_literals.truths(removed for _, _, removed in handled),
    )


def shared_parameters(visits: Sequence[Visit], ends: Iterable[datetime]) -> dict[str, bytes]:
    """Return the parameters that DIARY and FOLD_DIARY share."""
    return {
        "mailbox_ids": array_literals.bigints(visit.visitor.mailbox for visit in visits),
        "device_ids": array_literals.bigints(visit.visitor.device for visit in visits),
        "started_at": array_literals.texts(visit.began_at.isoformat() for visit in visits),
        "ended_at": array_literals.texts(at.isoformat() for at in ends),
        "clients": array_literals.texts(visit.visitor.client for visit in visits),
        "tls": array_literals.texts(visit.visitor.tls for visit in visits),
        "ended": array_literals.texts(visit.ended for visit in visits),
        "listed_counts": array_literals.bigints(visit.listed for visit in visits),
    }
