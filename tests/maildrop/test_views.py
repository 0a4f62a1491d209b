"""What each device sees: STAT, LIST and counters agree in every view after whatever happened, in any order.

The real statements on the real Postgres, through the ports as the listener uses them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from mailstore import bodies
from mailstore.delivery.delivery import StoredDelivery
from mailstore.delivery.message_writer import Placement
from mailstore.directory import devices, domains, mailboxes
from mailstore.errors import MailError
from mailstore.maildrop.accounts import StoredAccounts
from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.messages import recovery
from mailstore.models import Device, Mailbox, Message
from mailstore.ports import BodyRef, Credentials, Done, Listing, Maildrop
from mailstore.sql.connection_pool import ConnectionPool
from tests.site.rows import ACTOR, PASSWORD

ADDRESS = "ann@example.org"
MAIN = "main"
ANSWER_SECONDS = 30
# Each device's counters, and what they are to be by the rows.
HIDDEN = """
SELECT d.name, d.hidden_messages, d.hidden_octets, count(m.id), coalesce(sum(m.octets), 0)
  FROM mailstore_device d
  LEFT JOIN mailstore_message m ON m.mailbox_id = d.mailbox_id AND m.removed IS NULL AND d.hidden @> m.added
 GROUP BY d.id
"""


class Store:
    """The ports on the test's database, asked from a test that waits for each answer."""

    def __init__(self) -> None:
        database = connection.settings_dict
        self._loop = asyncio.new_event_loop()
        conninfo = make_conninfo(
            dbname=database["NAME"], user=database["USER"], host=database["HOST"], port=database["PORT"]
        )
        self.lanes = ConnectionPool(conninfo, write_lanes=2)
        self._loop.run_until_complete(self.lanes.open())
        store = bodies.from_url(settings.MAIL_STORE_URL)
        self._sightings = LastSignIns(self.lanes)
        self._accounts = StoredAccounts(self.lanes, store, self._sightings)
        self._delivery = StoredDelivery(self.lanes, store, "mail.example.test")
        self._bodies = 0

    def close(self) -> None:
        self._accounts.close()
        self._delivery.close()
        self.lanes.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    # --- asking -----------------------------------------------------------------------------------------------

    def ask(self, call: Callable[[Done[object]], None]) -> object:
        (answer,) = self.at_once(call)
        return answer

    def at_once(self, *calls: Callable[[Done[object]], None]) -> list[object]:
        """Make the calls in one turn of the loop, so that the lanes carry them side by side."""

        async def scene() -> list[object]:
            waiting: list[Awaitable[object]] = []
            for call in calls:
                answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
                call(answer.set_result)
                waiting.append(answer)
            return await asyncio.wait_for(asyncio.gather(*waiting), ANSWER_SECONDS)

        return self._loop.run_until_complete(scene())

    def delivery(self, mailbox: int, octets: int) -> Callable[[Done[object]], None]:
        """One arrival, ready to be made; its body is a row without a file."""
        self._bodies += 1
        ref = BodyRef(f"body-{mailbox}-{self._bodies}", octets, octets, bytes(16))
        return lambda done: self._delivery.place(Placement((mailbox,), ref), done)

    def sign_in(self, secret: str) -> Maildrop:
        credentials = Credentials(ADDRESS, secret, "127.0.0.1", loopback=True)
        maildrop = self.ask(lambda done: self._accounts.sign_in(credentials, done))
        assert not isinstance(maildrop, MailError), maildrop
        self.ask(self._sightings.flush)
        return maildrop  # type: ignore[return-value]  # an answer of this port is a Maildrop or a MailError

    def listing(self, maildrop: Maildrop) -> Listing:
        listing = self.ask(maildrop.listing)
        assert isinstance(listing, Listing), listing
        return listing


@contextmanager
def opened() -> Iterator[Store]:
    store = Store()
    try:
        yield store
    finally:
        store.close()


@pytest.fixture
def store(transactional_db: None) -> Iterator[Store]:
    with opened() as made:
        yield made


@pytest.fixture
def mailbox(transactional_db: None) -> Mailbox:
    domains.ensure("example.org", actor=ACTOR)
    return mailboxes.ensure(ADDRESS, actor=ACTOR, password=PASSWORD).row


def add_device(name: str, mode: str = "independent", start: str = "all") -> str:
    return devices.add(ADDRESS, name, actor=ACTOR, mode=mode, start=start)[1]


