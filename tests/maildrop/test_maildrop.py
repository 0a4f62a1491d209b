"""A session's maildrop: the state at one change number, steady whatever others do meanwhile, and never a wrong body."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.db import transaction

from mailstore.bodies.files import FileBodies
from mailstore.delivery.delivery import StoredDelivery
from mailstore.directory import aliases, devices, mailbox_removal, message_purge
from mailstore.errors import BadCredentials, BodyLost, TryAgain, Unavailable
from mailstore.maildrop.accounts import StoredAccounts
from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.maildrop.maildrop import WINDOW
from mailstore.models import Body, Mailbox, Message
from mailstore.pg.pipeline import Answer
from mailstore.pg.statement import Parameters, Statement
from mailstore.ports import Credentials, Maildrop
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.sign_in import SIGN_IN
from mailstore.sql.statements.view import CARDS, LISTING
from tests.fakes.bodies import FakeBodies
from tests.site.mail import Mail
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox
from tests.site.worker import Worker, all_there, end_lanes

pytestmark = pytest.mark.usefixtures("counters_are_sums")

ANN = "ann@example.org"


class Counted:
    """Lanes that note which statements were read."""

    def __init__(self, lanes: ConnectionPool) -> None:
        self._lanes = lanes
        self.statements: list[bytes] = []
        self.write = lanes.write
        self.on_return = lanes.on_return

    def read(self, statement: Statement, parameters: Parameters, done: Answer) -> None:
        self.statements.append(statement.name)
        self._lanes.read(statement, parameters, done)


@pytest.fixture
def ann(mail: Mail) -> Mail:
    """Ann's mailbox with three messages."""
    a_mailbox()
    for n in range(3):
        mail.deliver(ANN, wire(n))
    return mail


def wire(n: int) -> bytes:
    return b"Subject: number %d\r\n\r\n" % n + b"%d" % n * (10 * n + 1) + b"\r\n"


def fill(mail: Mail, count: int) -> None:
    found = mail.recipient(ANN)
    mail.commits(*[([found], wire(n % 10)) for n in range(count)])


# --- the snapshot -------------------------------------------------------------------------------------------------


@pytest.mark.req("P-052")
def test_mail_that_arrives_during_a_session_is_not_in_it(ann: Mail) -> None:
    drop = ann.open(ANN)
    ann.deliver(ANN, wire(3))
    assert drop.messages == len(ann.uidls(drop)) == 3
    assert len(ann.uidls(ann.open(ANN))) == 4


@pytest.mark.req("P-053")
def test_what_another_session_removed_can_still_be_read_here(ann: Mail) -> None:
    here, there = ann.open(ANN), ann.open(ANN)
    assert ann.remove(there, 1, 3) == 2
    assert len(ann.uidls(here)) == 3
    for number in (1, 2, 3):
        assert ann.read(here, number).endswith(wire(number - 1))
    assert len(ann.uidls(ann.open(ANN))) == 1


@pytest.mark.req("P-049")
def test_two_sessions_that_remove_the_same_message_both_succeed_and_it_goes_once(ann: Mail) -> None:
    one, other = ann.open(ANN), ann.open(ANN)
    assert ann.remove(one, 1, 2) == 2
    ann.deliver(ANN, wire(3))
    assert ann.remove(other, 2, 3) == 2
    assert [row.removed is None for row in Message.objects.order_by("added")] == [False, False, False, True]
    assert Mailbox.objects.get().messages == 1


def test_numbers_of_sessions_at_the_same_moment_are_the_same(ann: Mail) -> None:
    ann.remove(ann.open(ANN), 2)
    assert ann.uidls(ann.open(ANN)) == ann.uidls(ann.open(ANN))


def test_sessions_at_one_change_share_one_listing(ann: Mail) -> None:
    first, second = (ann.worker.get(ann.open(ANN).listing) for _ in range(2))
    assert first is second
    ann.deliver(ANN)
    assert ann.worker.get(ann.open(ANN).listing) is not first


def test_a_listing_is_not_kept_when_the_database_was_away(ann: Mail, lanes: ConnectionPool) -> None:
    """The harm: a database restored to an earlier day takes change numbers again, and a kept list showed other mail."""
    first = ann.worker.get(ann.open(ANN).listing)
    end_lanes()
    ann.worker.until(lambda: not all_there(lanes), "the end is noticed")
    ann.worker.until(lambda: all_there(lanes), "the lanes are back")
    again = ann.worker.get(ann.open(ANN).listing)
    assert again is not first
    assert list(again.uidls) == list(first.uidls)


def test_a_listing_is_never_shared_between_views(ann: Mail) -> None:
    _device, secret = devices.add(ANN, "Phone", actor=ACTOR, start="now")
    ann.deliver(ANN, wire(3))
    assert [len(ann.uidls(ann.open(ANN, key))) for key in (secret, PASSWORD)] == [1, 4]


