"""The list of sign-ins: what happened in a sentence, and what was refused lately by its reason."""

from __future__ import annotations

import datetime
import html
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mailstore.directory import aliases, domain_rename, grants
from mailstore.models import Device, DiarySession, Mailbox, RefusedName, User
from popadmin.panel import refusals, refused_names
from popadmin.web import sign_in_text
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD

pytestmark = pytest.mark.django_db
Ended = DiarySession.Ended


def entry(mailbox: Mailbox, ended: str, *, minutes: int = 0, **fields: Any) -> DiarySession:
    at = timezone.now() - datetime.timedelta(minutes=minutes)
    values = {"client": "192.0.2.7", **fields}
    return DiarySession.objects.create(mailbox=mailbox, ended=ended, started_at=at, ended_at=at, **values)


def a_refused_name(name: str = "", *, minutes: int = 0, **fields: Any) -> RefusedName:
    at = timezone.now() - datetime.timedelta(minutes=minutes)
    values = {"reason": "unknown", "network": "192.0.2.0/24", "protocol": "pop3", "tries": 1, **fields}
    return RefusedName.objects.create(name=name, first_at=at, last_at=at, **values)


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
    done = {"listed": 40, "fetched_messages": 31, "removed_messages": 4, "device_mode": "primary"}
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
        a_refused_name(f"n{number}@example.org")
        a_refused_name(network=f"198.51.{number}.0/24", reason="network")
    with django_assert_max_num_queries(14):
        assert root.get("/sign-ins/").status_code == 200


# --- names that nobody has, and limits ----------------------------------------------------------------------------


def test_a_name_that_nobody_has_is_told_with_what_was_probably_meant(root: Client):
    box = an_owner()
    a_refused_name("anne@example.org", tries=1200)
    a_refused_name("ann@exmaple.org", protocol="web")
    a_refused_name("zoe@elsewhere.example", network="")
    shown = text(root)
    assert f"1,200 attempts at POP from 192.0.2.0/24. Probably meant: {ANN}" in shown
    assert f"1 attempt at these pages from 192.0.2.0/24. Probably meant: {ANN}" in shown
    assert "zoe @elsewhere.example 1 attempt at POP from many networks." in shown
    assert f'href="/mailboxes/{box.pk}/"' in root.get("/sign-ins/").content.decode()


def test_an_alias_that_tries_to_sign_in_is_told_as_such(root: Client):
    an_owner()
    aliases.ensure("info@example.org", [ANN], actor=ACTOR)
    a_refused_name("info@example.org")
    assert "1 attempt at POP from 192.0.2.0/24. This is an alias." in text(root)


def test_texts_that_are_no_address_are_one_row_without_words(root: Client):
    a_refused_name(tries=7)
    assert "Other names and texts 7 attempts at POP" in text(root)


def test_the_latest_names_are_shown_and_those_of_filters_are_not(root: Client):
    for number in range(refused_names.SHOWN + 1):
        a_refused_name(f"n{number}@example.org", minutes=number)
    shown = text(root)
    assert "n0 @example.org" in shown
    assert f"n{refused_names.SHOWN} @example.org" not in shown
    assert "n0 @example.org" not in text(root, "?ended=wrong")


def test_each_limit_says_who_met_it_what_it_means_and_until_when(root: Client):
    soon = timezone.now() + datetime.timedelta(minutes=30)
    a_refused_name(reason="network", network="198.51.100.0/24", tries=9, until=soon)
    a_refused_name(ANN, reason="account", until=timezone.now() - datetime.timedelta(hours=1))
    a_refused_name(reason="connections", network="203.0.113.0/24", tries=3)
    shown = text(root)
    assert re.search(r"198.51.100.0/24 Refused until [^ ]+( [^ ]+)? 9 attempts were refused.", shown), shown
    assert "It tried 20 names that nobody has within an hour" in shown
    assert "ann @example.org 1 attempt from 192.0.2.0/24 was refused. After 50 wrong passwords within a day" in shown
    assert "203.0.113.0/24 3 connections were refused. An address there had" in shown


def test_a_domain_admin_sees_the_refused_names_of_a_former_name_of_their_domain():
    an_owner()
    domain_rename.rename("example.org", "example.com", actor=ACTOR)
    grants.ensure("carla", ["example.com"], actor=ACTOR, password=PASSWORD)
    a_refused_name("anne@example.org")
    a_refused_name("bobby@other.example")
    found = refused_names.lately(User.objects.get(address="carla"))
    assert [row.who for row in found.names] == ["anne@example.org"]


