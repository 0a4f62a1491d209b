"""Hashes of other servers at POP3: they cost a stranger what ours cost, and the first right password replaces them."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import check_password
from django.db import connection, transaction
from pytest_django import Settings

from mailstore.directory import existing_password, mailboxes
from mailstore.directory.existing_password import ExistingPassword
from mailstore.errors import BadCredentials
from mailstore.maildrop import own_hashes
from mailstore.maildrop.accounts import StoredAccounts
from mailstore.models import AuditEntry, DiarySession, User
from mailstore.policy import foreign_hash
from mailstore.ports import Credentials
from mailstore.sql.connection_pool import WRITE_LANES, ConnectionPool
from mailstore.sql.statements.sign_in import OWN_HASH
from tests.site import counting_hasher
from tests.site.counting_hasher import cost
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox
from tests.site.worker import Worker

ANN, BOB, HOME = "ann@example.org", "bob@example.org", "192.0.2.7"
SECRET = "Café2026!xk"
SHA = "{SHA}6gm4jsWoFH5igA6J+AlB2spqT1U="  # of SECRET
MD5_CRYPT = "$1$1hUQ6A/J$t6/ZQ0sw6brcPvdst3arc/"


@pytest.fixture(autouse=True)
def cheap_hash(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [counting_hasher.PATH, "mailstore.directory.password_hasher.Imported"]


class Door:
    def __init__(self, worker: Worker, accounts: StoredAccounts, lanes: ConnectionPool) -> None:
        self.worker = worker
        self.lanes = lanes
        self.accounts = accounts

    def sign_in(self, secret: str = SECRET, address: str = ANN, client: str = HOME) -> object:
        credentials = Credentials(address, secret, client, loopback=False)
        return self.worker.ask(lambda done: self.accounts.sign_in(credentials, done))

    def until(self, holds, what: str) -> None:
        self.worker.until(holds, what)


@pytest.fixture
def door(worker: Worker, accounts: StoredAccounts, lanes: ConnectionPool) -> Door:
    a_domain()
    return Door(worker, accounts, lanes)


def moved(text: str = SHA, address: str = ANN) -> User:
    return mailboxes.ensure(address, actor=ACTOR, password=existing_password.of_hash(text)).row.user


def stored() -> str:
    return User.objects.get(address=ANN).password


def replaced() -> bool:
    return not foreign_hash.is_stored(stored())


def test_the_first_good_sign_in_stores_our_own_hash_and_the_next_needs_none(door: Door) -> None:
    moved_at = moved().password_changed_at
    found, hashes = cost(door.sign_in)
    assert (found.address, hashes) == (ANN, 1)
    door.until(replaced, "our own hash is stored")
    user = User.objects.get()
    assert check_password(SECRET, user.password)
    assert (user.password_changed_at, user.previous_password) == (moved_at, "")
    found, hashes = cost(door.sign_in)
    assert (found.address, hashes) == (ANN, 0), "the new hash is known too"


@pytest.mark.parametrize("text", [SHA, MD5_CRYPT, "$2y$05$" + "a" * 53])
def test_a_stranger_pays_one_slow_hash_whether_the_hash_is_foreign_ours_or_nobodys(door: Door, text: str) -> None:
    moved(text)
    mailboxes.ensure(BOB, actor=ACTOR, password=PASSWORD)
    for address in (ANN, BOB, "nobody@example.org"):
        answer, hashes = cost(lambda address=address: door.sign_in("wrong", address))
        assert (type(answer), hashes) == (BadCredentials, 1)
    assert foreign_hash.is_stored(stored()), "a wrong password replaces nothing"


def test_a_suspended_user_pays_the_same_and_keeps_the_foreign_hash(door: Door) -> None:
    moved()
    User.objects.update(is_active=False)
    answer, hashes = cost(door.sign_in)
    assert (type(answer), hashes) == (BadCredentials, 1)
    door.sign_in("x", "nobody@example.org")
    assert not replaced()


def test_a_password_that_was_changed_while_the_old_one_was_checked_wins(door: Door) -> None:
    user = moved()

    async def store() -> None:
        own_hashes.store(door.lanes, user.pk, foreign="imported${SHA}another", own="argon2$new")

    door.worker.run(store())
    door.sign_in("x", "nobody@example.org")
    assert foreign_hash.is_stored(stored())
    mailboxes.set_password(ANN, PASSWORD, actor=ACTOR)
    assert type(door.sign_in(SECRET)) is BadCredentials
    assert check_password(PASSWORD, stored())


def test_a_row_that_somebody_holds_holds_nobody_up_and_is_replaced_later(door: Door) -> None:
    user = moved()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM mailstore_user FOR UPDATE")
        assert door.sign_in().address == ANN
        values = OWN_HASH.values(user_id=b"%d" % user.pk, foreign=b"none", own=b"none")
        for _ in range(WRITE_LANES):  # behind what each lane has to write
            door.worker.get(lambda done: door.lanes.write(((OWN_HASH, values),), done))
    assert not replaced()
    assert door.sign_in().address == ANN
    door.until(replaced, "our own hash is stored")


def test_two_users_whose_hashes_without_salt_are_the_same_both_get_one_of_their_own(door: Door) -> None:
    """The harm: the second was let in by the memory of the first, so the foreign hash stayed for ever."""
    moved()
    moved(address=BOB)
    assert door.sign_in().address == ANN
    assert door.sign_in(address=BOB).address == BOB
    both = User.objects.filter(password__startswith="argon2$")
    door.until(lambda: both.count() == 2, "both hashes are stored")


def test_the_previous_password_is_known_as_such_when_its_hash_was_foreign(door: Door) -> None:
    moved()
    mailboxes.set_password(ANN, PASSWORD, actor=ACTOR)
    assert type(door.sign_in(SECRET)) is BadCredentials
    door.until(lambda: not door.accounts._passwords.busy(), "the previous one was compared")
    door.worker.run(flushed(door.accounts))
    door.until(lambda: DiarySession.objects.filter(ended="previous").exists(), "the diary tells")


async def flushed(accounts: StoredAccounts) -> None:
    accounts.diary.flush(every=True)


@pytest.mark.parametrize("name", ["Ann@Example.org", " ann@example.org\u00a0"])
def test_a_sign_in_that_could_not_be_read_is_in_the_diary_of_its_mailbox(door: Door, name: str) -> None:
    a_mailbox()

    async def note() -> None:
        door.accounts.note_malformed(name, "192.0.2.9", "TLSv1.3")
        door.accounts.note_malformed("nobody@example.org", "192.0.2.9", None)
        door.accounts.note_malformed("no address", "192.0.2.9", None)

    door.worker.run(note())
    door.sign_in("x", "nobody@example.org")
    door.worker.run(flushed(door.accounts))
    door.until(DiarySession.objects.exists, "the diary is written")
    (row,) = DiarySession.objects.all()
    assert (row.ended, row.client, row.tls, row.mailbox.user.address) == ("malformed", "192.0.2.9", "TLSv1.3", ANN)
    assert row.ended in DiarySession.REFUSED


def test_a_weak_password_that_existed_opens_although_the_pages_ask_for_another(door: Door) -> None:
    user = mailboxes.ensure(ANN, actor=ACTOR, password=ExistingPassword("sesame")).row.user
    assert user.must_change_password
    assert door.sign_in("sesame").address == ANN


def test_moving_is_in_the_audit_without_the_hash(door: Door) -> None:
    moved()
    mailboxes.set_password(ANN, existing_password.of_hash(MD5_CRYPT), actor=ACTOR)
    kept = str(list(AuditEntry.objects.values()))
    assert "mailbox.password" in kept
    assert not any(part in kept for part in (SHA, MD5_CRYPT, "6gm4jsWoFH5igA6J"))
