"""The sweep reads every body within its days. It notes damaged ones, mails admins once a day, and clears whole ones."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mailstore.bodies import layout
from mailstore.directory import admins
from mailstore.integrity.fsck import Check
from mailstore.models import Body, BodyCheck, Message, User
from mailstore.retention import sweep
from mailstore.retention.body_check_step import LEAST_SECONDS, LINES_MOST, MOST_SECONDS, due_until, run_seconds
from mailstore.retention.sweep import SweepResult
from popadmin.config import environment
from tests.site.notices import Notices
from tests.site.rows import ACTOR, PASSWORD, a_mailbox, a_message
from tests.suites.bodies import stored

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.org"
LARGE = b"x" * 400_000 + b"\r\n"
NOW = timezone.now()
BEGAN = datetime(2026, 5, 4, tzinfo=UTC)
DAY = timedelta(days=1)


def a_body(letters: Notices, wire: bytes = LARGE) -> Body:
    ref = stored(letters.store, wire)
    return Body.objects.create(key=ref.key, wire_octets=ref.wire_octets, octets=ref.octets, digest=ref.digest)


def some_mail(letters: Notices, count: int = 1, wire: bytes = LARGE) -> list[Path]:
    """Put mail into one mailbox; returns the files of its bodies."""
    box = User.objects.filter(address=ANN).exists() or a_mailbox()
    box = User.objects.get(address=ANN).mailbox if box is True else box
    bodies = [a_body(letters, wire) for _body in range(count)]
    for body in bodies:
        a_message(box, body=body)
    return [Path(letters.store._root, layout.path(body.key)) for body in bodies]


def change(file: Path) -> bytes:
    """Change an octet in the middle; returns the file as it was."""
    before = file.read_bytes()
    file.write_bytes(before[:200_000] + b"!" + before[200_001:])
    return before


def at(days: float) -> datetime:
    return NOW + timedelta(days=days)


def swept(letters: Notices, days: float) -> SweepResult:
    return sweep.run(letters.store, now=at(days))


def test_a_changed_octet_is_found_within_the_days_and_what_is_whole_again_is_forgotten(letters: Notices) -> None:
    files = some_mail(letters, 3)
    before = change(files[1])
    assert (swept(letters, 0).checked, Body.objects.filter(damaged_at__isnull=False).count()) == (0, 0)
    assert [swept(letters, day).checked for day in (10, 20, 30)] == [1, 1, 1]
    assert list(Body.objects.filter(damaged_at__isnull=False).values_list("key", flat=True)) == [files[1].name]
    assert [finding.kind for finding in Check(letters.store).run()] == ["lost"]  # also where nobody looks deep
    files[1].write_bytes(before)
    assert swept(letters, 30.01).damaged == 0
    assert list(Check(letters.store).run()) == []


def test_the_check_finds_out_which_older_bodies_hold_nul(letters: Notices) -> None:
    some_mail(letters, 2)
    draft = letters.store.begin()
    draft.write(b"Subject: x\r\n\r\n\0\r\n")
    ref = draft.commit(17)
    Body.objects.create(key=ref.key, wire_octets=ref.wire_octets, octets=ref.octets, digest=ref.digest)
    Body.objects.update(has_nul=None)
    swept(letters, 0)
    swept(letters, 30)
    assert list(Body.objects.order_by("pk").values_list("has_nul", flat=True)) == [False, False, True]


def test_the_next_round_begins_at_the_first_body_and_takes_its_days_too(letters: Notices) -> None:
    files = some_mail(letters, 3)
    swept(letters, 0)
    assert swept(letters, 30).checked == 3
    change(files[0])
    assert [swept(letters, day).checked for day in (35, 40, 50, 60)] == [0, 1, 1, 1]
    assert Body.objects.filter(damaged_at__isnull=False).count() == 1


@pytest.mark.parametrize("harm", ["missing", "folder", "cut"])
def test_whatever_became_of_a_body_is_found(letters: Notices, harm: str) -> None:
    (file,) = some_mail(letters)
    swept(letters, 0)
    if harm == "cut":
        file.write_bytes(file.read_bytes()[:-1])
    else:
        file.unlink()
        if harm == "folder":
            file.mkdir()
    assert swept(letters, 30).damaged == 1


def test_the_clock_between_two_passes_reads_on(letters: Notices) -> None:
    (file,) = some_mail(letters)
    sweep.tend(letters.store)
    change(file)
    BodyCheck.objects.update(began_at=at(-31), looked_at=at(-31))
    sweep.tend(letters.store)
    assert Body.objects.get().damaged_at is not None


@pytest.mark.parametrize("days", [0, 1])
def test_a_site_may_choose_the_days_or_never(letters: Notices, settings: LazySettings, days: int) -> None:
    settings.BODY_CHECK_DAYS = days
    some_mail(letters, 3)
    swept(letters, 0)
    assert swept(letters, 1).checked == (3 if days else 0)


def test_a_dry_run_says_how_many_a_pass_reads_and_reads_none(letters: Notices) -> None:
    (file, *_others) = some_mail(letters, 3)
    swept(letters, 0)
    change(file)
    preview = sweep.preview(letters.store, now=at(15))
    assert (preview.checked, preview.damaged, Body.objects.filter(damaged_at__isnull=False).exists()) == (1, 0, False)
    assert swept(letters, 15).checked == 1


def test_a_pass_that_is_told_to_stop_goes_on_there_next_time(letters: Notices) -> None:
    some_mail(letters, 3)
    swept(letters, 0)
    sweep.run(letters.store, now=at(30), stop=lambda: True)
    assert swept(letters, 30).checked == 3


def test_administrators_are_told_once_by_mail_and_again_of_what_is_new(letters: Notices) -> None:
    files = some_mail(letters, 3)
    admins.ensure("root@example.org", actor=ACTOR, password=PASSWORD)
    admins.ensure("elsewhere", actor=ACTOR, password=PASSWORD)
    User.objects.filter(address="root@example.org").update(recovery_address="root@elsewhere.example", language="fr")
    change(files[0])
    swept(letters, 0)
    for day in (30, 30.5, 31):
        swept(letters, day)
    (letter,) = mail.outbox
    assert letter.to == ["root@elsewhere.example"]
    assert ANN in letter.body
    assert Message.objects.order_by("pk")[0].uidl in letter.body
    change(files[1])
    swept(letters, 70)
    assert [ANN in letter.body for letter in mail.outbox] == [True, True]
    assert Message.objects.order_by("pk")[0].uidl not in mail.outbox[1].body


def test_a_store_with_many_damaged_bodies_sends_one_mail_a_day(letters: Notices, settings: LazySettings) -> None:
    settings.BODY_CHECK_DAYS = 1
    files = some_mail(letters, LINES_MOST + 5)
    admins.ensure("root", actor=ACTOR, password=PASSWORD)
    User.objects.filter(address="root").update(recovery_address="root@elsewhere.example")
    for file in files:
        change(file)
    swept(letters, 0)
    found = [swept(letters, day).damaged for day in (0.1, 0.2, 0.5, 0.9, 1.0)]
    assert (found[0] > 0, found[-1]) == (True, len(files))
    (first,) = mail.outbox
    assert first.body.count(ANN) == found[0]
    swept(letters, 1.05)
    assert len(mail.outbox) == 1
    swept(letters, 1.2)
    swept(letters, 1.3)
    _first, second = mail.outbox
    rest = len(files) - found[0]
    assert second.subject == f"{rest} stored messages are damaged"
    assert second.body.count(ANN) == min(rest, LINES_MOST)
    assert Body.objects.filter(damage_notified_at=None).count() == 0


def test_a_mail_about_more_than_it_names_says_how_many_more(letters: Notices) -> None:
    files = some_mail(letters, LINES_MOST + 5)
    admins.ensure("root", actor=ACTOR, password=PASSWORD)
    User.objects.filter(address="root").update(recovery_address="root@elsewhere.example")
    for file in files:
        file.unlink()
    swept(letters, 0)
    swept(letters, 30)
    (letter,) = mail.outbox
    assert letter.subject == f"{len(files)} stored messages are damaged"
    assert (letter.body.count(ANN), "and 5 more" in letter.body) == (LINES_MOST, True)


def test_the_log_names_the_body_once(letters: Notices, caplog: pytest.LogCaptureFixture) -> None:
    (file,) = some_mail(letters)
    change(file)
    swept(letters, 0)
    for day in (30, 30.5, 31):
        swept(letters, day)
    records = [record for record in caplog.records if file.name in record.getMessage()]
    assert [record.levelno for record in records] == [logging.ERROR]


def test_monitors_and_pages_say_so_until_it_is_whole(letters: Notices, client: Client, settings: LazySettings) -> None:
    settings.TLS_CERT_FILE = Path(letters.store._root, "no-certificate")
    settings.SERVICE_STARTED_AT = timezone.now()  # no part is missed in the first minutes
    (file,) = some_mail(letters)
    before = change(file)
    admins.ensure("root", actor=ACTOR, password=PASSWORD)
    client.force_login(User.objects.get(address="root"))
    swept(letters, 0)
    assert "bodies" not in client.get("/readyz").json()["warnings"]
    assert "damaged" not in client.get("/parts/").content.decode()
    swept(letters, 30)
    client.force_login(User.objects.get(address="root"))  # the pass ended the session: for it a month has gone by
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["warnings"]) == (200, ["bodies"])
    for page in ("/parts/", "/overview/"):
        assert "1 stored message is damaged" in client.get(page).content.decode()
    page = client.get("/parts/").content.decode()
    assert ANN in page
    assert Message.objects.get().uidl in page
    file.write_bytes(before)
    swept(letters, 30.1)
    assert client.get("/readyz").json()["warnings"] == []


def test_a_body_that_no_message_has_any_more_worries_nobody(letters: Notices) -> None:
    (file,) = some_mail(letters)
    file.unlink()
    swept(letters, 0)
    Message.objects.all().delete()
    assert swept(letters, 30).damaged == 0


def test_a_delivery_writes_no_more_for_it(letters: Notices) -> None:
    """The one index over what is damaged has no entry for a body that is not."""
    with CaptureQueriesContext(connection), connection.cursor() as cursor:
        a_body(letters)
        cursor.execute("SELECT pg_relation_size('body_damaged')")
        before = cursor.fetchone()
        for _body in range(500):
            Body.objects.create(key=os.urandom(13).hex(), wire_octets=1, octets=1, digest=bytes(16))
        cursor.execute("SELECT pg_relation_size('body_damaged')")
        assert cursor.fetchone() == before


@pytest.mark.parametrize("value", ["", "0"])
def test_an_empty_setting_switches_the_check_off(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("BODY_CHECK_DAYS", value)
    assert environment.integer("BODY_CHECK_DAYS", 30, least=0, most=3650, empty=0) == 0


def until(*, after: int = 0, last: int = 3000, looked: timedelta, now: timedelta, days: int = 30) -> int:
    return due_until(after=after, last=last, began_at=BEGAN, looked_at=BEGAN + looked, now=BEGAN + now, days=days)


def test_each_day_has_its_share_of_what_is_left() -> None:
    assert until(looked=0 * DAY, now=DAY) == 100
    assert until(after=100, looked=DAY, now=2 * DAY) == 200
    assert (
        until(after=100, looked=11 * DAY, now=12 * DAY) == 100 + 2900 // 19
    )  # what was missed is spread over the rest


def test_what_came_in_meanwhile_is_in_the_round_too() -> None:
    assert until(after=2900, last=6000, looked=29 * DAY, now=30 * DAY) == 6000


@pytest.mark.parametrize("late", [0, 1, 400])
def test_at_the_end_of_a_round_all_is_due(late: int) -> None:
    assert until(after=5, looked=10 * DAY, now=(30 + late) * DAY) == 3000


def test_less_than_a_body_is_none_and_time_is_no_way_back() -> None:
    assert until(last=3, looked=0 * DAY, now=timedelta(hours=1)) == 0
    assert until(after=7, looked=2 * DAY, now=DAY) == 7


def test_a_look_may_take_a_tenth_of_the_time_since_the_last_within_bounds() -> None:
    assert run_seconds(timedelta(minutes=5)) == 30
    assert run_seconds(timedelta(seconds=1)) == LEAST_SECONDS
    assert run_seconds(timedelta(days=1)) == MOST_SECONDS
