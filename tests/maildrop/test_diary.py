"""The diary: each session's row, polls and refusals rolled up by the hour, written in batches within bounds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailstore.directory import devices, mailbox_removal, mailboxes
from mailstore.errors import BadCredentials, MailError, MainPasswordBarred, PopSwitchedOff, Unavailable
from mailstore.maildrop.diary_record import DiaryEntry, SessionOrigin
from mailstore.maildrop.diary_rollup import ROWS_AT_MOST, DiaryRollup
from mailstore.maildrop.diary_writer import BATCH_ENTRIES, REFUSALS_AT_MOST, WAITING_ENTRIES, Diary
from mailstore.models import Device, DiaryBatch, DiarySession, Mailbox, Message
from mailstore.pg.pipeline import Answer, StatementFailed, Steps
from mailstore.ports import Credentials
from mailstore.sql.connection_pool import ConnectionPool
from tests.site.mail import Mail
from tests.site.rows import ACTOR, PASSWORD, a_mailbox
from tests.site.worker import all_there, end_lanes

ANN = "ann@example.org"
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
REFUSED = StatementFailed("canceling statement due to lock timeout", "55P03")


@pytest.fixture
def ann(mail: Mail) -> Mail:
    """Ann's mailbox with three messages, whose arrivals are the numbers 1 to 3."""
    a_mailbox()
    for _ in range(3):
        mail.deliver(ANN)
    return mail


def ended_session(device: int = 1, *, at: datetime = NOON, **how: object) -> DiaryEntry:
    return DiaryEntry(SessionOrigin(1, device, "192.0.2.7", "TLSv1.3"), at, at, **({"ended": "quit"} | how))


# --- sessions -----------------------------------------------------------------------------------------------------


def test_a_session_is_told_with_what_it_did_to_which_message(ann: Mail) -> None:
    phone = devices.add(ANN, "phone", actor=ACTOR)[1]
    drop = ann.open(ANN, phone)
    ann.remove(drop, 3, 1)
    ann.end(drop, fetched=[1, 2, 1], removed=[1, 3])
    row = DiarySession.objects.get()
    assert (row.mailbox, row.device) == (Mailbox.objects.get(), Device.objects.get(name="phone"))
    assert (row.client, row.tls, row.ended, row.sessions, row.octets_out) == ("192.0.2.7", "", "quit", 1, 1000)
    assert (row.listed, row.fetched_messages, row.removed_messages) == (3, 3, 2)
    assert (row.fetched, row.deleted) == ("{[1,3)}", "{[1,2),[3,4)}")
    assert row.started_at <= row.ended_at


def test_a_session_that_removed_keeps_the_mode_that_its_device_had(ann: Mail) -> None:
    """Its owner changes the mode, and the name, later: what DELE did then stays as it was."""
    phone = devices.add(ANN, "phone", actor=ACTOR)[1]
    ann.end(ann.open(ANN, phone), removed=[1])
    ann.end(ann.open(ANN), fetched=[1])
    devices.set_mode(ANN, "phone", "primary", actor=ACTOR)
    ann.end(ann.open(ANN, phone), removed=[2])
    modes = DiarySession.objects.order_by("pk").values_list("device_mode", flat=True)
    assert list(modes) == ["independent", "", "primary"]


def test_deletions_without_a_quit_are_told_in_a_row_of_their_own(ann: Mail) -> None:
    for _ in range(2):
        ann.end(ann.open(ANN), unremoved=2, reason="lost")
    rows = DiarySession.objects.values_list("ended", "removed_messages", "unremoved_messages", "sessions")
    assert list(rows) == [("lost", 0, 2, 1)] * 2


@pytest.mark.parametrize("fetched", [(), (1,)])
def test_a_session_that_asked_for_nothing_is_told_so(ann: Mail, fetched: tuple[int, ...]) -> None:
    ann.end(ann.open(ANN), fetched=fetched, listed=False)
    ann.end(ann.open(ANN), fetched=fetched)
    assert set(DiarySession.objects.values_list("list_requested", "listed")) == {(False, 3), (True, 3)}


@pytest.mark.parametrize(
    ("reason", "ended"),
    [
        ("idle", "idle"),
        ("lost: TimeoutError", "lost"),
        ("half-closed", "lost"),
        ("barred", "barred"),
        ("failed", "failed"),
    ],
)
def test_how_a_session_ended_is_told_in_a_word(ann: Mail, reason: str, ended: str) -> None:
    ann.end(ann.open(ANN), fetched=[1], confirmed=0, reason=reason)
    assert DiarySession.objects.get().ended == ended


def test_the_diary_goes_with_its_mailbox_and_a_late_session_brings_none(ann: Mail) -> None:
    ann.end(ann.open(ANN), fetched=[1])
    late = ann.open(ANN)
    ann.worker.get(late.listing)
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    mailbox_removal.purge_now(ANN, actor=ACTOR)
    assert not DiarySession.objects.exists()
    ann.end(late, fetched=[2])
    assert not DiarySession.objects.exists()


# --- folding ------------------------------------------------------------------------------------------------------


