"""Sign-in to a mailbox that is still at its old server: who is asked for, what follows, and what strangers can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.hashers import make_password
from pytest_django import Settings

from mailstore.bodies.files import FileBodies
from mailstore.directory import aliases, domains, mailbox_moves, mailbox_rename, mailboxes
from mailstore.directory.existing_password import ExistingPassword
from mailstore.errors import BadCredentials, Done, MailError, MailMoving, Overloaded, Throttled, Unavailable
from mailstore.maildrop.accounts import StoredAccounts
from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.models import Mailbox, MailboxMove, User
from mailstore.pop3.replies import error as reply_of
from mailstore.ports import Credentials, Maildrop, Move
from mailstore.sql.connection_pool import ConnectionPool
from tests.site import counting_hasher
from tests.site.counting_hasher import Counting
from tests.site.rows import ACTOR, a_domain
from tests.site.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.org"
SERVER = "pop3s://mail.old.example"
SECRET = "an old password"


class FakeOldServers:
    """ports.OldServers in memory: takes one password. `failure`: what it answers in place of anything."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.moves: list[tuple[str, str]] = []
        self.failure: MailError | None = None
        self.servers_away: set[str | None] = set()

    def ask(self, move: Move, password: str, done: Done[str | None]) -> None:
        self.asked.append(move.user)
        done(self.failure or (make_password(password) if password == SECRET else None))

    def away(self, server: str | None) -> bool:
        return server in self.servers_away

    def go_on(self, move: Move, password: str) -> None:
        self.moves.append((move.address, password))


