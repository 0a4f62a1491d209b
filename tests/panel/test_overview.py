"""The hosting admin's first page."""

from __future__ import annotations

import datetime
import re

import pytest
from django.utils import timezone

from mailstore.models import Domain, Mailbox, User
from popadmin.panel import figures
from tests.store.site import a_domain, a_message
from tests.web.people import ANN, an_admin, an_owner, signed_in

pytestmark = pytest.mark.django_db
MB = 2**20


def fill(address: str, octets: int, quota_octets: int | None, messages: int = 1) -> Mailbox:
    mailbox = an_owner(address, quota_octets=quota_octets)
    mailbox.octets, mailbox.messages = octets, messages
    mailbox.save()
    return mailbox


def test_the_cards_count_everything():
    admin = an_admin()
    fill("full@example.org", 95 * MB, 100 * MB, messages=3)
    fill("at90@example.net", 90 * MB, 100 * MB, messages=4)
    fill("near@example.org", 90 * MB - 1, 100 * MB)
    fill("free@example.org", 5 * MB, None)
    User.objects.filter(address="free@example.org").update(is_active=False)
    Domain.objects.filter(name="example.net").update(active=False)
    assert figures.totals(admin) == figures.Totals(
        domains=2,
        mailboxes=4,
        used_octets=280 * MB - 1,
        allotted_octets=300 * MB,
        unlimited=1,
        near=2,
        suspended=2,
        waiting=9,
    )


def test_an_empty_site_has_a_page_that_says_what_to_do():
    an_admin()
    page = signed_in("root").get("/overview/").content.decode()
    assert "No mailbox yet" in page
    assert "No domain yet" in page


def test_french_agrees_with_a_mailbox_which_is_feminine_and_a_domain_which_is_not():
    an_admin()
    fill("on@example.org", 2, None)
    fill("off@example.net", 1, None)
    Domain.objects.filter(name="example.net").update(active=False)
    User.objects.filter(address="root").update(language="fr")
    page = signed_in("root").get("/overview/").content.decode()
    states = re.findall(r"badge-\w+\">(\w+)<", page)
    assert states == ["Active", "Suspendue", "Actif", "Suspendu"]


def test_deliveries_are_counted_by_day_removed_mail_included():
    admin = an_admin()
    mailbox, now = an_owner(), timezone.now()
    a_message(mailbox, arrived_at=now)
    a_message(mailbox, arrived_at=now, removed_at=now)
    a_message(mailbox, arrived_at=now - datetime.timedelta(days=29))
    a_message(mailbox, arrived_at=now - datetime.timedelta(days=30))
    days = figures.deliveries(admin)
    assert [day.deliveries for day in days] == [1, *[0] * 28, 2]
    assert days[-1].date == now.date()


def test_the_fullest_come_first_and_those_without_a_quota_last():
    admin = an_admin()
    for address, octets, quota in [
        ("low@example.org", 1, 100 * MB),
        ("none@example.org", 500 * MB, None),
        ("over@example.org", 2 * MB, MB),
        ("zero@example.org", 0, 0),
    ]:
        fill(address, octets, quota)
    order = [mailbox.user.address.partition("@")[0] for mailbox in figures.fullest(admin)]
    assert order[:2] == ["over", "low"]


def test_the_domains_that_store_most_come_first():
    admin = an_admin()
    a_domain("empty.example")
    fill("a@small.example", MB, 10 * MB)
    fill("a@large.example", 3 * MB, None)
    fill("b@large.example", 3 * MB, 20 * MB)
    found = [(row.name, row.mailboxes, row.octets, row.allotted_octets) for row in figures.largest(admin)]
    assert found == [
        ("large.example", 2, 6 * MB, 20 * MB),
        ("small.example", 1, MB, 10 * MB),
        ("empty.example", 0, 0, 0),
    ]


@pytest.mark.parametrize("mailboxes", [1, 30])
def test_the_page_costs_the_same_statements_however_many_mailboxes(django_assert_num_queries, mailboxes):
    an_admin()
    client = signed_in("root")
    for number in range(mailboxes):
        fill(f"box{number}@d{number % 15}.example", number * MB, 40 * MB)
    # the session, the user; totals of mailboxes, of domains; deliveries; the two tables
    with django_assert_num_queries(7):
        assert client.get("/overview/").status_code == 200


def test_an_owner_cannot_tell_that_the_page_exists():
    an_owner()
    client = signed_in(ANN)
    assert client.get("/overview/").status_code == 404
    assert "/overview/" not in client.get("/mailbox/").content.decode()


def test_the_figures_of_an_owner_are_empty_even_if_asked_for():
    owner = an_owner()
    a_message(owner)
    assert figures.totals(owner.user).mailboxes == 0
    assert sum(day.deliveries for day in figures.deliveries(owner.user)) == 0
    assert figures.fullest(owner.user) == []
    assert figures.largest(owner.user) == []