def fill(store: Store, mailbox: Mailbox, count: int) -> None:
    for number in range(count):
        assert store.ask(store.delivery(mailbox.pk, 100 + number)) is None


def see(store: Store, secret: str) -> list[str]:
    """The UIDLs of a view, held against its counters."""
    maildrop = store.sign_in(secret)
    listing = store.listing(maildrop)
    assert (len(listing), sum(listing.octets)) == (maildrop.messages, maildrop.octets)
    return list(listing.uidls)


def delete(store: Store, secret: str, *numbers: int) -> None:
    """DELE and QUIT."""
    maildrop = store.sign_in(secret)
    store.listing(maildrop)
    assert store.ask(lambda done: maildrop.remove(numbers, done)) == len(numbers)


def in_recovery() -> list[tuple[str, str]]:
    return list(Message.objects.exclude(removed=None).order_by("added").values_list("uidl", "removed_why"))


# --- the rules of views -------------------------------------------------------------------------------------------


def test_a_session_that_began_before_the_first_other_device_takes_nothing_from_it(
    store: Store, mailbox: Mailbox
) -> None:
    fill(store, mailbox, 2)
    maildrop = store.sign_in(PASSWORD)
    store.listing(maildrop)
    phone = add_device("phone")
    assert store.ask(lambda done: maildrop.remove((1,), done)) == 1
    assert len(see(store, phone)) == 2
    assert len(see(store, PASSWORD)) == 1
    assert not Message.objects.filter(removed__isnull=False).exists()


def test_the_main_password_alone_removes_for_good(store: Store, mailbox: Mailbox) -> None:
    fill(store, mailbox, 3)
    uidls = see(store, PASSWORD)
    delete(store, PASSWORD, 2)
    assert see(store, PASSWORD) == [uidls[0], uidls[2]]
    assert in_recovery() == [(uidls[1], "dele")]


def test_what_an_independent_device_deletes_is_hidden_from_it_alone(store: Store, mailbox: Mailbox) -> None:
    fill(store, mailbox, 3)
    phone, tablet = add_device("phone"), add_device("tablet")
    uidls = see(store, PASSWORD)
    delete(store, phone, 1, 3)
    assert see(store, phone) == [uidls[1]]
    assert see(store, tablet) == see(store, PASSWORD) == uidls
    assert in_recovery() == []


def test_a_message_leaves_when_the_last_counting_device_deleted_it(store: Store, mailbox: Mailbox) -> None:
    fill(store, mailbox, 2)
    phone = add_device("phone")
    uidls = see(store, PASSWORD)
    delete(store, PASSWORD, 1, 2)
    assert in_recovery() == []
    delete(store, phone, 2)
    assert in_recovery() == [(uidls[1], "every")]
    assert see(store, phone) == [uidls[0]]
    assert see(store, PASSWORD) == []


def test_the_main_view_counts_only_once_it_signs_in(store: Store, mailbox: Mailbox) -> None:
    fill(store, mailbox, 1)
    phone = add_device("phone")
    delete(store, phone, 1)
    assert [why for _, why in in_recovery()] == ["every"]


def test_the_main_view_counts_no_more_once_it_is_barred_from_pop(store: Store, mailbox: Mailbox) -> None:
    fill(store, mailbox, 1)
    phone = add_device("phone")
    see(store, PASSWORD)
    mailboxes.ensure(ADDRESS, actor=ACTOR, main_pop=False)
    delete(store, phone, 1)
    assert [why for _, why in in_recovery()] == ["every"]


def test_a_peeking_device_never_counts_and_hides_for_itself(store: Store, mailbox: Mailbox) -> None:
    fill(store, mailbox, 2)
    phone, archive = add_device("phone"), add_device("archive", mode="peek")
    uidls = see(store, phone)
    delete(store, archive, 1)
    assert see(store, archive) == [uidls[1]]
    assert see(store, phone) == uidls
    delete(store, phone, 1, 2)
    assert in_recovery() == [(uidls[0], "every"), (uidls[1], "every")]
    assert see(store, archive) == []


def test_a_primary_device_removes_for_all(store: Store, mailbox: Mailbox) -> None:
    fill(store, mailbox, 3)
    phone, desk = add_device("phone"), add_device("desk", mode="primary")
    delete(store, phone, 1)
    uidls = see(store, PASSWORD)
    delete(store, desk, 1, 2)
    assert see(store, phone) == see(store, desk) == see(store, PASSWORD) == [uidls[2]]
    assert in_recovery() == [(uidls[0], "dele"), (uidls[1], "dele")]


