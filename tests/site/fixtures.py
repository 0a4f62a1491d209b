"""Fixtures of the mail path: a worker with connections, accounts, delivery and bodies, on the test database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstore.bodies.files import FileBodies
from mailstore.delivery.delivery import StoredDelivery
from mailstore.delivery.gatekeeper import StoredGatekeeper
from mailstore.maildrop.accounts import StoredAccounts
from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.maildrop.senders import StoredSenders
from mailstore.sql.connection_pool import ConnectionPool
from tests.site.mail import Mail, assert_counters_are_sums
from tests.site.mta import Mta
from tests.site.notices import letters
from tests.site.stored_site import StoredSite
from tests.site.worker import Worker, conninfo, end

__all__ = ["letters"]


@pytest.fixture
def worker(transactional_db: None) -> Iterator[Worker]:
    """Lanes see only what is committed, so a test that has a worker has a database that is emptied behind it."""
    worker = Worker()
    yield worker
    worker.close()


@pytest.fixture
def lanes(worker: Worker) -> Iterator[ConnectionPool]:
    """Behind the test its connections are ended and gone: what a statement still locks would block the emptying."""
    lanes = ConnectionPool(conninfo())
    worker.run(lanes.open())
    yield lanes
    pids = [lane._connection.backend_pid for lane in (lanes._reads, *lanes._writes) if lane._connection]
    lanes.close()
    end(pids)


@pytest.fixture
def bodies(tmp_path: Path) -> FileBodies:
    store = FileBodies(tmp_path / "bodies")
    store.prepare()
    return store


@pytest.fixture
def last_sign_ins(lanes: ConnectionPool) -> LastSignIns:
    return LastSignIns(lanes)


@pytest.fixture
def accounts(lanes: ConnectionPool, bodies: FileBodies, last_sign_ins: LastSignIns) -> Iterator[StoredAccounts]:
    accounts = StoredAccounts(lanes, bodies, last_sign_ins)
    yield accounts
    accounts.close()


@pytest.fixture
def delivery(lanes: ConnectionPool, bodies: FileBodies) -> Iterator[StoredDelivery]:
    delivery = StoredDelivery(lanes, bodies, "mail.example.test")
    yield delivery
    delivery.close()


@pytest.fixture
def senders(lanes: ConnectionPool, last_sign_ins: LastSignIns) -> Iterator[StoredSenders]:
    senders = StoredSenders(lanes, last_sign_ins)
    yield senders
    senders.close()


@pytest.fixture
def gatekeeper(lanes: ConnectionPool) -> StoredGatekeeper:
    return StoredGatekeeper(lanes, "mail.example.test")


@pytest.fixture
def stored_site(
    worker: Worker,
    accounts: StoredAccounts,
    senders: StoredSenders,
    delivery: StoredDelivery,
    gatekeeper: StoredGatekeeper,
    bodies: FileBodies,
    tmp_path: Path,
) -> StoredSite:
    return StoredSite(worker, accounts, senders, delivery, gatekeeper, bodies, tmp_path / "bodies")


@pytest.fixture
def mail(worker: Worker, delivery: StoredDelivery, accounts: StoredAccounts) -> Mail:
    return Mail(worker, delivery, accounts)


@pytest.fixture
def mta(worker: Worker, delivery: StoredDelivery) -> Mta:
    return Mta(worker, delivery)


@pytest.fixture
def counters_are_sums(transactional_db: None) -> Iterator[None]:
    """Check the counters against the rows after the test."""
    yield
    assert_counters_are_sums()