def test_a_domain_admin_sees_the_refused_names_of_their_domains_only():
    an_owner()
    an_owner("bob@other.example")
    a_refused_name("anne@example.org")
    a_refused_name("bobby@other.example")
    a_refused_name("bobb@sub.example.org")
    a_refused_name(ANN, reason="account")
    a_refused_name("bob@other.example", reason="account")
    a_refused_name(reason="network", network="198.51.100.0/24")
    a_refused_name(tries=7)
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    found = refused_names.lately(User.objects.get(address="carla"))
    assert [row.who for row in found.names] == ["anne@example.org"]
    assert [row.who for row in found.limits] == [ANN]
    shown = text(signed_in("carla"))
    assert "anne @example.org" in shown
    assert "other.example" not in shown
    assert "198.51.100" not in shown


def test_a_domain_admin_learns_no_address_of_another_domain():
    an_owner()
    an_owner("bob@other.example")
    a_refused_name("bob@example.org")
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    (row,) = refused_names.lately(User.objects.get(address="carla")).names
    assert row.meant is None


def test_owners_see_none_of_it():
    ann = an_owner()
    a_refused_name("anne@example.org")
    assert refused_names.lately(ann.user).names == []


# --- the list of all of them --------------------------------------------------------------------------------------


def names_page(client: Client, query: str = "") -> str:
    page = html.unescape(client.get(f"/sign-ins/names/{query}").content.decode()).replace("\xa0", " ")
    return " ".join(re.sub(r"<[^>]*>", " ", page[page.index("<main") :]).split())


def test_the_list_has_all_and_finds_them_by_name_network_and_kind(root: Client):
    an_owner()
    for number in range(refused_names.SHOWN + 1):
        a_refused_name(f"n{number}@example.org", minutes=number)
    a_refused_name(reason="network", network="198.51.100.0/24", tries=9)
    a_refused_name("anne@example.org")
    shown = names_page(root)
    assert f"n{refused_names.SHOWN} @example.org" in shown
    assert f"Probably meant: {ANN}" in shown
    assert "9 attempts were refused." in shown
    assert "n0 @example.org" not in names_page(root, "?kind=limits")
    assert "9 attempts" not in names_page(root, "?kind=names")
    assert "n1 @example.org" in names_page(root, "?q=N1@")
    assert "n0 @example.org" not in names_page(root, "?q=198.51")


def test_the_list_tells_programs_that_are_set_up_for_another_encryption(root: Client):
    for reason in RefusedName.ENCRYPTION:
        a_refused_name(reason=reason, tries=2)
    shown = names_page(root, "?kind=encryption")
    assert "No encryption, from 192.0.2.0/24, 2 times. Choose another encryption, or another port" in shown
    assert "TLS at once on the port for STARTTLS, from 192.0.2.0/24, 2 times." in shown
    assert "No TLS on the port for SSL/TLS, from 192.0.2.0/24, 2 times." in shown
    assert "from 192.0.2.0/24" not in names_page(root, "?kind=tls")


def test_the_list_is_a_file_too(root: Client):
    a_refused_name("anne@example.org", tries=3)
    (answer,) = [b"".join(root.get("/sign-ins/names/?export=1").streaming_content).decode()]
    assert "anne@example.org,192.0.2.0/24,pop3,3," in answer


def test_a_domain_admin_has_the_list_of_their_domains_and_an_owner_none():
    ann = an_owner()
    a_refused_name("anne@example.org")
    a_refused_name("bobby@other.example")
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    shown = names_page(signed_in("carla"))
    assert "anne @example.org" in shown
    assert "bobby" not in shown
    assert signed_in(ann.user.address).get("/sign-ins/names/").status_code == 404


@pytest.mark.parametrize("rows", [1, 40])
def test_the_list_costs_the_same_statements_however_long(root: Client, django_assert_max_num_queries: Any, rows: int):
    an_owner()
    for number in range(rows):
        a_refused_name(f"ann{number}@example.org")
    with django_assert_max_num_queries(11):
        assert root.get("/sign-ins/names/").status_code == 200


def test_this_machine_is_called_so(root: Client):
    a_refused_name("anne@example.org", network="127.0.0.0/24")
    a_refused_name("anna@example.org", network="::/48")
    assert names_page(root).count("1 attempt at POP from this machine.") == 2