def test_the_maildrop_of_one_mailbox_has_no_mail_of_another(ann: Mail) -> None:
    a_mailbox("bob@example.org")
    ann.deliver("bob@example.org", wire(9))
    assert ann.read(ann.open("bob@example.org"), 1).endswith(wire(9))
    assert ann.open("bob@example.org").messages == 1


def test_counters_that_lie_are_a_temporary_failure_and_the_error_says_what_to_do(
    ann: Mail,
) -> None:
    drop = ann.open(ANN)
    Mailbox.objects.update(messages=7)
    lying = ann.open(ANN)
    Mailbox.objects.update(messages=3)
    error = ann.worker.ask(lying.listing)
    assert isinstance(error, TryAgain)
    assert "fsck" in str(error)
    assert len(ann.uidls(drop)) == 3


@pytest.mark.req("P-056")
def test_a_maildrop_is_listed_in_exact_octets_without_reading_a_body(ann: Mail, tmp_path: Path) -> None:
    drop = ann.open(ANN)
    sizes = [len(ann.read(drop, number)) for number in (1, 2, 3)]
    shutil.rmtree(tmp_path / "bodies")
    drop = ann.open(ANN)
    assert (drop.messages, drop.octets) == (3, sum(sizes))
    assert list(ann.worker.get(drop.listing).octets) == sizes


@pytest.mark.req("P-057")
@pytest.mark.parametrize("waiting", [0, 10 * WINDOW])
@pytest.mark.parametrize("name", [ANN, "ann@example.net", "info@example.org"])
def test_a_sign_in_reads_the_same_one_statement_whatever_the_name_is_and_the_maildrop_holds(
    mail: Mail, lanes: ConnectionPool, bodies: FileBodies, worker: Worker, waiting: int, name: str
) -> None:
    domain = a_mailbox().domain
    a_domain(domain.name, alias_sign_in=True)
    a_domain("example.net", stands_for=domain)
    aliases.ensure("info@example.org", [ANN], actor=ACTOR)
    fill(mail, waiting)
    counted = Counted(lanes)
    accounts = StoredAccounts(counted, bodies, LastSignIns(counted))
    drop: Maildrop = worker.get(
        lambda done: accounts.sign_in(Credentials(name, PASSWORD, "192.0.2.7", loopback=False), done)
    )
    assert drop.messages == waiting
    assert counted.statements == [SIGN_IN.name]
    accounts.close()


# --- messages -----------------------------------------------------------------------------------------------------


def test_reading_a_whole_maildrop_asks_once_for_a_window_of_messages(
    ann: Mail, lanes: ConnectionPool, bodies: FileBodies, worker: Worker
) -> None:
    fill(ann, 2 * WINDOW)
    counted = Counted(lanes)
    accounts = StoredAccounts(counted, bodies, LastSignIns(counted))
    drop: Maildrop = worker.get(
        lambda done: accounts.sign_in(Credentials(ANN, PASSWORD, "192.0.2.7", loopback=False), done)
    )
    for number in range(1, drop.messages + 1):
        assert ann.read(drop, number)
    assert drop.messages == 2 * WINDOW + 3
    assert counted.statements.count(CARDS.name) == 3
    assert counted.statements.count(LISTING.name) == 1
    accounts.close()


def test_messages_are_read_in_any_order(ann: Mail) -> None:
    fill(ann, WINDOW + 10)
    drop = ann.open(ANN)
    octets = ann.worker.get(drop.listing).octets
    for number in (drop.messages, 1, WINDOW, WINDOW + 1, 2, drop.messages - 1):
        assert len(ann.read(drop, number)) == octets[number - 1]


def a_body_file(folder: Path, number: int) -> Path:
    key = Body.objects.order_by("pk")[number - 1].key
    return next(folder.rglob(key))


@pytest.mark.req("P-062")
@pytest.mark.req("P-064")
@pytest.mark.parametrize("harm", ["missing", "truncated", "empty", "longer", "swapped", "one octet"])
def test_a_body_that_is_not_the_stored_one_is_refused_and_the_others_are_read(
    ann: Mail, tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: str
) -> None:
    ann.deliver(ANN, wire(1).upper())  # as long as number 2
    victim, twin = a_body_file(tmp_path / "bodies", 2), a_body_file(tmp_path / "bodies", 4)
    data = victim.read_bytes()
    spoilt = {
        "truncated": data[:-1],
        "empty": b"",
        "longer": data + b"x",
        "swapped": twin.read_bytes(),
        "one octet": data.replace(b"n", b"N", 1),
    }
    victim.unlink() if harm == "missing" else victim.write_bytes(spoilt[harm])
    drop = ann.open(ANN)
    caplog.clear()
    error = ann.message(drop, 2)
    assert type(error) is BodyLost
    assert victim.name in str(error)
    assert caplog.records == []  # the session tells it, once
    for number in (1, 3, 4):
        assert ann.read(drop, number)


