"""Findings with their remedy: for the owner on their pages, for admins on the mailbox's page and in the list."""

from __future__ import annotations

from datetime import UTC, datetime
from html import unescape

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from mailstore.models import Device, Finding
from popadmin.web import finding_text
from popadmin.web.formats import day
from tests.owner.mail import a_device
from tests.retention.test_finding_detectors import FOUND
from tests.site.page_users import ANN, an_admin, an_owner, signed_in

pytestmark = pytest.mark.django_db


ARRIVED = day(datetime(2026, 11, 12, 14, 5, tzinfo=UTC))
STOPPED = {"sessions": 12, "message": 1, "octets": 5120, "arrived_at": "2026-11-12T14:05:00+00:00", "line_octets": 5000}
FACTS = {kind: facts for kind, (_act, facts) in FOUND.items()} | {Finding.Kind.STOPPED: STOPPED}


def found(box, kind, device=None):
    facts = FACTS[kind]
    return Finding.objects.create(mailbox=box, device=device, kind=kind, since=timezone.now(), facts=facts)


@pytest.mark.parametrize("kind", Finding.Kind)
def test_every_kind_has_words_for_all_its_figures(kind):
    box = an_owner()
    finding = found(box, kind, a_device(box, "PC"))
    for text in (finding_text.heading(finding), finding_text.fact(finding), finding_text.remedy(finding)):
        assert text
        assert "%" not in text.replace("\N{NO-BREAK SPACE}% full", "")


@pytest.mark.parametrize(
    ("kind", "facts", "text"),
    [
        ("again", {"fetched": 400, "messages": 1}, "In two days it fetched 1 message 400 times."),
        ("again", {"fetched": 4000, "messages": 3}, "In two days it fetched 3 messages 4,000 times in all."),
        ("previous", {"times": 1, "client": "192.0.2.1"}, "Refused 1 time in two days, last from 192.0.2.1."),
        ("previous", {"times": 2, "client": None}, "Refused 2 times in two days, last from an unknown address."),
        ("keeps", {"fetched": 1, "percent": 91}, "In 30 days it fetched 1 message and deleted none."),
        (
            "stopped",
            STOPPED,
            "In two days none of its 12 sessions got past this message, which arrived on {} "
            "(5\u00a0KB). One of its lines has 5,000 octets, and 998 are allowed.",
        ),
        (
            "stopped",
            {**STOPPED, "line_octets": 0},
            "In two days none of its 12 sessions got past this message, which arrived on {} (5\u00a0KB).",
        ),
    ],
)
def test_figures_agree_with_their_nouns(kind, facts, text):
    fact = finding_text.fact(Finding(kind=kind, facts=facts))
    assert unescape(strip_tags(fact)) == text.format(strip_tags(ARRIVED))
    assert (ARRIVED in fact) is (kind == "stopped")


def test_the_owner_reads_what_is_wrong_and_what_helps():
    box = an_owner()
    found(box, "hasty", a_device(box, "PC"))
    found(box, "unended", Device.objects.get(mailbox=box, main=True))
    found(an_owner("bob@example.org"), "previous")
    client = signed_in(ANN)
    for path in ("/mailbox/", "/diary/"):
        page = client.get(path).content.decode()
        assert "“PC” checks for mail every 10 seconds" in page
        assert "Let it check every five minutes" in page
        assert "The main password never ends its sessions properly" in page
        assert "previous password" not in page


@pytest.mark.parametrize(
    ("query", "owners"), [("finding=any", [ANN]), ("finding=hasty", [ANN]), ("finding=keeps", []), ("", [ANN, "bob"])]
)
def test_an_admin_finds_the_mailboxes_that_have_one(query, owners):
    an_admin()
    found(an_owner(), "hasty")
    an_owner("bob@example.org")
    rows = signed_in("root").get(f"/mailboxes/?{query}").context["page"].rows
    assert len(rows) == len(owners)


def test_an_admin_reads_it_beside_the_devices_of_the_mailbox():
    an_admin()
    box = an_owner()
    found(box, "previous")
    page = signed_in("root").get(f"/mailboxes/{box.pk}/devices/").content.decode()
    assert "A mail program still uses the previous password" in page


def test_the_list_of_mailboxes_counts_what_is_wrong_and_its_file_says_each_kind_once():
    an_admin()
    box = an_owner()
    for name in ("PC", "Phone"):
        found(box, "hasty", a_device(box, name))
    client, words = signed_in("root"), "Checks for mail every few seconds"
    assert client.get("/mailboxes/").content.decode().partition("<tbody")[2].count("2 problems") == 1
    assert client.get("/mailboxes/?export=csv").getvalue().decode().count(words) == 1


def test_the_page_of_a_mailbox_tells_its_admins_what_is_wrong_and_what_helps():
    an_admin()
    box = an_owner()
    found(box, "hasty", a_device(box, "PC"))
    assert "Let it check every five minutes" in signed_in("root").get(f"/mailboxes/{box.pk}/").content.decode()


def test_owner_and_admin_read_as_what_a_program_signs_in_and_what_it_must_say():
    an_admin()
    box = an_owner()
    found(box, "bare")
    for client, path in ((signed_in(ANN), "/mailbox/"), (signed_in("root"), f"/mailboxes/{box.pk}/")):
        page = client.get(path).content.decode()
        assert "A mail program signs in as “ann”" in page
        assert "Refused 40 times, last from 192.0.2.0/24. It must say ann@example.org." in page
        assert "Type the whole address as the user name there. The password stays." in page
