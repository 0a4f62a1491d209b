"""The timeline of a mailbox: mail, visits, removals and changes in one list, folded and paged, with undo."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mailstore.directory import devices, mailboxes
from mailstore.models import AuditEntry, Body, Device, Mailbox, Message, User
from popadmin.panel.timeline_event import Event
from popadmin.panel.timeline_sources import PAGE_ROWS
from tests.owner.mail import a_device, a_session
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, a_message

pytestmark = pytest.mark.django_db
MB = 2**20


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


@pytest.fixture
def ann() -> Mailbox:
    return an_owner()


def timeline(client: Client, mailbox: Mailbox, **query: str) -> Any:
    return client.get(f"/mailboxes/{mailbox.pk}/diary/", query)


def events(answer: Any) -> list[Event]:
    return [event for day in answer.context["timeline"].days for event in day.events]


def texts(answer: Any) -> list[str]:
    return [re.sub(r"<[^>]+>", "", html.unescape(str(event.text))).replace("\xa0", " ") for event in events(answer)]


def noon(days_ago: int = 1) -> timedelta:
    """The time since noon of a past day, so that what follows in minutes is on the same day."""
    at = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=days_ago)
    return timezone.now() - at


def test_all_kinds_stand_in_one_list_latest_first(root: Client, ann: Mailbox) -> None:
    AuditEntry.objects.all().delete()
    a_message(ann, octets=9 * 1024, arrived_at=timezone.now() - timedelta(hours=30))
    phone = a_device(ann, "Phone")
    a_session(phone, ago=timedelta(hours=20), listed=6)
    a_session(phone, ago=timedelta(hours=10), listed=3, fetched_messages=2, removed_messages=1, octets_out=MB)
    a_session(None, mailbox=ann, ago=timedelta(hours=5), ended="previous", sessions=6)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=MB)
    assert texts(timeline(root, ann)) == [
        "tester changed the mailbox ann@example.org",
        "Sign-in refused: the previous password, 6 times",
        "“Phone” fetched 2, deleted 1 for itself",
        "“Phone” listed 6, fetched none",
        "Delivered 9 KB",
    ]


def test_visits_that_are_alike_are_folded_until_something_else_happens(root: Client, ann: Mailbox) -> None:
    AuditEntry.objects.all().delete()
    phone = a_device(ann, "Phone")
    for minutes in (0, 10, 20, 40):
        a_session(phone, ago=noon() - timedelta(minutes=minutes), listed=6, client="192.0.2.7")
    a_message(ann, octets=100, arrived_at=timezone.now() - noon() + timedelta(minutes=30))
    answer = timeline(root, ann)
    assert texts(answer) == [
        "“Phone” listed 6, fetched none",
        "Delivered 100 bytes",
        "“Phone” listed 6, fetched none, 3 times",
    ]
    spread = events(answer)[2].at - events(answer)[2].since
    assert round(spread.total_seconds()) == 20 * 60


def test_deletions_without_quit_are_not_taken_for_deletions(root: Client, ann: Mailbox) -> None:
    a_session(a_device(ann, "Phone"), ago=timedelta(hours=1), ended="lost", listed=6, unremoved_messages=4)
    assert "“Phone” 4 deletions not carried out: the program hung up without QUIT" in texts(timeline(root, ann))


def test_each_kind_alone(root: Client, ann: Mailbox) -> None:
    a_message(ann, octets=100)
    a_message(ann, octets=200, removed_at=timezone.now())
    a_session(a_device(ann, "Phone"), ago=timedelta(hours=20), listed=6)
    a_session(None, mailbox=ann, ago=timedelta(hours=5), ended="wrong")
    assert all(text.startswith("Delivered") for text in texts(timeline(root, ann, kind="deliveries")))
    assert texts(timeline(root, ann, kind="fetches")) == ["“Phone” listed 6, fetched none"]
    assert texts(timeline(root, ann, kind="refused")) == ["Sign-in refused: wrong password"]
    assert texts(timeline(root, ann, kind="removals")) == ["Removed 1 message, 200 bytes"]
    assert texts(timeline(root, ann, kind="changes")) == ["tester created the mailbox ann@example.org"]
    assert len(texts(timeline(root, ann, kind="nonsense"))) == 6


def test_no_content_of_mail_is_shown(root: Client, ann: Mailbox) -> None:
    message = a_message(ann, removed_at=timezone.now())
    Body.objects.filter(pk=message.body_id).update(subject="A private matter", sender="eve@example.com")
    page = timeline(root, ann).content.decode()
    assert "A private matter" not in page
    assert "eve@example.com" not in page


def test_pages_follow_each_other_without_gap_or_repetition(
    root: Client, ann: Mailbox, django_assert_max_num_queries: Any
) -> None:
    AuditEntry.objects.all().delete()
    start = timezone.now() - timedelta(days=5)
    total = PAGE_ROWS + 30
    for number in range(total):
        a_message(ann, octets=500 + number, arrived_at=start - timedelta(hours=number))
    for number in range(40):
        a_session(a_device(ann, f"D{number}"), ago=timedelta(days=5, hours=number), listed=1)
    seen: list[str] = []
    query: dict[str, str] = {}
    for _page in range(9):
        with django_assert_max_num_queries(12):
            answer = timeline(root, ann, **query)
        seen += texts(answer)
        if not answer.context["timeline"].older:
            break
        query = {"before": answer.context["timeline"].older.isoformat()}
    assert sum(text.startswith("Delivered") for text in seen) == total
    assert len([text for text in seen if "listed 1" in text]) == 40
    assert len(set(seen)) >= total, "each delivery has a size of its own"


@pytest.mark.parametrize("before", ["", "soon", "2026-13-45", "2026-01-01T00:00:00", "0001-01-01T00:00:00+23:59"])
def test_a_place_that_is_none_is_the_first_page(root: Client, ann: Mailbox, before: str) -> None:
    assert len(texts(timeline(root, ann, before=before))) == 1


@pytest.mark.parametrize("zone", ["+23:59", "-23:59"])
def test_a_place_may_be_in_any_time_zone(root: Client, ann: Mailbox, zone: str) -> None:
    assert texts(timeline(root, ann, before=f"2020-11-30T00:00:00{zone}")) == []


def test_a_removal_is_undone_from_its_row_and_no_other_is(root: Client, ann: Mailbox) -> None:
    at = timezone.now() - timedelta(hours=2)
    for _ in range(2):
        a_message(ann, removed_at=at)
    other = a_message(ann, removed_at=timezone.now() - timedelta(hours=1))
    removals = [event for event in events(timeline(root, ann, kind="removals")) if event.undo]
    assert [event.messages for event in removals] == [1, 2]
    undo = removals[1].undo
    assert undo is not None
    answer = root.post(undo.url, dict(undo.fields), follow=True)
    assert "2 messages are restored." in answer.content.decode()
    assert set(Message.objects.filter(removed__isnull=False)) == {other}
    assert AuditEntry.objects.get(verb="recovery.restore").actor_name == "root"
    assert [event.messages for event in events(timeline(root, ann, kind="removals")) if event.undo] == [1]
    assert "None of the selected messages" in root.post(undo.url, dict(undo.fields), follow=True).content.decode()
    for at in ("x", "2026-11-30T00:00:00+23:59", "9999-12-31T23:00:00-23:59"):
        assert root.post(undo.url, {"at": at, "device": "y"}).status_code == 302


def test_a_change_is_undone_from_its_row_while_nobody_has_changed_it_again(root: Client, ann: Mailbox) -> None:
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=MB)
    (change,) = [event for event in events(timeline(root, ann, kind="changes")) if event.undo]
    assert change.undo is not None
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=2 * MB)
    (latest,) = [event for event in events(timeline(root, ann, kind="changes")) if event.undo]
    assert "1 MB → 2 MB" in latest.note.replace("\xa0", " ")
    assert "cannot be undone any more" in root.post(change.undo.url, follow=True).content.decode()
    assert latest.undo is not None
    root.post(latest.undo.url)
    ann.refresh_from_db()
    assert ann.quota_octets == MB


def test_nobody_undoes_the_change_of_another_mailbox(root: Client, ann: Mailbox) -> None:
    bob = an_owner("bob@example.org")
    mailboxes.ensure("bob@example.org", actor=ACTOR, suspended=True)
    entry = AuditEntry.objects.get(verb="mailbox.change")
    assert root.post(f"/mailboxes/{ann.pk}/undo/{entry.pk}/").status_code == 404
    assert not User.objects.get(address="bob@example.org").is_active
    assert root.post(f"/mailboxes/{bob.pk}/undo/{entry.pk}/").status_code == 302
    assert User.objects.get(address="bob@example.org").is_active


def test_the_sessions_are_a_file_too(root: Client, ann: Mailbox) -> None:
    a_session(Device.objects.get(mailbox=ann), ago=timedelta(hours=1), fetched_messages=7)
    answer = timeline(root, ann, export="csv")
    assert answer["Content-Type"].startswith("text/csv")
    assert "Main password" in b"".join(answer.streaming_content).decode()


def test_a_device_that_was_connected_has_the_icon_of_its_kind(root: Client, ann: Mailbox) -> None:
    for name, kind in (("A", "laptop"), ("B", "phone")):
        devices.add(ANN, name, actor=ACTOR, kind=kind)
    devices.revoke(ANN, "A", actor=ACTOR)
    assert [event.icon for event in events(timeline(root, ann))][:3] == ["envelope", "phone", "laptop"]


def test_a_full_mailbox_is_told_when_its_owner_hears_of_it(root: Client, ann: Mailbox) -> None:
    Mailbox.objects.update(warned_percent=100, warned_at=timezone.now(), warning_waits=True)
    assert events(timeline(root, ann))[0].note == "the owner gets a mail once there is room"
    Mailbox.objects.update(warning_waits=False)
    assert events(timeline(root, ann))[0].note == "the owner got a mail"
