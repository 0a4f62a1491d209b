"""Delivery for a process that delivers and ends, such as an import; and the preparation of the body store."""

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

ANSWER_SECONDS = 60.0  # twice the time limit of a statement; a dead connection is given up by then


@asynccontextmanager
async def delivery(conf: Conf) -> AsyncIterator[StoredDelivery]:
    """Return a context with the delivery that LMTP uses. One connection writes, so messages keep their order."""
    lanes = ConnectionPool(conf.conninfo, write_lanes=1)
    store = bodies.from_url(conf.mail_store_url)
    await lanes.open()

    def ready(done: Done[BodyStore]) -> None:
        prepare(store, lanes, lambda: done(store))

    await answer(ready)
    made = StoredDelivery(lanes, store, conf.lmtp.hostname)

    def written(done: Done[None]) -> None:
        made.answers.flush(lambda: done(None))

    try:
        yield made
    finally:
        await answer(written)
        made.close()
        lanes.close()


@contextmanager
def delivery_on(runner: asyncio.Runner, conf: Conf) -> Iterator[StoredDelivery]:
    """Return a context with a delivery on the loop of `runner`, for code that uses the ORM between two runs of it."""
    entered = delivery(conf)
    made = runner.run(entered.__aenter__())
    try:
        yield made
    finally:
        runner.run(entered.__aexit__(None, None, None))


async def answer(ask: Callable[[Done[T]], None]) -> T | MailError:
    """Ask a port and wait for its answer; Unavailable if none comes in time."""
    future: asyncio.Future[T | MailError] = asyncio.get_running_loop().create_future()
    ask(lambda value: None if future.done() else future.set_result(value))
    try:
        return await asyncio.wait_for(future, ANSWER_SECONDS)
    except TimeoutError:
        return Unavailable(f"no answer within {ANSWER_SECONDS:.0f} s")


def prepare(store: BodyStore, lanes: ConnectionPool, done: Callable[[], None]) -> None:
    """Make the body store if the database has no bodies. If it has some, an empty folder may be an unmounted disk.

    Called before the first delivery, and at intervals while the process runs.
    """

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
    """Log an error if the body store belongs to another database. Mail is still accepted, since none of it is lost."""

    def answered(found: object) -> None:
        if isinstance(found, MailError):
            return
        database_id = found.get_value(0, 0)  # type: ignore[attr-defined]  # PGresult
        is_new = found.get_value(0, 1) == b"f"  # type: ignore[attr-defined]  # PGresult
        try:
            store_id = (store.store_id() or "").encode()
        except MailError:  # the store is away; deliveries report that
            return
        if store_id and store_id != database_id and (database_id is not None or is_new):
            log.error("the body store belongs to another database than DATABASE_URL: `fsck` says what to do")

    lanes.read(STORE_TIE, (), answered)
