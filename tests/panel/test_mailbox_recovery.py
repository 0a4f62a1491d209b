"""Admins restore messages by date and number, and see the diary, but no content of mail."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from mailstore.models import AuditEntry, Mailbox, Message
from popadmin.web import formats
from tests.owner.mail import a_device, a_letter, a_session
from tests.site.page_users import ANN, an_admin, an_owner, signed_in

pytestmark = pytest.mark.django_db
SECRET = "Strictly between us"


@pytest.fixture
def box():
    an_admin()
    box = an_owner()
    for hours in (50, 26, 2):
        a_letter(box, SECRET, f"{SECRET} <eve@example.com>", removed_at=timezone.now() - timedelta(hours=hours))
    a_session(a_device(box, "Office PC"), ago=timedelta(hours=1), fetched_messages=7)
    return box


def pages(box, client):
    return [client.get(f"/mailboxes/{box.pk}/{page}/") for page in ("recovery", "diary")]


def text(client, url):
    return " ".join(strip_tags(client.get(url).content.decode()).split()).replace("\xa0", " ")


def test_counts_and_dates_are_shown_and_never_what_it_is_about(box):
    signed_in("ann@example.org").get("/recovery/")  # the owner has read his subjects
    recovery, diary = pages(box, signed_in("root"))
    assert sum(day["messages"] for day in recovery.context["days"]) == 3
    assert "“Office PC” fetched 7" in diary.content.decode()
    for page in (recovery, diary):
        assert SECRET not in page.content.decode()
        assert "eve@example.com" not in page.content.decode()


@pytest.mark.parametrize(
    ("given", "restored"),
    [({"since": 30}, 2), ({"newest": 1}, 1), ({"since": 30, "newest": 1}, 1), ({"everything": "on"}, 3)],
)
def test_what_left_since_a_moment_or_last_comes_back_and_the_owner_sees_who_did_it(box, given, restored):
    if "since" in given:
        given = given | {"since": (timezone.now() - timedelta(hours=given["since"])).strftime("%Y-%m-%dT%H:%M")}
    answer = signed_in("root").post(f"/mailboxes/{box.pk}/recovery/", given)
    assert answer.status_code == 302
    assert Message.objects.filter(removed=None).count() == restored
    entry = AuditEntry.objects.get(verb="recovery.restore")
    assert (entry.mailbox, entry.actor_name, entry.details["messages"]) == (box, "root", restored)


@pytest.mark.parametrize("given", [{}, {"everything": "on", "newest": 1}, {"newest": 0}, {"since": "soon"}])
def test_nothing_comes_back_by_leaving_something_out(box, given):
    answer = signed_in("root").post(f"/mailboxes/{box.pk}/recovery/", given)
    assert answer.status_code == 200
    assert Message.objects.filter(removed=None).count() == 0


@pytest.mark.parametrize(
    ("days", "held", "told"),
    [(1, False, "From {day} on at most 1 KB is kept"), (8, False, ". At most 1 KB is kept, and"), (1, True, "")],
)
def test_a_cap_is_told_from_when_it_holds(box, days, held, told):
    lowered = timezone.now() - timedelta(days=days)
    Mailbox.objects.update(quota_octets=1024, quota_lowered_at=lowered, held=held)
    told = told.format(day=strip_tags(formats.day(lowered + timedelta(days=7)))).replace("\xa0", " ")
    seen = text(signed_in("root"), f"/mailboxes/{box.pk}/recovery/")
    assert (told in seen, "t most" in seen) == (True, bool(told))
    own = text(signed_in(ANN), "/recovery/")
    assert (" now. From" in own) == ("From" in told)
    assert (" of 1 KB" in own) == (not held and days > 7)


def test_nobody_else_has_these_pages(box):
    an_owner("bob@example.org")
    assert [page.status_code for page in pages(box, signed_in("bob@example.org"))] == [404, 404]


def test_the_pages_cost_the_same_statements_however_much_left(box, django_assert_num_queries):
    client = signed_in("root")
    with django_assert_num_queries(9):
        client.get(f"/mailboxes/{box.pk}/recovery/")
    for _ in range(10):
        a_letter(box, SECRET, removed_at=timezone.now())
    with django_assert_num_queries(9):
        client.get(f"/mailboxes/{box.pk}/recovery/")
