"""A delivery for a process that comes, delivers and goes: the pipe and imports, on a loop of their own for its time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from mailstore import bodies
from mailstore.conf import Conf
from mailstore.delivery.delivery import StoredDelivery
from mailstore.errors import MailError, Unavailable
from mailstore.ports import BodyStore, Done
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.delivery import ANY_BODY, STORE_TIE

T = TypeVar("T")
log = logging.getLogger("popadmin.delivery")

ANSWER_SECONDS = 60.0  # twice what the database may take for a statement; a dead connection is given up by then


@asynccontextmanager
async def delivery(conf: Conf) -> AsyncIterator[StoredDelivery]:
    """The same delivery as LMTP's. One lane writes, so that what is placed in order stands in that order."""
    lanes = ConnectionPool(conf.conninfo, write_lanes=1)
    store = bodies.from_url(conf.mail_store_url)
    await lanes.open()

    def ready(done: Done[BodyStore]) -> None:
        prepare(store, lanes, lambda: done(store))

    await answer(ready)
    made = StoredDelivery(lanes, store, conf.lmtp.hostname)
    try:
        yield made
    finally:
        made.close()
        lanes.close()


@contextmanager
def turns(runner: asyncio.Runner, conf: Conf) -> Iterator[StoredDelivery]:
    """The delivery, for turns on the loop of `runner` between which rows are read in the ordinary way."""
    entered = delivery(conf)
    made = runner.run(entered.__aenter__())
    try:
        yield made
    finally:
        runner.run(entered.__aexit__(None, None, None))


async def answer(ask: Callable[[Done[T]], None]) -> T | MailError:
    """Ask a port and wait for what it hands to `done`; Unavailable when that does not come in time."""
    told: asyncio.Future[T | MailError] = asyncio.get_running_loop().create_future()
    ask(lambda value: None if told.done() else told.set_result(value))
    try:
        return await asyncio.wait_for(told, ANSWER_SECONDS)
    except TimeoutError:
        return Unavailable(f"no answer within {ANSWER_SECONDS:.0f} s")


def prepare(store: BodyStore, lanes: ConnectionPool, done: Callable[[], None]) -> None:
    """Make the body store's folder at the very first start only: with rows in the database, an empty folder is a
    disk that is not mounted."""

    def answered(found: object) -> None:
        if not isinstance(found, MailError) and found.get_value(0, 0) == b"f":  # type: ignore[attr-defined]  # PGresult
            try:
                store.prepare()
            except MailError as error:
                log.warning("the body store cannot be prepared: %s", error)
        done()

    if store.prepared():
        done()
    else:
        lanes.read(ANY_BODY, (), answered)


def warn_of_another_store(store: BodyStore, lanes: ConnectionPool) -> None:
    """Say in the log that the body store is another database's. Mail is taken all the same: nothing of it is lost."""

    def answered(found: object) -> None:
        if isinstance(found, MailError):
            return
        database_id = found.get_value(0, 0)  # type: ignore[attr-defined]  # PGresult
        is_new = found.get_value(0, 1) == b"f"  # type: ignore[attr-defined]  # PGresult
        try:
            store_id = (store.store_id() or "").encode()
        except MailError:  # it is away, which deliveries say
            return
        if store_id and store_id != database_id and (database_id is not None or is_new):
            log.error("the body store belongs to another database than DATABASE_URL: `fsck` says what to do")

    lanes.read(STORE_TIE, (), answered)