@pytest.fixture(autouse=True)
def cheap_hash(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [counting_hasher.PATH]


@pytest.fixture
def old_servers() -> FakeOldServers:
    return FakeOldServers()


@pytest.fixture
def accounts(
    lanes: ConnectionPool, bodies: FileBodies, last_sign_ins: LastSignIns, old_servers: FakeOldServers
) -> Iterator[StoredAccounts]:
    accounts = StoredAccounts(lanes, bodies, last_sign_ins, old_servers)
    yield accounts
    accounts.close()


@pytest.fixture
def sign_in(worker: Worker, accounts: StoredAccounts) -> Callable[..., object]:
    return lambda secret=SECRET, address=ANN: worker.ask(asking(accounts, address, secret))


def asking(accounts: StoredAccounts, address: str, secret: str) -> Callable[[Done[Maildrop]], object]:
    credentials = Credentials(address, secret, "192.0.2.7", loopback=False)
    return lambda done: accounts.sign_in(credentials, done)


def a_marked_mailbox(address: str = ANN, **fields: object) -> Mailbox:
    a_domain(address.rpartition("@")[2], old_server=SERVER, **fields)
    box = mailboxes.ensure(address, actor=ACTOR, password=ExistingPassword("", make_password(None))).row
    mailbox_moves.mark(address, actor=ACTOR)
    return box


def test_the_password_of_the_old_server_is_kept_and_the_move_begins(
    worker: Worker, sign_in: Callable[..., object], old_servers: FakeOldServers
) -> None:
    a_marked_mailbox(old_server_local=True)
    assert type(sign_in()) is MailMoving
    assert (old_servers.asked, old_servers.moves) == (["ann"], [(ANN, SECRET)])
    worker.until(lambda: User.objects.get(address=ANN).check_password(SECRET), "the password is kept")
    assert type(sign_in()) is MailMoving
    assert old_servers.asked == ["ann"], "the second sign-in is checked here"
    MailboxMove.objects.update(state="moved")
    assert not isinstance(sign_in(), MailError)


def test_a_renamed_mailbox_is_asked_for_by_the_name_that_the_old_server_knows(
    sign_in: Callable[..., object], old_servers: FakeOldServers
) -> None:
    a_marked_mailbox(old_server_local=True)
    mailbox_rename.rename(ANN, "anna@example.org", actor=ACTOR)
    assert type(sign_in(SECRET, "anna@example.org")) is MailMoving
    assert (old_servers.asked, old_servers.moves) == (["ann"], [("anna@example.org", SECRET)])


def test_nobody_else_is_asked_for(sign_in: Callable[..., object], old_servers: FakeOldServers) -> None:
    a_marked_mailbox()
    mailboxes.ensure("bob@example.org", actor=ACTOR, password=ExistingPassword("", make_password(None)))
    a_marked_mailbox("cleo@other.org")
    domains.ensure("other.org", actor=ACTOR, old_server=None)
    mailboxes.ensure("dan@example.org", actor=ACTOR, suspended=True)
    mailbox_moves.mark("dan@example.org", actor=ACTOR)
    for address in ("nobody@example.org", "bob@example.org", "cleo@other.org", "dan@example.org"):
        assert type(sign_in(SECRET, address)) is BadCredentials, address
    assert old_servers.asked == []


def test_a_refusal_there_costs_what_a_stranger_costs_here(
    sign_in: Callable[..., object], old_servers: FakeOldServers
) -> None:
    a_marked_mailbox()
    costs = []
    for address in (ANN, "nobody@example.org"):
        Counting.runs = 0
        assert type(sign_in("wrong", address)) is BadCredentials
        costs.append(Counting.runs)
    assert costs == [1, 1]
    assert old_servers.moves == []


def test_a_mailbox_that_is_not_asked_for_any_more_is_refused_as_a_stranger_is(
    sign_in: Callable[..., object], old_servers: FakeOldServers
) -> None:
    """Another reply would tell after some guesses who is marked."""
    a_marked_mailbox()
    old_servers.failure = Throttled("too many")
    assert type(sign_in()) is BadCredentials


def test_an_old_server_that_is_away_leaves_no_password_and_no_failure(
    sign_in: Callable[..., object], old_servers: FakeOldServers
) -> None:
    a_marked_mailbox()
    old_servers.failure = Unavailable("the old server")
    assert type(sign_in()) is Unavailable
    assert not User.objects.get(address=ANN).has_usable_password()


def test_a_mailbox_that_pulls_again_is_open_meanwhile(
    worker: Worker, sign_in: Callable[..., object], old_servers: FakeOldServers
) -> None:
    a_marked_mailbox()
    sign_in()
    worker.until(lambda: User.objects.get(address=ANN).has_usable_password(), "the password is kept")
    MailboxMove.objects.update(state="moved", moved_at="2026-01-01T00:00:00Z")
    mailbox_moves.pull_again(ANN, actor=ACTOR)
    assert not isinstance(sign_in(), MailError)
    assert old_servers.moves == [(ANN, SECRET)] * 2


@pytest.mark.parametrize("leading", [None, "ann@standing.org", "info@aliases.org"])
def test_in_a_domain_that_moves_every_refusal_takes_longer_than_an_old_server(
    worker: Worker, accounts: StoredAccounts, leading: str | None
) -> None:
    """Whether the old server was asked or not; so an unknown name elsewhere is answered first.

    The same holds in a domain with another name that leads to the mailbox.
    """
    box = a_marked_mailbox()
    a_domain("other.org")
    a_domain("standing.org", stands_for=box.domain)
    a_domain("aliases.org", alias_sign_in=True)
    aliases.ensure("info@aliases.org", [ANN], actor=ACTOR)
    known = leading or ANN
    unknown = f"nobody@{known.rpartition('@')[2]}"

    async def refresh() -> None:
        accounts.refresh()

    worker.run(refresh())
    worker.ask(asking(accounts, "first@other.org", "x"))  # by then the refresh is answered
    order: list[str] = []

    def noted(address: str) -> Callable[[Done[Maildrop]], object]:
        def call(done: Done[Maildrop]) -> object:
            def told(answer: Maildrop | MailError) -> None:
                order.append(address)
                done(answer)

            return asking(accounts, address, "wrong")(told)

        return call

    worker.asked(noted(unknown), noted(known), noted("nobody@other.org"))
    assert order[0] == "nobody@other.org"


@pytest.mark.parametrize(("away", "failure"), [(SERVER, Unavailable("away")), (None, Overloaded("busy"))])
def test_while_the_old_server_is_away_all_refusals_in_its_domain_are_one(
    worker: Worker, accounts: StoredAccounts, old_servers: FakeOldServers, away: str | None, failure: MailError
) -> None:
    """The harm: marked addresses were told [SYS/TEMP] at once, and strangers [AUTH]."""
    domain = a_marked_mailbox().domain
    mailboxes.ensure("bob@example.org", actor=ACTOR, password="correct horse battery")
    mailboxes.ensure("dan@example.org", actor=ACTOR, suspended=True)
    a_domain("other.org", old_server="pop3s://other.old.example")
    a_domain("standing.org", stands_for=domain)
    a_domain("aliases.org", alias_sign_in=True)
    old_servers.servers_away, old_servers.failure = {away}, failure

    async def refresh() -> None:
        accounts.refresh()

    worker.run(refresh())
    worker.ask(asking(accounts, "first@elsewhere.org", "x"))  # by then the refresh is answered
    Counting.runs = 0
    hidden = [ANN, "nobody@example.org", "bob@example.org", "dan@example.org", "nobody@standing.org"]
    hidden = hidden if away else [ANN, "nobody@aliases.org"]
    open_ones = ["nobody@other.org", "nobody@elsewhere.org"]
    answers = worker.asked(*(asking(accounts, address, "wrong") for address in (*hidden, *open_ones)))
    replies = [reply_of(answer) for answer in answers]
    assert replies == [reply_of(Unavailable(""))] * len(hidden) + [reply_of(BadCredentials(""))] * 2
    assert Counting.runs == len(answers)
    assert old_servers.asked == [ANN]
