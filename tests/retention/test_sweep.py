"""The sweep destroys mail after its time in recovery and nothing else: rows first, bodies a day later."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from mailstore.bodies import layout
from mailstore.bodies.files import FileBodies
from mailstore.directory import domain_removal, mailbox_removal, mailboxes
from mailstore.directory.outcome import Rejected
from mailstore.errors import Unavailable
from mailstore.models import Body, Domain, Mailbox, Message, RetentionPolicy, StoreTie, SweepPass, WebSession
from mailstore.policy import sortable_ids
from mailstore.retention import sweep
from mailstore.retention.body_step import DRAFT_SECONDS, NAMED_MOST, UNREFERENCED
from mailstore.sql.locked_batch import ROWS_AT_MOST
from mailstore.sql.sweep_step import SweepContext
from tests.site.empty_body_store import EmptyBodyStore
from tests.site.rows import ACTOR, a_body, a_mailbox, a_message, at_once

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"


@pytest.fixture
def store(tmp_path: Path) -> FileBodies:
    made = FileBodies(tmp_path / "bodies")
    made.prepare()
    return made


def days_ago(days: float) -> object:
    return timezone.now() - timedelta(days=days)


def stored(store: FileBodies, *, unreferenced_days: float | None) -> Body:
    """A body with its file, unreferenced for so many days."""
    draft = store.begin()
    draft.write(b"Subject: x\r\n")
    ref = draft.commit(12)
    return Body.objects.create(
        key=ref.key,
        wire_octets=ref.wire_octets,
        octets=ref.octets,
        digest=ref.digest,
        unreferenced_at=None if unreferenced_days is None else days_ago(unreferenced_days),
    )


def test_rows_leave_recovery_after_thirty_days_where_no_policy_says_otherwise(store: FileBodies) -> None:
    box = a_mailbox()
    a_message(box, removed_at=days_ago(31))
    young, live = a_message(box, removed_at=days_ago(29)), a_message(box, arrived_at=days_ago(400))
    assert sweep.run(store).messages == 1
    assert set(Message.objects.values_list("pk", flat=True)) == {young.pk, live.pk}


def policy(name: str, days: int, **fields: bool) -> RetentionPolicy:
    return RetentionPolicy.objects.create(name=name, recovery_days=days, **fields)


@pytest.mark.parametrize(
    ("set_up", "days"),
    [
        (lambda: policy("site", 3, site=True), 3),
        (lambda: (policy("site", 3, site=True), Domain.objects.update(policy=policy("domain", 5))), 5),
        (
            lambda: (
                Domain.objects.update(policy=policy("domain", 5)),
                mailboxes.ensure(ANN, actor=ACTOR, policy=policy("own", 60), policy_at_once=True),
            ),
            60,
        ),
    ],
    ids=["the site's", "the domain's before the site's", "the mailbox's before the domain's"],
)
def test_the_nearest_policy_says_how_long(store: FileBodies, set_up: Callable[[], object], days: int) -> None:
    box = a_mailbox()
    set_up()
    box.refresh_from_db()
    a_message(box, removed_at=days_ago(days + 0.1))
    young = a_message(box, removed_at=days_ago(days - 0.1))
    assert sweep.run(store).messages == 1
    assert Message.objects.get() == young


def test_a_policy_chosen_from_now_on_destroys_nothing_at_once(store: FileBodies) -> None:
    a_message(a_mailbox(), removed_at=days_ago(20))
    mailboxes.ensure(ANN, actor=ACTOR, policy=policy("short", 5))
    for days, gone in ((4.9, 0), (5.1, 1)):
        Mailbox.objects.update(policy_since=days_ago(days))
        assert sweep.run(store).messages == gone


def test_rows_rest_a_day_whatever_the_policy_says(store: FileBodies) -> None:
    box = a_mailbox()
    policy("none", 0, site=True)
    a_message(box, removed_at=days_ago(0.9))
    assert sweep.run(store).messages == 0
    Message.objects.update(removed_at=days_ago(1.1))
    assert sweep.run(store).messages == 1


def test_a_hold_keeps_everything(store: FileBodies) -> None:
    box = a_mailbox()
    a_message(box, removed_at=days_ago(1000))
    mailboxes.ensure(ANN, actor=ACTOR, held=True)
    assert sweep.run(store).messages == 0
    mailboxes.ensure(ANN, actor=ACTOR, held=False)
    assert sweep.run(store).messages == 0, "what fell due meanwhile does not go at once"
    assert sweep.run(EmptyBodyStore(), now=timezone.now() + timedelta(days=31)).messages == 1


def test_what_fell_due_in_a_removed_mailbox_does_not_go_when_it_comes_back(store: FileBodies) -> None:
    a_message(a_mailbox(), removed_at=days_ago(40))
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    mailbox_removal.restore(ANN, actor=ACTOR)
    assert sweep.run(store).messages == 0
    domain_removal.remove("example.org", actor=ACTOR, with_mailboxes=True)
    domain_removal.restore("example.org", actor=ACTOR)
    assert sweep.run(store).messages == 0
    assert sweep.run(EmptyBodyStore(), now=timezone.now() + timedelta(days=31)).messages == 1


def test_more_rows_than_a_batch_go_in_one_pass(store: FileBodies) -> None:
    box, shared = a_mailbox(), a_body()
    a_message(box, removed_at=days_ago(31), body=shared)
    first = Message.objects.get()
    Message.objects.bulk_create(
        Message(
            mailbox=box, body=shared, uidl=f"u{n}", prefix=b"", octets=1, arrived_at=first.arrived_at,
            added=100 + n, removed=10_000 + n, removed_at=first.removed_at, removed_why="dele",
        )
        for n in range(ROWS_AT_MOST)
    )  # fmt: skip
    Mailbox.objects.update(recovery_messages=ROWS_AT_MOST + 1, recovery_octets=ROWS_AT_MOST + 100)
    assert sweep.run(store).messages == ROWS_AT_MOST + 1
    assert Body.objects.get().unreferenced_at is not None


@pytest.mark.req("P-094")
def test_a_body_goes_a_day_after_its_last_row_with_its_file(store: FileBodies) -> None:
    old, young, used = (stored(store, unreferenced_days=days) for days in (1.1, 0.9, None))
    swept = sweep.run(store)
    assert (swept.bodies, swept.body_octets) == (1, old.wire_octets)
    assert set(Body.objects.values_list("key", flat=True)) == set(store.keys()) == {young.key, used.key}


def test_a_pass_that_is_cut_short_among_the_files_leaves_none_behind(
    store: FileBodies, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _number in range(3):
        stored(store, unreferenced_days=2)
    remove, gone = FileBodies.remove, []

    def removes_one(self: FileBodies, name: str) -> None:
        if gone:
            raise Unavailable("the disk went away")
        gone.append(name)
        remove(self, name)

    monkeypatch.setattr(FileBodies, "remove", removes_one)
    with pytest.raises(Unavailable):
        UNREFERENCED.act(SweepContext(store, timezone.now()))
    monkeypatch.undo()
    assert UNREFERENCED.act(SweepContext(store, timezone.now()))[0] == 3
    assert not Body.objects.exists()
    assert not list(store.keys())


@pytest.mark.parametrize("harm", ["a folder in its place", "a file in the place of its folder"])
def test_a_body_that_cannot_be_removed_is_named_in_the_log_and_holds_nothing_up(
    store: FileBodies, tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: str
) -> None:
    other = stored(store, unreferenced_days=2)
    key = other.key[:-1] + ("0" if other.key[-1] != "0" else "1")  # in another folder
    kept = Body.objects.create(key=key, wire_octets=12, octets=12, digest=bytes(16), unreferenced_at=days_ago(3))
    place = tmp_path / "bodies" / layout.path(key)
    blocked = place / "something" if harm == "a folder in its place" else place.parent
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.write_text("not ours")
    WebSession.objects.create(session_key="ended", session_data="", expire_date=days_ago(1))
    swept = sweep.run(store)
    assert (swept.bodies, swept.body_octets, swept.sessions) == (1, other.wire_octets, 1)
    assert list(Body.objects.values_list("key", flat=True)) == [key]  # for the next pass
    assert [key in record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [True]
    assert SweepPass.objects.count() == 1
    blocked.unlink()
    assert (sweep.run(store).bodies, Body.objects.filter(pk=kept.pk).exists()) == (1, False)


def test_many_bodies_that_cannot_be_removed_do_not_fill_the_log(
    store: FileBodies, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(NAMED_MOST + 5):
        key = sortable_ids.new_id(number, bytes(sortable_ids.RANDOM_OCTETS))
        Body.objects.create(key=key, wire_octets=12, octets=12, digest=bytes(16), unreferenced_at=days_ago(3))
        (tmp_path / "bodies" / layout.path(key) / "something").mkdir(parents=True)
    assert sweep.run(store).bodies == 0
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == NAMED_MOST + 1
    assert "5 more" in errors[-1]


@pytest.mark.req("P-094")
def test_a_purged_row_leaves_its_body_for_another_day(store: FileBodies) -> None:
    body = stored(store, unreferenced_days=None)
    a_message(a_mailbox(), removed_at=days_ago(31), body=body)
    swept = sweep.run(store)
    assert (swept.messages, swept.bodies) == (1, 0)
    assert list(store.keys()) == [body.key]


def test_a_body_that_somebody_took_meanwhile_stays(store: FileBodies) -> None:
    body = stored(store, unreferenced_days=2)
    a_message(a_mailbox(), body=body)
    assert sweep.run(store).bodies == 0
    body.refresh_from_db()
    assert body.unreferenced_at is None
    assert list(store.keys()) == [body.key]


def test_drafts_of_dead_deliveries_and_ended_sessions_go(store: FileBodies, tmp_path: Path) -> None:
    draft = FileBodies(tmp_path / "bodies", unnamed=False).begin()
    draft.write(b"x" * 200_000)
    (path,) = (path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size > 100_000)
    assert sweep.run(store).drafts == 0
    long_ago = timezone.now().timestamp() - DRAFT_SECONDS - 60
    os.utime(path, (long_ago, long_ago))
    WebSession.objects.create(session_key="ended", session_data="", expire_date=days_ago(1))
    WebSession.objects.create(session_key="open", session_data="", expire_date=days_ago(-1))
    swept = sweep.run(store)
    assert (swept.drafts, swept.sessions) == (1, 1)
    assert not path.exists()
    assert WebSession.objects.get().session_key == "open"


def test_a_preview_counts_what_the_pass_then_does_and_does_nothing(store: FileBodies) -> None:
    box = a_mailbox()
    a_message(box, removed_at=days_ago(31))
    stored(store, unreferenced_days=2)
    preview = sweep.preview(store)
    assert (preview.messages, preview.bodies) == (1, 1)
    assert sweep.run(store) == preview


def test_a_pass_that_is_stopped_leaves_the_rest_for_the_next(store: FileBodies) -> None:
    a_message(a_mailbox(), removed_at=days_ago(31))
    assert sweep.run(store, stop=lambda: True).messages == 0
    assert sweep.run(store).messages == 1


@pytest.mark.django_db(transaction=True)
def test_two_passes_never_run_at_once(store: FileBodies) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('mailstore_sweep'))")
        (refused,) = at_once(lambda: sweep.run(store))
        cursor.execute("SELECT pg_advisory_unlock(hashtext('mailstore_sweep'))")
    assert isinstance(refused, Rejected)
    (done,) = at_once(lambda: sweep.run(store))
    assert isinstance(done, sweep.SweepResult)


def make_old(quarantine: Path) -> None:
    (today,) = quarantine.iterdir()
    today.rename(today.with_name(f"{days_ago(31):%Y-%m-%d}"))


def test_the_quarantine_of_another_databases_store_is_left(store: FileBodies, tmp_path: Path) -> None:
    body = stored(store, unreferenced_days=None)
    body.delete()
    store.set_aside([body.key])
    make_old(tmp_path / "bodies" / "quarantine")
    StoreTie.objects.create(pk=1, store_id=sortable_ids.new_id(1, bytes(sortable_ids.RANDOM_OCTETS)))
    store.set_store_id(sortable_ids.new_id(2, bytes(sortable_ids.RANDOM_OCTETS)))
    assert (sweep.preview(store).quarantined, sweep.run(store).quarantined) == (0, 0)
    assert len(list(store.quarantined())) == 1


def test_the_quarantine_is_emptied_of_bodies_without_a_row_alone(store: FileBodies, tmp_path: Path) -> None:
    kept = a_message(a_mailbox(), body=stored(store, unreferenced_days=None)).body.key
    litter = stored(store, unreferenced_days=None)
    litter.delete()
    store.set_aside([kept, litter.key])
    make_old(tmp_path / "bodies" / "quarantine")
    assert (sweep.preview(store).quarantined, sweep.run(store).quarantined) == (1, 1)
    assert [body.key for body in store.quarantined()] == [kept]
