"""The owner's messages: which devices have each, its history, and its file."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.messages import message_history, recovery
from mailstore.messages.message_history import SESSIONS_MOST
from mailstore.messages.recovery import ALL
from mailstore.models import AuditEntry, Device, Message, RetentionPolicy
from tests.owner.mail import a_device, a_letter, a_session
from tests.site.mail import assert_counters_are_sums
from tests.site.page_users import ANN, an_owner, signed_in
from tests.site.rows import ACTOR

pytestmark = pytest.mark.django_db


def test_the_list_says_which_device_has_what_and_when_it_leaves():
    box = an_owner()
    RetentionPolicy.objects.create(name="site", site=True, expire_days=10, expire_unfetched=True)
    row = a_letter(box, "one")
    a_device(box, "PC", confirmed=f"{{[{row.added},{row.added + 1})}}")
    a_device(box, "Phone")
    new = f"{{[{row.added},{row.added + 1})}}"
    a_device(box, "Tablet", hidden=new, skipped=new)
    a_device(box, "Lost", revoked_at=timezone.now())
    (row,) = signed_in(ANN).get("/messages/").context["page"].rows
    assert [(holder.name, holder.has, holder.waits) for holder in row.holders] == [
        ("PC", True, False),
        ("Phone", False, True),
        ("Tablet", False, False),
    ]
    assert row.leaves_at - row.arrived_at == timedelta(days=10)


def test_the_history_of_a_message_is_shown_in_order():
    box = an_owner()
    pc, phone = a_device(box, "Office PC"), a_device(box, "Phone")
    row = a_letter(box, "one", arrived_at=timezone.now() - timedelta(days=2))
    this, other = f"{{[{row.added},{row.added + 1})}}", f"{{[{row.added + 1},{row.added + 9})}}"
    a_session(pc, ago=timedelta(hours=3), fetched=this)
    a_session(pc, ago=timedelta(hours=2), fetched=other)
    a_session(pc, ago=timedelta(hours=1), deleted=this)
    page = signed_in(ANN).get(f"/messages/{row.pk}/")
    assert [(act.device, act.fetched, act.deleted) for act in page.context["history"]] == [
        ("Office PC", True, False),
        ("Office PC", False, True),
    ]
    text = page.content.decode()
    assert text.index("Arrived") < text.index("Office PC fetched it") < text.index("Office PC deleted it")
    assert "Phone has not fetched it yet." in text
    assert phone.name in text


def test_of_a_much_fetched_message_the_first_fetches_and_the_removal_are_told():
    box = an_owner()
    pc, phone = a_device(box, "Office PC"), a_device(box, "Phone")
    row = a_letter(box, "one", arrived_at=timezone.now() - timedelta(days=9))
    this = f"{{[{row.added},{row.added + 1})}}"
    a_session(pc, ago=timedelta(days=8), fetched=this)
    a_session(pc, ago=timedelta(days=7), deleted=this)
    for minutes in range(SESSIONS_MOST + 5):
        a_session(phone, ago=timedelta(hours=9, minutes=minutes), fetched=this)
    a_session(phone, ago=timedelta(hours=1), deleted=this)
    events = [(act.device, act.fetched, act.deleted) for act in message_history.events([row])[row.pk]]
    assert len(events) == SESSIONS_MOST
    assert events[:3] == [("Office PC", True, False), ("Office PC", False, True), ("Phone", True, False)]
    assert events[-1] == ("Phone", False, True)


def test_what_came_before_a_restore_is_told_too():
    box = an_owner()
    pc = a_device(box, "Office PC")
    gone = timezone.now() - timedelta(hours=5, seconds=30)  # within the session
    row = a_letter(box, "one", arrived_at=gone - timedelta(days=1), removed_at=gone)
    Message.objects.update(removed_by=pc)
    a_session(pc, ago=timedelta(hours=5, minutes=1), deleted=f"{{[{row.added},{row.added + 1})}}")
    recovery.restore(ANN, ALL, actor=ACTOR)
    row.refresh_from_db()
    a_session(pc, ago=timedelta(), fetched=f"{{[{row.added},{row.added + 1})}}")
    page = signed_in(ANN).get(f"/messages/{row.pk}/")
    assert [type(event).__name__ for event in page.context["history"]] == [
        "SessionEvent",
        "Removal",
        "Return",
        "SessionEvent",
    ]
    text = page.content.decode()
    phrases = ["Arrived", "Office PC deleted it", "deleted by “Office PC”", "Restored", "Office PC fetched it"]
    assert sorted(phrases, key=text.index) == phrases


def test_an_owner_removes_a_message_for_all_devices_and_may_take_it_back():
    box = an_owner()
    row, other = a_letter(box, "one"), a_letter(an_owner("bob@example.org"), "of bob")
    client = signed_in(ANN)
    page = client.post(f"/messages/{row.pk}/remove/", follow=True).content.decode()
    row.refresh_from_db()
    assert (row.removed_why, row.removed_by) == (Message.Why.PERSON, None)
    for text in ("You can restore it from recovery", "Removed on these pages", f"/messages/{row.pk}/undo/"):
        assert text in page
    assert AuditEntry.objects.get(verb="recovery.remove").details["messages"] == 1
    assert client.post(f"/messages/{row.pk}/remove/").status_code == 404, "it is not live any more"
    assert client.post(f"/messages/{other.pk}/remove/").status_code == 404
    assert client.get(f"/messages/{row.pk}/remove/").status_code == 405
    assert_counters_are_sums()


def test_undo_puts_a_removed_message_back_for_all_devices_as_it_was():
    box = an_owner()
    row = a_letter(box, "one")
    client = signed_in(ANN)
    client.post(f"/messages/{row.pk}/remove/")
    page = client.post(f"/messages/{row.pk}/undo/", follow=True).content.decode()
    assert "The message is back in the mailbox." in page
    back = Message.objects.get()
    assert (back.removed, back.uidl) == (None, row.uidl)
    again = client.post(f"/messages/{row.pk}/undo/", follow=True).content.decode()
    assert "none of the selected messages" in again.lower()
    assert_counters_are_sums()


def test_nobody_undoes_the_removal_of_anothers_message():
    an_owner()
    theirs = a_letter(an_owner("bob@example.org"), "of bob", removed_at=timezone.now())
    assert signed_in(ANN).post(f"/messages/{theirs.pk}/undo/").status_code == 404
    theirs.refresh_from_db()
    assert theirs.removed is not None


def test_what_an_import_brought_says_so():
    row = a_letter(an_owner(), "one", arrived_at=timezone.now() - timedelta(days=2))
    Message.objects.update(aged_from=timezone.now())
    assert "Added to the mailbox by an import" in signed_in(ANN).get(f"/messages/{row.pk}/").content.decode()


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_costs_the_same_statements_however_long(django_assert_num_queries, rows):
    box = an_owner()
    for number in range(rows):
        a_letter(box, f"number {number}")
    client = signed_in(ANN)
    client.get("/messages/")
    with django_assert_num_queries(8):
        assert client.get("/messages/").status_code == 200


def test_the_file_is_the_message_unstuffed_with_its_delivery_headers():
    box = an_owner()
    row = a_letter(box, "Été à Lyon", text="..a dot\r\n..")
    row.prefix = b"Return-Path: <bob@example.com>\r\n"
    row.octets += len(row.prefix) - 2  # two dots were stuffed
    row.save()
    answer = signed_in(ANN).get(f"/messages/{row.pk}/file/")
    data = b"".join(answer.streaming_content)
    assert data.startswith(b"Return-Path: <bob@example.com>\r\nFrom: ")
    assert data.endswith(b"\r\n.a dot\r\n.\r\n")
    assert int(answer["Content-Length"]) == len(data)
    assert answer["Content-Type"] == "message/rfc822"
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''%C3%A9t%C3%A9-%C3%A0-lyon.eml")


def test_a_lost_body_is_told_and_not_half_sent():
    row = a_letter(an_owner(), "one")
    row.body.key = "0" * 26
    row.body.save()
    client = signed_in(ANN)
    answer = client.get(f"/messages/{row.pk}/file/", follow=True)
    assert "cannot be read at the moment" in answer.content.decode()


def test_the_main_password_counts_once_it_was_used():
    box = an_owner()
    a_letter(box, "one")
    client = signed_in(ANN)
    (row,) = client.get("/messages/").context["page"].rows
    assert row.holders == []
    Device.objects.update(last_sign_in_at=timezone.now())
    (row,) = client.get("/messages/").context["page"].rows
    assert [holder.main for holder in row.holders] == [True]