@pytest.mark.req("P-062")
def test_a_body_store_that_is_away_is_not_a_message_that_is_lost(ann: Mail, tmp_path: Path) -> None:
    (tmp_path / "bodies").rename(tmp_path / "unmounted")
    (tmp_path / "bodies").mkdir()
    drop = ann.open(ANN)
    assert type(ann.message(drop, 1)) is Unavailable
    shutil.rmtree(tmp_path / "bodies")
    (tmp_path / "unmounted").rename(tmp_path / "bodies")
    assert ann.read(drop, 1)


@pytest.mark.req("P-053")
def test_a_message_that_was_purged_underneath_is_lost_and_shifts_no_number(ann: Mail) -> None:
    drop = ann.open(ANN)
    ann.uidls(drop)
    ann.remove(ann.open(ANN), 2)
    with transaction.atomic():
        message_purge.messages([Message.objects.exclude(removed=None).get().pk])
    assert type(ann.message(drop, 2)) is BodyLost
    assert ann.read(drop, 3).endswith(wire(2))


# --- UPDATE -------------------------------------------------------------------------------------------------------


@pytest.mark.req("P-067")
def test_a_removal_takes_what_was_named_and_leaves_the_rest_to_recovery_rows(ann: Mail) -> None:
    kept = ann.uidls(ann.open(ANN))
    ann.remove(ann.open(ANN), 1, 3)
    assert ann.uidls(ann.open(ANN)) == [kept[1]]
    removed = Message.objects.exclude(removed=None)
    assert [(row.removed_why, row.removed_by_id is None, row.removed_at is None) for row in removed] == [
        ("dele", False, False)
    ] * 2
    assert Body.objects.count() == 3


def test_a_removal_during_deliveries_and_removals_loses_none_of_them(ann: Mail) -> None:
    fill(ann, 40)
    drops = [ann.open(ANN) for _ in range(4)]
    for drop in drops:
        ann.uidls(drop)
    found = ann.recipient(ANN)
    answers: list[object] = []

    async def begin() -> None:
        for n, drop in enumerate(drops):
            drop.remove(range(1 + 10 * n, 21 + 10 * n) if n < 3 else [43], answers.append)
            intake = ann.intake(wire(n))
            intake.commit([found], len(wire(n)), lambda _, answer: answers.append(answer))

    ann.worker.run(begin())
    ann.worker.until(lambda: len(answers) == 8, "all are answered")
    assert ann.open(ANN).messages == 43 + 4 - 41


def test_a_removal_without_a_database_removes_nothing(ann: Mail, lanes: ConnectionPool) -> None:
    drop = ann.open(ANN)
    ann.uidls(drop)

    async def close() -> None:
        lanes.close()

    ann.worker.run(close())
    assert type(ann.remove(drop, 1)) is Unavailable
    assert Message.objects.filter(removed=None).count() == 3


def test_a_removal_before_any_listing_is_refused(ann: Mail) -> None:
    drop = ann.open(ANN)
    assert type(ann.worker.ask(lambda done: drop.remove([1], done))) is TryAgain


def test_a_removal_after_the_mailbox_is_gone_is_answered(ann: Mail) -> None:
    drop = ann.open(ANN)
    ann.uidls(drop)
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    mailbox_removal.purge_now(ANN, actor=ACTOR)
    assert type(ann.worker.ask(lambda done: drop.remove([1], done))) is BadCredentials
    assert type(ann.message(drop, 2)) is BodyLost


# --- a body store that answers late -------------------------------------------------------------------------------


def test_a_message_waits_for_a_store_that_answers_late(
    worker: Worker, lanes: ConnectionPool, last_sign_ins: LastSignIns
) -> None:
    store = FakeBodies()
    store.prepare()
    accounts, delivery = StoredAccounts(lanes, store, last_sign_ins), StoredDelivery(lanes, store, "mail.example.test")
    mail = Mail(worker, delivery, accounts)
    a_mailbox()
    mail.deliver(ANN, wire(1))
    drop = mail.open(ANN)
    mail.uidls(drop)
    store.answers.held = True
    answers: list[object] = []
    worker.loop.call_soon(drop.message, 1, answers.append)
    worker.until(lambda: store.answers.outstanding, "the store was asked")
    assert answers == []
    store.answers.release()
    (message,) = answers
    assert message.body.read(0, 1000) == wire(1)
    accounts.close()
    delivery.close()
