"""Refused names and limits: real sign-ins, written in batches within bounds, apart from the replies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from mailstore.errors import BadCredentials, MailError, Throttled, Unavailable
from mailstore.maildrop import refused_names
from mailstore.maildrop.refused_names import RefusedNames
from mailstore.models import DiarySession, RefusedName
from mailstore.pg.pipeline import Answer, StatementFailed, Steps
from mailstore.policy.throttle import UNKNOWN_ACCOUNTS_AN_HOUR, Bar, Limit
from mailstore.ports import Credentials
from mailstore.sql.statements.refused_names import NAMES_KEPT, ROWS_KEPT
from tests.site.mail import Mail
from tests.site.refused_names import heard
from tests.site.rows import a_mailbox

ANN = "ann@example.org"
NOBODY = "nobody@example.org"
Reason = RefusedName.Reason


@pytest.fixture
def names(mail: Mail) -> RefusedNames:
    a_mailbox()
    return mail.accounts.refused_names


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailstore.policy.throttle.FIRST_DELAY_SECONDS", 0.0)


def tried(mail: Mail, name: str, client: str = "192.0.2.7", secret: str = "wrong") -> type:
    credentials = Credentials(name, secret, client, loopback=False)
    return type(mail.worker.ask(lambda done: mail.accounts.sign_in(credentials, done)))


def flush(mail: Mail, names: RefusedNames | None = None) -> None:
    which = names or mail.accounts.refused_names
    mail.worker.ask(lambda done: which.flush(lambda: done(None), every=True))


def rows(*fields: str) -> list[Any]:
    return list(heard().order_by("reason", "network", "name").values_list(*fields))


# --- real sign-ins ------------------------------------------------------------------------------------------------


def test_a_name_that_nobody_has_is_told_with_network_and_tries(mail: Mail, names: RefusedNames) -> None:
    assert [tried(mail, name) for name in (NOBODY, "NoBody@Example.ORG")] == [BadCredentials] * 2
    flush(mail)
    row = heard().get()
    assert (row.reason, row.name, row.network, row.protocol) == ("unknown", NOBODY, "192.0.2.0/24", "pop3")
    assert (row.tries, row.until) == (2, None)
    assert row.first_at < row.last_at
    tried(mail, NOBODY)
    flush(mail)
    assert rows("name", "tries") == [(NOBODY, 3)]
    assert not DiarySession.objects.exists()


def test_what_is_no_address_is_told_without_its_text(mail: Mail, names: RefusedNames) -> None:
    for text in ("my secret phrase", "hunter2", "@", "x" * 400):
        tried(mail, text)
    flush(mail)
    assert rows("name", "tries") == [("", 4)]


def test_names_that_exist_are_never_told(mail: Mail, names: RefusedNames) -> None:
    tried(mail, ANN)
    mail.open(ANN)
    flush(mail)
    assert rows("name") == []


def test_a_network_that_tries_names_is_told_with_the_end_of_its_bar(mail: Mail, names: RefusedNames) -> None:
    answers = [tried(mail, f"n{number}@example.org") for number in range(UNKNOWN_ACCOUNTS_AN_HOUR + 3)]
    assert answers.count(Throttled) == 3
    flush(mail)
    row = heard().get(reason=Reason.NETWORK)
    assert (row.name, row.network, row.tries) == ("", "192.0.2.0/24", 3)
    assert timedelta(minutes=59) < row.until - timezone.now() <= timedelta(hours=1)
    assert heard().filter(reason=Reason.UNKNOWN).count() == UNKNOWN_ACCOUNTS_AN_HOUR


def test_an_account_that_met_its_limit_is_told_by_name_and_in_the_diary(
    mail: Mail, names: RefusedNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    throttle = mail.accounts._context.throttle
    monkeypatch.setattr(throttle._guessed, "_max_count", 1)
    assert [tried(mail, ANN), tried(mail, ANN)] == [BadCredentials, Throttled]
    flush(mail)
    assert rows("reason", "name", "tries") == [("account", ANN, 1)]
    mail.flush()
    assert DiarySession.objects.filter(ended="throttled").exists()


def test_a_crowded_address_is_told(mail: Mail, names: RefusedNames) -> None:
    for _ in range(3):
        names.crowded("2001:db8:1:2::3")
    flush(mail)
    assert rows("reason", "network", "tries") == [("connections", "2001:db8:1::/48", 3)]


# --- batches ------------------------------------------------------------------------------------------------------


class CountingLanes:
    """Lanes that answer with `answer` and keep the batches."""

    def __init__(self, answer: MailError | None = None) -> None:
        self.answer = answer
        self.batches: list[Steps] = []

    def write(self, steps: Steps, done: Answer) -> None:
        self.batches.append(steps)
        done(self.answer)


def test_no_try_costs_a_statement_and_a_batch_has_two() -> None:
    lanes = CountingLanes()
    names = RefusedNames(lanes)
    for number in range(10_000):
        names.unknown("192.0.2.7", f"n{number}@example.org")
    assert lanes.batches == []
    for _ in range(3):
        names.flush()
        names.unknown("192.0.2.7", NOBODY)
    assert [len(steps) for steps in lanes.batches] == [2]


def test_the_next_batch_is_due_seconds_later_or_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    lanes = CountingLanes()
    names = RefusedNames(lanes)
    for seconds in (0, refused_names.WRITE_SECONDS):
        names._due_at -= timedelta(seconds=seconds)
        names.unknown("192.0.2.7", NOBODY)
        names.flush()
    assert len(lanes.batches) == 2
    names.unknown("192.0.2.7", NOBODY)
    names.flush(every=True)
    assert len(lanes.batches) == 3


@pytest.mark.parametrize(
    ("answer", "kept"), [(Unavailable("away"), 1), (StatementFailed("lock timeout", "55P03"), 0), (None, 0)]
)
def test_what_was_not_written_is_kept_while_the_database_is_away(answer: MailError | None, kept: int) -> None:
    names, told = RefusedNames(CountingLanes(answer)), []
    names.unknown("192.0.2.7", NOBODY)
    names.flush(lambda: told.append("once"), every=True)
    assert (len(names._counts), told) == (kept, ["once"])


def test_a_flood_over_many_batches_has_few_rows(mail: Mail, names: RefusedNames) -> None:
    for batch in range(3 * NAMES_KEPT // 20):
        for number in range(50):
            names.unknown("192.0.2.7", f"n{batch}-{number}@example.org")
        flush(mail)
    assert heard().count() <= NAMES_KEPT + 21
    assert sum(heard().values_list("tries", flat=True)) == 50 * 3 * NAMES_KEPT // 20
    known = heard().exclude(name="").first()
    names.unknown("192.0.2.7", known.name)
    flush(mail)
    assert heard().get(pk=known.pk).tries == known.tries + 1, "a name that has its row keeps it"


def test_the_table_keeps_the_newest_rows(mail: Mail, names: RefusedNames) -> None:
    old = datetime.now(UTC) - timedelta(days=2)
    RefusedName.objects.bulk_create(
        RefusedName(
            reason="unknown", name=f"o{number}@example.org", network=str(number), protocol="pop3", tries=1,
            first_at=old, last_at=old + timedelta(seconds=number),
        )
        for number in range(ROWS_KEPT + 50)
    )  # fmt: skip
    names.unknown("192.0.2.7", NOBODY)
    flush(mail)
    assert heard().filter(name=NOBODY).exists()
    names.unknown("192.0.2.7", NOBODY)
    flush(mail)
    assert heard().count() == ROWS_KEPT
    assert not heard().filter(name="o0@example.org").exists()


def test_batches_of_two_workers_share_rows(mail: Mail, names: RefusedNames) -> None:
    bar = Bar(Limit.NETWORK, 60.0)
    for each in (names, RefusedNames(mail.accounts._lanes)):
        each.unknown("192.0.2.7", NOBODY)
        each.barred("192.0.2.7", NOBODY, bar)
        flush(mail, each)
    assert rows("reason", "name", "tries") == [("network", "", 2), ("unknown", NOBODY, 2)]


def test_days_in_a_row_are_counted_and_begin_anew_behind_a_day_without_a_try(mail: Mail, names: RefusedNames) -> None:
    """Of several tries on one day the day counts once, also where an earlier try is written later."""
    told = []
    for day, hour in ((1, 9), (1, 23), (2, 0), (3, 12), (2, 8), (5, 1)):
        names._counts.add("connections", "192.0.2.7", "pop3", datetime(2026, 3, day, hour, tzinfo=UTC))
        flush(mail)
        told += rows("days")
    assert told == [(1,), (1,), (2,), (3,), (3,), (1,)]