def test_polls_of_an_hour_are_one_row_that_says_how_many(ann: Mail) -> None:
    for _ in range(5):
        ann.end(ann.open(ANN))
    row = DiarySession.objects.get()
    assert (row.sessions, row.octets_out, row.listed, row.fetched_messages) == (5, 5000, 3, 0)
    assert row.started_at < row.ended_at


def test_polls_of_two_workers_are_one_row_too(ann: Mail) -> None:
    device = Device.objects.get()
    for _ in range(2):
        diary = Diary(ann.accounts._lanes)
        diary.add(DiaryEntry(SessionOrigin(device.mailbox_id, device.pk, None, ""), NOON, NOON, "quit"))
        ann.worker.ask(lambda done, diary=diary: diary.flush(lambda: done(None)))
    assert DiarySession.objects.get().sessions == 2


@pytest.mark.parametrize(
    "other",
    [
        ended_session(2),
        ended_session(ended="lost"),
        ended_session(listed=1),
        ended_session(list_requested=False),
        ended_session(at=NOON + timedelta(hours=1)),
        ended_session(at=NOON + timedelta(days=1)),
        DiaryEntry(SessionOrigin(1, 1, "192.0.2.8", "TLSv1.3"), NOON, NOON, "quit"),
        DiaryEntry(SessionOrigin(1, 1, "192.0.2.7", ""), NOON, NOON, "quit"),
        DiaryEntry(SessionOrigin(2, 1, "192.0.2.7", "TLSv1.3"), NOON, NOON, "quit"),
    ],
    ids=["device", "end", "view", "request", "hour", "day", "client", "encryption", "mailbox"],
)
def test_polls_that_differ_are_rows_of_their_own(other: DiaryEntry) -> None:
    rollup = DiaryRollup(NOON)
    rollup.add(ended_session())
    rollup.add(other)
    assert len(rollup.due(NOON, every=True)) == 2


def test_the_first_poll_of_an_hour_is_due_at_once_and_more_of_them_once_a_minute() -> None:
    rollup = DiaryRollup(NOON)
    rollup.add(ended_session())
    first = rollup.due(NOON, every=False)
    assert [fold.sessions for fold in first.values()] == [1]
    rollup.written(first)
    rollup.add(ended_session())
    rollup.add(ended_session())
    assert rollup.due(NOON + timedelta(seconds=59), every=False) == {}
    assert [fold.sessions for fold in rollup.due(NOON + timedelta(seconds=60), every=False).values()] == [2]


def test_polls_that_could_not_be_written_join_those_that_came_since() -> None:
    rollup = DiaryRollup(NOON)
    rollup.add(ended_session())
    due = rollup.due(NOON, every=False)
    rollup.add(ended_session())
    rollup.take_back(due)
    assert [fold.sessions for fold in rollup.due(NOON, every=False).values()] == [2]


# --- refusals -----------------------------------------------------------------------------------------------------


def refused(ann: Mail, secret: str) -> tuple[type, str]:
    """The error of a sign-in, and what the diary says of the last refusal."""
    credentials = Credentials(ANN, secret, "192.0.2.7", loopback=False, tls="TLSv1.3")
    answer = ann.worker.ask(lambda done: ann.accounts.sign_in(credentials, done))
    ann.worker.until(lambda: ann.flush() or DiarySession.objects.exists(), "the diary is written")
    row = DiarySession.objects.latest("pk")
    assert (row.client, row.tls) == ("192.0.2.7", "TLSv1.3")
    return type(answer), row.ended


def test_a_wrong_password_is_told(ann: Mail) -> None:
    assert refused(ann, "wrong") == (BadCredentials, "wrong")
    assert DiarySession.objects.get().device is None


def test_the_previous_password_is_told_apart_and_is_no_guess(ann: Mail) -> None:
    mailboxes.set_password(ANN, "quite another phrase", actor=ACTOR)
    assert refused(ann, PASSWORD) == (BadCredentials, "previous")
    throttle = ann.accounts._context.throttle
    assert not any(found.distinct for table in (throttle._wrong, throttle._guessed) for found in table.values())


def test_a_password_before_the_previous_one_is_a_wrong_one(ann: Mail) -> None:
    mailboxes.set_password(ANN, "quite another phrase", actor=ACTOR)
    mailboxes.set_password(ANN, "and yet another phrase", actor=ACTOR)
    assert refused(ann, PASSWORD) == (BadCredentials, "wrong")


def test_pop_switched_off_is_told_with_the_device(ann: Mail) -> None:
    mailboxes.ensure(ANN, actor=ACTOR, pop=False)
    assert refused(ann, PASSWORD) == (PopSwitchedOff, "pop-off")
    assert DiarySession.objects.get().device == Device.objects.get()


def test_a_barred_main_password_is_told(ann: Mail) -> None:
    mailboxes.ensure(ANN, actor=ACTOR, main_pop=False)
    assert refused(ann, PASSWORD) == (MainPasswordBarred, "main-off")


def test_a_suspended_mailbox_is_told(ann: Mail) -> None:
    mailboxes.ensure(ANN, actor=ACTOR, suspended=True)
    assert refused(ann, PASSWORD) == (BadCredentials, "suspended")


