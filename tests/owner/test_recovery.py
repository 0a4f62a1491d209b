"""The owner's recovery page: removed mail is found and restored, or deleted for good after a confirmation."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.directory import mailboxes
from mailstore.messages import message_summary
from mailstore.models import Device, Mailbox, Message
from tests.owner.mail import a_device, a_letter
from tests.site.mail import assert_counters_are_sums
from tests.site.page_users import ANN, an_owner, signed_in
from tests.site.rows import ACTOR

pytestmark = pytest.mark.django_db
BOB = "bob@example.org"


def left(mailbox: Mailbox, subject: str, hours: float = 1, sender: str = "Bob <bob@example.com>") -> Message:
    return a_letter(mailbox, subject, sender, removed_at=timezone.now() - timedelta(hours=hours))


def tick(client, *rows: Message, bulk: str, query: str = ""):
    """Select the rows and press a button. Return the page that it opens."""
    keys = [row.pk for row in rows]
    answer = client.post("/recovery/", {"here": query, "on_page": keys, "ticked": keys, "bulk": bulk})
    assert answer.status_code == 302
    return answer["Location"]


def undo_in(page: str) -> str:
    """Return where the button of the notice leads."""
    return html.unescape(re.search(r'action="(/recovery/undo/[^"]*)"', page)[1])


def test_the_page_says_what_left_when_why_and_for_how_long_it_can_come_back():
    box = an_owner()
    phone = a_device(box, "Phone")
    row = left(box, "=?utf-8?q?Caf=C3=A9?=", sender="Eve <eve@example.com>")
    Message.objects.update(removed_by=phone)
    page = signed_in(ANN).get("/recovery/").content.decode()
    for text in ("Café", "Eve &lt;eve@example.com&gt;", "</time>", "deleted by “Phone”", "30 days"):
        assert text in page
    assert f"/messages/{row.pk}/" in page


def test_an_empty_page_says_what_comes_here():
    an_owner()
    assert "Nothing has been removed from your mailbox recently" in signed_in(ANN).get("/recovery/").content.decode()


def test_a_search_finds_by_subject_and_sender_and_says_what_it_has_not_read(monkeypatch):
    box = an_owner()
    left(box, "Lunch")
    left(box, "Invoice", sender="Eve <eve@example.com>")
    client = signed_in(ANN)
    assert [row.body.subject for row in client.get("/recovery/?words=EVE").context["page"].rows] == ["Invoice"]
    assert [row.body.subject for row in client.get("/recovery/?words=lun+bob").context["page"].rows] == ["Lunch"]


@pytest.mark.parametrize("rows", [1, 20])
def test_the_page_costs_the_same_statements_however_much_rests(django_assert_num_queries, rows):
    box = an_owner()
    for number in range(rows):
        left(box, f"number {number}")
    client = signed_in(ANN)
    client.get("/recovery/")  # reads the subjects
    with django_assert_num_queries(7):
        assert client.get("/recovery/").status_code == 200


def test_what_is_ticked_comes_back_and_nothing_else():
    box = an_owner()
    one, _two, three = (left(box, subject) for subject in ("one", "two", "three"))
    client = signed_in(ANN)
    place = tick(client, one, three, bulk="restore")
    assert "Restore 2 messages" in client.get(place).content.decode()
    answer = client.post(place, {"uidl": "old"}, follow=True)
    assert "2 messages" in answer.content.decode()
    live = Message.objects.filter(removed=None)
    assert set(live) == {one, three}
    assert {row.uidl for row in live} == {one.uidl, three.uidl}
    assert_counters_are_sums()
    assert client.get(place).status_code == 302, "what was restored is chosen no more"


def test_what_is_ticked_comes_back_at_once_and_rests_again_by_undo():
    box = an_owner()
    one, two, _other = (left(box, subject) for subject in ("one", "two", "three"))
    client = signed_in(ANN)
    keys = [one.pk, two.pk]
    sent = {"here": "", "on_page": keys, "ticked": keys, "bulk": "restore-now"}
    page = client.post("/recovery/", sent, follow=True).content.decode()
    assert "2 messages" in page
    assert set(Message.objects.filter(removed=None)) == {one, two}
    page = client.post(undo_in(page), follow=True).content.decode()
    assert "2 messages are back in recovery." in page
    assert not Message.objects.filter(removed=None).exists()
    assert_counters_are_sums()


def test_an_older_notice_does_not_take_back_a_later_restore():
    box = an_owner()
    client = signed_in(ANN)
    one, two = left(box, "one"), left(box, "two")
    undos = []
    for row in (one, two):
        sent = {"here": "", "on_page": [row.pk], "ticked": [row.pk], "bulk": "restore-now"}
        undos.append(undo_in(client.post("/recovery/", sent, follow=True).content.decode()))
    for older in (undos[0], "/recovery/undo/"):
        assert "cannot be undone any more" in client.post(older, follow=True).content.decode()
        assert Message.objects.filter(removed=None).count() == 2
    assert "1 message is back in recovery." in client.post(undos[1], follow=True).content.decode()
    assert "cannot be undone any more" in client.post(undos[1], follow=True).content.decode()
    assert Message.objects.get(removed=None) == one


def test_all_that_a_search_finds_comes_back_at_once_too():
    box = an_owner()
    rows = [left(box, "trip to Lyon") for _ in range(3)]
    other = left(box, "invoice")
    client = signed_in(ANN)
    client.get("/recovery/?words=lyon")
    client.post("/recovery/", {"here": "?words=lyon", "choose": "all"})
    client.post("/recovery/", {"here": "?words=lyon", "bulk": "restore-now"})
    assert set(Message.objects.filter(removed=None)) == set(rows)
    assert Message.objects.get(pk=other.pk).removed is not None


def test_nothing_ticked_restores_nothing():
    left(an_owner(), "one")
    page = signed_in(ANN).post("/recovery/", {"here": "", "bulk": "restore-now"}, follow=True).content.decode()
    assert "Select messages first." in page
    assert not Message.objects.filter(removed=None).exists()


def test_all_that_a_search_finds_comes_back_under_new_uidls():
    box = an_owner()
    rows = [left(box, "trip to Lyon") for _ in range(3)]
    other = left(box, "invoice")
    client = signed_in(ANN)
    client.get("/recovery/?words=lyon")
    client.post("/recovery/", {"here": "?words=lyon", "choose": "all"})
    assert client.post("/recovery/restore/?words=lyon", {"uidl": "again"}).status_code == 302
    live = Message.objects.filter(removed=None)
    assert other not in live
    assert not {row.uidl for row in live} & {row.uidl for row in rows}
    assert len(live) == 3


def test_it_can_come_back_for_some_devices_only():
    box = an_owner()
    phone = a_device(box, "Phone")
    row = left(box, "one")
    client = signed_in(ANN)
    page = f"/messages/{row.pk}/"
    refused = client.post(page, {"whom": "some", "uidl": "old"})
    assert "Choose at least one device." in refused.content.decode()
    assert client.post(page, {"whom": "some", "devices": ["Phone"], "uidl": "old"}).status_code == 302
    phone.refresh_from_db()
    main = Device.objects.get(mailbox=box, main=True)
    assert (phone.hidden_messages, main.hidden_messages) == (0, 1)


def test_with_the_main_password_alone_nobody_is_asked_for_which_device():
    row = left(an_owner(), "one")
    assert 'name="whom"' not in signed_in(ANN).get(f"/messages/{row.pk}/").content.decode()


def test_a_restore_above_the_quota_is_told():
    row = left(an_owner(quota_octets=10), "one")
    answer = signed_in(ANN).post(f"/messages/{row.pk}/", {"uidl": "old"}, follow=True)
    assert "over its quota" in answer.content.decode()


def test_mail_is_destroyed_only_once_that_is_confirmed():
    box = an_owner()
    one, two = left(box, "one"), left(box, "two")
    client = signed_in(ANN)
    place = tick(client, one, bulk="purge")
    assert "cannot be undone" in client.get(place).content.decode()
    assert Message.objects.count() == 2
    client.post(place)
    assert list(Message.objects.all()) == [two]
    client.get(f"/messages/{two.pk}/purge/")
    assert Message.objects.exists()
    client.post(f"/messages/{two.pk}/purge/")
    assert not Message.objects.exists()
    assert_counters_are_sums()


def test_a_hold_is_told_and_nothing_is_destroyed():
    row = left(an_owner(), "one")
    mailboxes.ensure(ANN, actor=ACTOR, held=True)
    client = signed_in(ANN)
    assert "nothing is deleted for good" in client.get("/recovery/").content.decode()
    assert "is on hold" in client.post(f"/messages/{row.pk}/purge/").content.decode()
    assert Message.objects.exists()


@pytest.mark.parametrize("path", ["/messages/%d/", "/messages/%d/file/", "/messages/%d/purge/"])
def test_anothers_message_is_not_there(path):
    an_owner()
    theirs = left(an_owner(BOB), "secret")
    client = signed_in(ANN)
    assert client.get(path % theirs.pk).status_code == 404
    assert client.post(path % theirs.pk, {"uidl": "old"}).status_code in (404, 405)
    theirs.refresh_from_db()
    assert theirs.removed is not None


def test_what_cannot_be_read_is_still_there_to_restore(settings, tmp_path):
    box = an_owner()
    left(box, "one")
    settings.MAIL_STORE_URL = f"file:{tmp_path}/away"
    page = signed_in(ANN).get("/recovery/").content.decode()
    assert "(cannot be read now)" in page


def test_a_search_that_has_no_time_goes_on_later(monkeypatch):
    box = an_owner()
    left(box, "one")
    monkeypatch.setattr(message_summary, "SEARCH_SECONDS", -1.0)
    assert "1 message has not been searched yet." in signed_in(ANN).get("/recovery/?words=one").content.decode()
