"""One budget for guessers: what one worker counts holds for all, whichever protocol they speak."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from mailstore.bodies.files import FileBodies
from mailstore.errors import BadCredentials, Throttled
from mailstore.maildrop.accounts import StoredAccounts
from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.maildrop.senders import StoredSenders
from mailstore.models import SharedFailure
from mailstore.policy.throttle import UNKNOWN_ACCOUNTS_AN_HOUR, WRONG_PASSWORDS_A_DAY
from mailstore.ports import Credentials
from mailstore.sql.connection_pool import ConnectionPool
from tests.site import counting_hasher
from tests.site.rows import PASSWORD, a_mailbox
from tests.site.worker import Worker

ANN, HOME, ELSEWHERE = "ann@example.org", "192.0.2.7", "198.51.100.9"
KEY = b"k" * 32
Door = StoredAccounts | StoredSenders


@pytest.fixture(autouse=True)
def cheap_hash(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [counting_hasher.PATH]


class Site:
    """A worker of POP3 and one of SASL, on one loop and one database."""

    def __init__(self, worker: Worker, lanes: ConnectionPool, bodies: FileBodies) -> None:
        self.worker = worker
        self.pop = StoredAccounts(lanes, bodies, LastSignIns(lanes), site_key=KEY)
        self.smtp = StoredSenders(lanes, LastSignIns(lanes), site_key=KEY)

    def sign_in(self, door: Door, secret: str, *, client: str) -> object:
        return self.worker.ask(lambda done: door.sign_in(Credentials(ANN, secret, client, loopback=False), done))

    def fail(self, door: Door, *tries: tuple[str, str], client: str = ELSEWHERE) -> None:
        """Count failures without their delays."""
        for address, secret in tries:
            guess = door._context.passwords.guess(secret)
            unknown = address != ANN
            door.throttle.failed(client, address, guess, self.worker.loop.time(), unknown=unknown, loopback=False)

    def exchange(self, teller: Door, hearer: Door) -> None:
        before = SharedFailure.objects.count()
        self._on_loop(teller)
        self.worker.until(lambda: SharedFailure.objects.count() > before, "the news are written")
        self._on_loop(hearer)
        self.worker.until(lambda: hearer.throttle._seen, "the news are read")

    def _on_loop(self, door: Door) -> None:
        async def act() -> None:
            door.throttle.exchange()

        self.worker.run(act())


@pytest.fixture
def site(worker: Worker, lanes: ConnectionPool, bodies: FileBodies) -> Iterator[Site]:
    site = Site(worker, lanes, bodies)
    yield site
    site.pop.close()
    site.smtp.close()


@pytest.mark.parametrize("towards", ["smtp", "pop"])
def test_guesses_at_one_door_close_the_other(site: Site, towards: str) -> None:
    a_mailbox()
    here, there = (site.pop, site.smtp) if towards == "smtp" else (site.smtp, site.pop)
    site.fail(here, *[(ANN, f"guess {n}") for n in range(WRONG_PASSWORDS_A_DAY)])
    assert not isinstance(site.sign_in(there, PASSWORD, client=HOME), Throttled)
    site.exchange(here, there)
    assert type(site.sign_in(there, "another guess", client=ELSEWHERE)) is Throttled
    assert not isinstance(site.sign_in(there, PASSWORD, client=HOME), BadCredentials | Throttled)


def test_the_same_guess_at_both_doors_is_one(site: Site) -> None:
    a_mailbox()
    for door in (site.pop, site.smtp):
        site.fail(door, *[(ANN, f"guess {n}") for n in range(WRONG_PASSWORDS_A_DAY - 1)])
    site.exchange(site.pop, site.smtp)
    assert not site.smtp.throttle.barred(ELSEWHERE, ANN, site.worker.loop.time(), loopback=False)


def test_a_network_that_tries_unknown_names_is_barred_at_both_doors_until_its_owner_signs_in(site: Site) -> None:
    a_mailbox()
    site.fail(site.smtp, *[(f"x{n}@example.org", "x") for n in range(UNKNOWN_ACCOUNTS_AN_HOUR)])
    site.exchange(site.smtp, site.pop)
    assert site.pop.throttle.barred(ELSEWHERE, "other@example.org", site.worker.loop.time(), loopback=False)
    site.smtp.throttle.share_success(ELSEWHERE, ANN)
    site.pop.throttle._seen.clear()
    site.exchange(site.smtp, site.pop)
    assert not site.pop.throttle.barred(ELSEWHERE, "other@example.org", site.worker.loop.time(), loopback=False)


def test_a_failure_that_is_forgiven_is_forgiven_everywhere(site: Site) -> None:
    a_mailbox()
    site.fail(site.pop, *[(ANN, f"guess {n}") for n in range(WRONG_PASSWORDS_A_DAY)])
    site.pop.throttle.forgive(ELSEWHERE, ANN, site.pop._context.passwords.guess("guess 0"))
    site.exchange(site.pop, site.smtp)
    assert not site.smtp.throttle.barred(ELSEWHERE, ANN, site.worker.loop.time(), loopback=False)


def test_the_table_holds_no_password_and_no_name_that_may_be_one(site: Site) -> None:
    site.fail(site.pop, ("my secret password", "hunter2"), (ANN, "hunter2"))
    site.exchange(site.pop, site.smtp)
    first, second = SharedFailure.objects.order_by("pk")
    assert (len(first.account), second.account) == (32, ANN)
    assert {len(first.secret), len(second.secret)} == {2}


def test_old_news_are_deleted_by_whoever_has_news(site: Site) -> None:
    site.fail(site.pop, (ANN, "one"))
    site.exchange(site.pop, site.smtp)
    SharedFailure.objects.update(at="2020-01-01T00:00:00Z")
    site.fail(site.pop, (ANN, "two"))

    async def act() -> None:
        site.pop.throttle.exchange()

    site.worker.run(act())
    site.worker.until(lambda: SharedFailure.objects.filter(at__gt="2021-01-01T00:00:00Z").exists(), "the new one")
    assert SharedFailure.objects.count() == 1