def test_refusals_of_an_hour_are_one_row(ann: Mail) -> None:
    for _ in range(3):
        refused(ann, "wrong")
    ann.worker.until(lambda: ann.flush() or DiarySession.objects.get().sessions == 3, "the row counts all three")


# --- batches that fail --------------------------------------------------------------------------------------------


class FailingLanes:
    """Lanes that answer every write with `error`; `batches` counts them."""

    def __init__(self, error: MailError) -> None:
        self.error = error
        self.batches = 0

    def write(self, _steps: Steps, done: Answer) -> None:
        self.batches += 1
        done(self.error)


def test_sessions_that_ended_while_the_database_was_away_are_told_when_it_is_back_in_order(ann: Mail) -> None:
    drops = [ann.open(ANN) for _ in range(2)]
    for drop in drops:
        ann.worker.get(drop.listing)
    end_lanes()
    for number, drop in enumerate(drops, 1):
        ann.end(drop, fetched=[number])
    ann.worker.until(lambda: all_there(ann.accounts._lanes), "the lanes are back")
    ann.flush()
    assert list(DiarySession.objects.order_by("pk").values_list("fetched", flat=True)) == ["{[1,2)}", "{[2,3)}"]


class LosingLanes:
    """Each batch is written, and the first answer to each is lost."""

    def __init__(self, lanes: ConnectionPool) -> None:
        self._lanes = lanes
        self._lost: list[Steps] = []

    def write(self, steps: Steps, done: Answer) -> None:
        if steps in self._lost:
            self._lanes.write(steps, done)
        else:
            self._lost.append(steps)
            self._lanes.write(steps, lambda _answer: done(Unavailable("the connection broke")))


def test_a_batch_whose_answer_was_lost_is_written_once(ann: Mail) -> None:
    device = Device.objects.get()
    box = device.mailbox_id
    keys = list(Message.objects.order_by("added").values_list("pk", flat=True))
    diary = Diary(LosingLanes(ann.accounts._lanes))
    for key in keys:
        who = SessionOrigin(box, device.pk, "192.0.2.7", "TLSv1.3")
        diary.add(DiaryEntry(who, NOON, NOON, ended="quit", fetched=[1], had=[key]))
        diary.add(DiaryEntry(who, NOON, NOON, ended="quit"))
        for _time in range(2):
            ann.worker.ask(lambda done: diary.flush(lambda: done(None), every=True))
    rows = list(DiarySession.objects.order_by("pk").values_list("fetched_messages", "sessions"))
    assert sorted(rows) == [(0, 3), (1, 1), (1, 1), (1, 1)]
    device.refresh_from_db()
    assert device.confirmed == "{[0,4)}"
    assert DiaryBatch.objects.count() == 1


class SlowLanes:
    """Lanes that answer when `answer` is called."""

    def __init__(self) -> None:
        self.batches: list[tuple[Steps, Answer]] = []

    def write(self, steps: Steps, done: Answer) -> None:
        self.batches.append((steps, done))


class NoRows:
    ntuples = 0


def test_what_came_while_the_last_but_one_batch_was_written_is_told_before_the_end() -> None:
    lanes, flushed = SlowLanes(), []
    diary = Diary(lanes)
    diary.add(ended_session(1, fetched=[1]))
    diary.flush()
    diary.add(ended_session(2, fetched=[2]))
    diary.add(ended_session(3))
    diary.flush(lambda: flushed.append("all"), every=True)
    lanes.batches[0][1](NoRows())
    assert (len(lanes.batches), flushed) == (2, [])
    assert {statement.name for statement, _parameters in lanes.batches[1][0]} >= {b"diary", b"roll_up_diary"}
    lanes.batches[1][1](NoRows())
    assert flushed == ["all"]
    assert [diary._unsorted, list(diary._waiting.entries), diary._rollup._waiting] == [[], [], {}]


def test_a_refused_batch_is_logged_each_time_and_given_up_in_the_end(caplog: pytest.LogCaptureFixture) -> None:
    lanes = FailingLanes(REFUSED)
    diary = Diary(lanes)
    diary.add(ended_session(fetched=[1], had=[1]))
    for _ in range(REFUSALS_AT_MOST + 2):
        diary.flush()
    assert lanes.batches == REFUSALS_AT_MOST
    assert [record.getMessage() for record in caplog.records] == [
        f"1 entries of the diary were not written: {REFUSED}"
    ] * REFUSALS_AT_MOST


def test_what_waits_for_the_database_is_bounded() -> None:
    lanes = FailingLanes(Unavailable("the database is away"))
    diary = Diary(lanes)
    for number in range(2 * WAITING_ENTRIES):
        diary.add(ended_session(number, fetched=[number]))
        diary.add(ended_session(number))
    diary.flush(every=True)
    assert len(diary._waiting.entries) == WAITING_ENTRIES - BATCH_ENTRIES, "and those of the batch that is sent again"
    rollup = DiaryRollup(NOON)
    for number in range(3 * ROWS_AT_MOST):
        rollup.add(ended_session(number))
    assert len(rollup.due(NOON, every=False)) == 2 * ROWS_AT_MOST
