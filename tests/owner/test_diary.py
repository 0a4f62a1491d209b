"""The owner's diary: sessions of mail programs, rows of several polls, refusals, and the diary as a file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from mailstore.directory import devices
from tests.owner.mail import a_device, a_session
from tests.site.page_users import ANN, an_owner, signed_in
from tests.site.rows import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def box():
    box = an_owner()
    pc = a_device(box, "Office PC")
    a_session(
        pc,
        ago=timedelta(hours=3),
        client="192.0.2.9",
        fetched_messages=12,
        removed_messages=3,
        octets_out=2048,
        listed=15,
    )
    a_session(pc, ago=timedelta(hours=2), sessions=40, listed=12, ended="lost")
    a_session(None, ago=timedelta(hours=1), mailbox=box, ended="previous", tls="", sessions=5)
    a_session(a_device(an_owner("bob@example.org"), "of bob"), ago=timedelta(hours=1))
    return box


def test_each_visit_is_told_with_device_place_and_what_it_did(box):
    page = signed_in(ANN).get("/diary/").content.decode()
    for text in (
        "Office PC", "fetched 12, deleted 3 for itself", "192.0.2.9", "TLSv1.3", "1\N{NO-BREAK SPACE}minute",
        "15 messages visible", "listed 12, fetched none", "40 times", "connection lost",
        "Refused: the previous password", "5 times", "without encryption",
    ):  # fmt: skip
        assert text in page
    assert "of bob" not in page


def test_a_session_tells_the_mode_that_its_device_had_then(box):
    a_session(box.device_set.get(main=True), ago=timedelta(days=2), removed_messages=7, device_mode="primary")
    devices.set_mode(ANN, "Office PC", "primary", actor=ACTOR)
    page = signed_in(ANN).get("/diary/").content.decode()
    assert "removed 7" in page
    assert "fetched 12, deleted 3 for itself" in page
    a_session(box.device_set.get(name="Office PC"), ago=-timedelta(minutes=1), removed_messages=5)
    assert "removed 5" in signed_in(ANN).get("/diary/").content.decode()


@pytest.mark.parametrize(("query", "rows"), [("", 3), ("kind=mail", 1), ("kind=polls", 1), ("kind=refused", 1)])
def test_it_is_narrowed_by_what_happened(box, query, rows):
    assert len(signed_in(ANN).get(f"/diary/?{query}").context["page"].rows) == rows


def test_it_is_narrowed_by_device_and_anothers_device_is_none(box):
    client = signed_in(ANN)
    pc = box.device_set.get(name="Office PC")
    assert len(client.get(f"/diary/?device={pc.pk}").context["page"].rows) == 2
    assert len(client.get(f"/diary/?device={pc.pk + 1000}").context["page"].rows) == 3


def test_it_is_a_file_too(box):
    answer = signed_in(ANN).get("/diary/?export=csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    heading, *rows = csv.reader(io.StringIO(text))
    assert (heading[2], len(rows)) == ("Device", 3)
    assert {row[2] for row in rows} == {"Office PC", ""}


def test_an_empty_diary_says_what_comes_here():
    an_owner()
    assert "Nobody has fetched mail yet" in signed_in(ANN).get("/diary/").content.decode()


def test_the_page_costs_the_same_statements_however_long(box, django_assert_num_queries):
    client = signed_in(ANN)
    pc = box.device_set.get(name="Office PC")
    for number in range(30):
        a_session(pc, ago=timedelta(minutes=number))
    with django_assert_num_queries(7):
        client.get("/diary/")


def test_a_sign_in_to_send_is_told_as_such_and_is_no_poll(box):
    a_session(a_device(box, "Laptop"), ago=timedelta(minutes=5), ended="sent", sessions=3, listed=0)
    page = " ".join(signed_in(ANN).get("/diary/?kind=sent").content.decode().split())
    assert "<b>Laptop</b> signed in to send mail, 3 times" in page
    assert "0 messages visible" not in page
    assert "signed in to send mail" not in signed_in(ANN).get("/diary/?kind=polls").content.decode()