def test_a_device_that_was_revoked_counts_no_more(store: Store, mailbox: Mailbox) -> None:
    fill(store, mailbox, 1)
    phone = add_device("phone")
    add_device("lost laptop")
    devices.revoke(ADDRESS, "lost laptop", actor=ACTOR)
    delete(store, phone, 1)
    assert [why for _, why in in_recovery()] == ["every"]


@pytest.mark.parametrize(("start", "seen"), [("all", 2), ("now", 0)])
def test_a_device_begins_where_it_was_told_and_misses_nothing_after(
    store: Store, mailbox: Mailbox, start: str, seen: int
) -> None:
    fill(store, mailbox, 2)
    phone = add_device("phone", start=start)
    assert len(see(store, phone)) == seen
    fill(store, mailbox, 1)
    assert len(see(store, phone)) == seen + 1


def test_an_open_view_is_steady_while_others_hide_remove_and_deliver(store: Store, mailbox: Mailbox) -> None:
    fill(store, mailbox, 4)
    phone, desk = add_device("phone"), add_device("desk", mode="primary")
    delete(store, phone, 1)
    open_one = store.sign_in(phone)
    delete(store, phone, 1)
    delete(store, desk, 3, 4)
    fill(store, mailbox, 2)
    listing = store.listing(open_one)
    assert (len(listing), sum(listing.octets)) == (open_one.messages, open_one.octets) == (3, 101 + 102 + 103)


def test_a_dele_from_before_a_restore_takes_nothing_of_what_came_back(store: Store, mailbox: Mailbox) -> None:
    """The harm: the owner got a message back, and a session that had been open meanwhile deleted it again."""
    fill(store, mailbox, 2)
    phone, desk = add_device("phone"), add_device("desk", mode="primary")
    early = [store.sign_in(secret) for secret in (phone, desk)]
    for maildrop in early:
        store.listing(maildrop)
    delete(store, desk, 1)
    recovery.restore(ADDRESS, recovery.ALL, actor=ACTOR)
    for maildrop in early:
        assert store.ask(lambda done, one=maildrop: one.remove((1,), done)) == 1
    assert len(see(store, phone)) == len(see(store, desk)) == 2
    assert_true_counters()


def test_reading_in_order_keeps_what_is_hidden_one_range(store: Store, mailbox: Mailbox) -> None:
    fill(store, mailbox, 9)
    phone = add_device("phone")
    see(store, PASSWORD)
    for _ in range(3):
        delete(store, phone, 1, 2)
    assert len(see(store, phone)) == 3
    hidden = Device.objects.get(name="phone").hidden
    assert hidden.count("[") == 1, hidden


def test_two_devices_that_delete_at_the_same_moment_leave_true_counters(store: Store, mailbox: Mailbox) -> None:
    """On two lanes, so on two connections: both orders are right, a lost count is not."""
    phone, tablet = add_device("phone"), add_device("tablet")
    for _ in range(10):
        fill(store, mailbox, 4)
        first, second, third = store.sign_in(phone), store.sign_in(tablet), store.sign_in(PASSWORD)
        for maildrop in (first, second, third):
            store.listing(maildrop)
        answers = store.at_once(
            lambda done, one=first: one.remove([1, 2, 3], done),
            store.delivery(mailbox.pk, 50),
            lambda done, one=second: one.remove([2, 3, 4], done),
            lambda done, one=third: one.remove([1, 3, 4], done),
            store.delivery(mailbox.pk, 51),
        )
        assert answers == [3, None, 3, 3, None]
        for secret in (phone, tablet, PASSWORD):
            see(store, secret)
        assert_true_counters()
    left = Message.objects.filter(removed=None)
    assert left.count() == Mailbox.objects.get().messages


def assert_true_counters() -> None:
    """The mailbox's and every device's counters are the sums over the rows."""
    box = Mailbox.objects.get()
    live = list(Message.objects.filter(mailbox=box, removed=None).values_list("added", "octets"))
    assert (box.messages, box.octets) == (len(live), sum(octets for _, octets in live))
    with connection.cursor() as cursor:
        cursor.execute(HIDDEN)
        assert [row for row in cursor.fetchall() if row[1:3] != row[3:5]] == []
