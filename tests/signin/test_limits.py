"""Slow hashes of the pages: few at a time, known users first, a limit for each network, and a text when it is full.

And how often something may be asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from threading import Event, Thread

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from mailstore.directory import known_networks
from mailstore.models import KnownNetwork, User
from mailstore.policy.networks import KNOWN_DAYS, NETWORKS_LIMIT
from popadmin.signin.limits import (
    NETWORK_LIMIT,
    RUNNING_LIMIT,
    WAITING_LIMIT,
    Busy,
    HashSlots,
    hash_slots,
)
from popadmin.web.mail_limit import KEYS_LIMIT, RateLimit
from tests.signin.counting_hasher import Counting
from tests.site.page_users import ANN, an_owner, sign_in, signed_in
from tests.site.rows import PASSWORD
from tests.up.programs import until

LONGEST_SECONDS = 30.0


def clients(count: int, first: int = 0) -> list[str]:
    """Return clients, each in a network of its own."""
    return [f"203.0.{first + n}.7" for n in range(count)]


class Hash(Thread):
    """A thread that holds or awaits a slot until `end`."""

    def __init__(self, slots: HashSlots, client: str, served: list[str], *, known: bool = False) -> None:
        super().__init__(daemon=True)
        self._slots, self._client, self._served, self._known = slots, client, served, known
        self._end = Event()
        self.start()

    def run(self) -> None:
        with self._slots.hold(self._client, known=self._known):
            self._served.append(self._client)
            assert self._end.wait(LONGEST_SECONDS)

    def end(self) -> None:
        self._end.set()
        self.join(LONGEST_SECONDS)


@contextmanager
def full(slots: HashSlots, *addresses: str) -> Iterator[None]:
    """Hold slots for unknown users."""
    with ExitStack() as stack:
        for address in addresses:
            stack.enter_context(slots.hold(address, known=False))
        yield


def test_an_unknown_user_is_refused_at_once_when_all_slots_are_taken() -> None:
    slots = HashSlots(wait_seconds=0.0)
    with full(slots, *clients(RUNNING_LIMIT)), pytest.raises(Busy), slots.hold("198.51.100.7", known=False):
        pass
    with slots.hold("198.51.100.7", known=False):
        pass


def test_only_a_few_threads_wait_for_a_slot() -> None:
    slots, served = HashSlots(wait_seconds=LONGEST_SECONDS), list[str]()
    with full(slots, *clients(RUNNING_LIMIT)):
        waiting = [Hash(slots, client, served) for client in clients(WAITING_LIMIT, first=100)]
        until(lambda: slots._waiting[False] == WAITING_LIMIT, "they wait")
        with pytest.raises(Busy), slots.hold("198.51.100.7", known=False):
            pass
    for each in waiting:
        each.end()
    assert sorted(served) == sorted(clients(WAITING_LIMIT, first=100))


def test_a_known_user_goes_before_unknown_users_who_waited_longer() -> None:
    slots, served = HashSlots(wait_seconds=LONGEST_SECONDS), list[str]()
    held = [Hash(slots, client, served) for client in clients(RUNNING_LIMIT)]
    until(lambda: len(served) == RUNNING_LIMIT, "all slots are taken")
    stranger = Hash(slots, "198.51.100.7", served)
    until(lambda: slots._waiting[False] == 1, "the stranger waits")
    known = Hash(slots, "192.0.2.7", served, known=True)
    until(lambda: slots._waiting[True] == 1, "the known one waits")
    held[0].end()
    until(lambda: len(served) == RUNNING_LIMIT + 1, "one more is served")
    assert served[-1] == "192.0.2.7"
    for each in (held[1], known, stranger):
        each.end()


def test_unknown_users_of_one_network_leave_slots_to_others_and_this_machine_is_no_network() -> None:
    slots = HashSlots(wait_seconds=0.0)
    assert NETWORK_LIMIT <= RUNNING_LIMIT
    with full(slots, *["198.51.100.7"] * (NETWORK_LIMIT - 1)), slots.hold("127.0.0.1", known=False):
        pass
    busy = HashSlots(wait_seconds=LONGEST_SECONDS)
    with full(busy, *["198.51.100.7"] * NETWORK_LIMIT), pytest.raises(Busy), busy.hold("198.51.100.200", known=False):
        pass


# --- the form -----------------------------------------------------------------------------------------------------


@pytest.fixture
def counted(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["tests.signin.counting_hasher.Counting"]


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "password"), [(ANN, PASSWORD), (ANN, "wrong"), ("nobody@example.org", PASSWORD)])
def test_a_sign_in_without_a_slot_shows_the_same_text_to_all_users_and_hashes_nothing(
    client, counted, name, password
) -> None:
    an_owner()
    before = Counting.hashed
    with full(hash_slots, *["198.51.100.7"] * NETWORK_LIMIT):
        answer = sign_in(client, name, password, REMOTE_ADDR="198.51.100.99")
    assert (answer.status_code, answer["Retry-After"], Counting.hashed - before) == (503, "5", 0)
    assert "Too many people are signing in right now. Try again in a moment." in answer.content.decode()


@pytest.mark.django_db
def test_a_user_who_signed_in_from_there_within_a_month_does_not_wait_for_neighbours(client) -> None:
    an_owner()
    KnownNetwork.objects.create(user=User.objects.get(), network="198.51.100.0/24", seen_at=timezone.now())
    with full(hash_slots, "198.51.100.7", *["127.0.0.1"] * (RUNNING_LIMIT - NETWORK_LIMIT)):
        assert sign_in(client, ANN, REMOTE_ADDR="198.51.100.99").status_code == 302


@pytest.mark.django_db
def test_the_check_of_the_current_password_needs_a_slot_too() -> None:
    an_owner()
    browser = signed_in(ANN)
    with full(hash_slots, *clients(RUNNING_LIMIT)):
        answer = browser.post(reverse("settings-password"), {"old_password": PASSWORD})
    assert "Too many people are signing in right now." in answer.content.decode()


# --- known networks -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_sign_in_of_the_pages_makes_its_network_known_for_a_month(client) -> None:
    an_owner()
    sign_in(client, ANN, "wrong", REMOTE_ADDR="198.51.100.99")
    assert not known_networks.known(ANN, "198.51.100.99")
    sign_in(client, ANN, REMOTE_ADDR="198.51.100.99")
    sign_in(client, ANN, REMOTE_ADDR="198.51.100.98")
    assert known_networks.known(ANN, "198.51.100.1")
    assert not known_networks.known(ANN, "203.0.113.1")
    assert not known_networks.known("nobody@example.org", "198.51.100.1")
    KnownNetwork.objects.update(seen_at=timezone.now() - timedelta(days=KNOWN_DAYS, hours=1))
    assert not known_networks.known(ANN, "198.51.100.1")
    client.logout()
    sign_in(client, ANN, REMOTE_ADDR="198.51.100.98")
    assert known_networks.known(ANN, "198.51.100.1")
    assert KnownNetwork.objects.count() == 1


@pytest.mark.django_db
def test_the_pages_add_no_known_network_above_the_bound() -> None:
    an_owner()
    user = User.objects.get()
    for n in range(NETWORKS_LIMIT + 2):
        known_networks.note(user, f"10.0.{n}.1")
    assert KnownNetwork.objects.count() == NETWORKS_LIMIT


def test_so_many_a_window_and_no_more_until_it_ends() -> None:
    limit = RateLimit(2, 60)
    assert [limit.allowed("a", now) for now in (0.0, 1.0, 2.0, 59.0)] == [True, True, False, False]
    assert limit.allowed("a", 60.0)


def test_who_goes_on_asking_does_not_lengthen_his_own_window() -> None:
    limit = RateLimit(1, 60)
    assert [limit.allowed("a", now) for now in (0.0, 59.0, 60.0)] == [True, False, True]


def test_each_key_has_its_own() -> None:
    limit = RateLimit(1, 60)
    assert [limit.allowed(key, 0.0) for key in "aab"] == [True, False, True]


def test_strangers_fill_no_memory() -> None:
    limit = RateLimit(1, 60)
    for number in range(KEYS_LIMIT + 5):
        limit.allowed(str(number), 0.0)
    assert len(limit._counts) == KEYS_LIMIT
