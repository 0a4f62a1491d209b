"""The list of sign-ins: what happened in a sentence, and what was refused lately by its reason."""

from __future__ import annotations

import datetime
import html
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mailstore.directory import grants
from mailstore.models import Device, DiarySession, Mailbox
from popadmin.panel import refusals
from popadmin.web import sign_in_text
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD

pytestmark = pytest.mark.django_db
Ended = DiarySession.Ended


def entry(mailbox: Mailbox, ended: str, *, minutes: int = 0, **fields: Any) -> DiarySession:
    at = timezone.now() - datetime.timedelta(minutes=minutes)
    values = {"client": "192.0.2.7", **fields}
    return DiarySession.objects.create(mailbox=mailbox, ended=ended, started_at=at, ended_at=at, **values)


def text(client: Client, query: str = "") -> str:
    page = html.unescape(client.get(f"/sign-ins/{query}").content.decode()).replace("\xa0", " ")
    return " ".join(re.sub(r"<[^>]*>", " ", page[page.index("<main") :]).split())


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


def test_each_reason_is_a_row_with_its_attempts_mailboxes_and_addresses(root: Client):
    ann, bob = an_owner(), an_owner("bob@example.org")
    entry(ann, Ended.WRONG, sessions=30)
    entry(bob, Ended.WRONG, client="192.0.2.8")
    entry(ann, Ended.THROTTLED, sessions=5)
    entry(ann, Ended.PREVIOUS)
    entry(ann, Ended.QUIT, sessions=99)
    shown = text(root)
    assert "31 attempts with a wrong password: 2 mailboxes, from 2 addresses" in shown
    assert "5 attempts met a limit: 1 mailbox, from 1 address" in shown
    assert "after 20 names that do not exist" in shown
    assert shown.index("met a limit") < shown.index("1 attempt with an old password") < shown.index("31 attempts")
    page = root.get("/sign-ins/").content.decode()
    assert 'href="/sign-ins/?ended=throttled"' in page


def test_only_the_latest_entries_are_summed_up():
    root, ann = an_admin(), an_owner()
    entry(ann, Ended.WRONG, minutes=60)
    latest = entry(ann, Ended.PREVIOUS, minutes=30)
    found = refusals.lately(root, entries=1)
    assert [row.text for row in found.rows] == ["1 attempt with an old password: 1 mailbox, from 1 address"]
    assert found.since == latest.started_at
    assert refusals.lately(ann.user).rows == []  # an owner administers nothing


def test_where_nothing_was_refused_the_page_says_so(root: Client):
    entry(an_owner(), Ended.QUIT)
    assert "No sign-in was refused." in text(root)


def test_a_filtered_list_shows_its_rows_only(root: Client):
    entry(an_owner(), Ended.WRONG)
    assert "Refused lately" not in text(root, "?ended=wrong")


@pytest.mark.parametrize("ended", DiarySession.REFUSED)
def test_each_refusal_is_a_sentence(ended):
    assert sign_in_text.outcome(DiarySession(ended=ended)).startswith("Refused")


def test_a_session_says_what_it_did_and_how_it_ended_if_not_with_quit():
    done = {"listed": 40, "fetched_messages": 31, "removed_messages": 4}
    assert sign_in_text.outcome(DiarySession(ended=Ended.QUIT, **done)) == "Fetched 31, removed 4"
    lost = DiarySession(ended=Ended.LOST, listed=6)
    assert sign_in_text.outcome(lost) == "Listed 6, fetched none; the connection was lost"
    undone = DiarySession(ended=Ended.LOST, unremoved_messages=2)
    assert sign_in_text.outcome(undone).count("QUIT") == 1


def test_a_row_names_the_password_and_how_often(root: Client):
    ann = an_owner()
    device = Device.objects.create(mailbox=ann, name="Phone", selector="abcd", digest=b"1")
    entry(ann, Ended.QUIT, device=device, sessions=12, fetched_messages=1)
    assert f"{ANN} Fetched 1 12 times Phone 192.0.2.7" in text(root)


def test_a_domain_admin_sees_the_sign_ins_of_their_domains_only():
    entry(an_owner(), Ended.WRONG)
    entry(an_owner("bob@other.example"), Ended.PREVIOUS)
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    shown = text(signed_in("carla"))
    assert ANN in shown
    assert "1 attempt with a wrong password" in shown
    assert "old password" not in shown
    assert "bob@other.example" not in shown


@pytest.mark.parametrize("entries", [1, 30])
def test_the_page_costs_the_same_statements_however_long(
    root: Client, django_assert_max_num_queries: Any, entries: int
):
    ann = an_owner()
    for number in range(entries):
        entry(ann, Ended.WRONG, minutes=number)
    with django_assert_max_num_queries(10):
        assert root.get("/sign-ins/").status_code == 200
