"""The overview: its figures, the flow of mail and the largest domains. Faults are in test_attention."""

from __future__ import annotations

import datetime
import html
import re

import pytest
from django.utils import timezone

from mailstore.directory import grants
from mailstore.models import AuditEntry, Domain, Finding, HoldingsCache, Mailbox, Tally, TallyMark, User
from popadmin.panel import daily_traffic, overview_stats
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_domain

pytestmark = pytest.mark.django_db
MB = 2**20


def fill(address: str, octets: int, quota_octets: int | None, messages: int = 1) -> Mailbox:
    mailbox = an_owner(address, quota_octets=quota_octets)
    mailbox.octets, mailbox.messages = octets, messages
    mailbox.save()
    return mailbox


def overview(name: str = "root") -> str:
    return html.unescape(signed_in(name).get("/overview/").content.decode()).replace("\xa0", " ")


def today() -> datetime.date:
    return timezone.now().astimezone(datetime.UTC).date()


def a_day_of_mail(domain: str, *, ago: int, **counts: int) -> None:
    day = today() - datetime.timedelta(days=ago)
    Tally.objects.create(domain=Domain.objects.get(name=domain), day=day, **counts)


def counted(user: User, **options: int) -> overview_stats.Totals:
    return overview_stats.totals(user, **options)


def test_the_figures_count_everything():
    admin = an_admin()
    fill("full@example.org", 100 * MB, 100 * MB, messages=3)
    fill("at90@example.net", 90 * MB, 100 * MB, messages=4)
    fill("near@example.org", 90 * MB - 1, 100 * MB)
    fill("free@example.org", 5 * MB, None)
    Mailbox.objects.filter(user__address="free@example.org").update(last_sign_in_at=timezone.now())
    User.objects.filter(address="free@example.org").update(is_active=False)
    Domain.objects.filter(name="example.net").update(active=False)
    held = counted(admin)
    assert held.total == overview_stats.Holdings(
        domain=0,
        mailboxes=4,
        octets=285 * MB - 1,
        allotted_octets=300 * MB,
        unlimited=1,
        near=2,
        full=1,
        messages=9,
        never=3,
        shut=1,
        closed=0,
    )
    assert held.suspended == 2


def test_a_quota_of_messages_counts_as_one_of_octets_does():
    """In the figure as in the list; to the octet and the message."""
    admin = an_admin()
    sizes = {"10": (10, 0, 10), "9": (9, 0, 10), "8": (8, 0, 10), "150": (0, 150, None), "149": (0, 149, None)}
    for name, (messages, octets, most) in sizes.items():
        mailbox = fill(f"{name}@example.org", octets, 150 if octets else None, messages)
        Mailbox.objects.filter(pk=mailbox.pk).update(quota_messages=most)
    fill("free@example.org", MB, None)
    total = counted(admin).total
    assert (total.near, total.full, total.unlimited) == (4, 2, 1)
    client = signed_in("root")
    for usage, figure in (("90", total.near), ("100", total.full), ("free", total.unlimited)):
        assert client.get(f"/mailboxes/?usage={usage}").context["count"].rows == figure


@pytest.fixture
def quiet() -> User:
    """A hosting admin of a mailbox of 1 MB that nobody has changed for a while."""
    admin = an_admin()
    fill(ANN, MB, None)
    AuditEntry.objects.update(at=timezone.now() - datetime.timedelta(minutes=5))
    return admin


def test_a_large_site_is_counted_once_a_minute(quiet: User):
    first = counted(quiet, kept_from=1)
    Mailbox.objects.update(octets=2 * MB)  # as mail does
    assert counted(quiet, kept_from=1) == first
    HoldingsCache.objects.update(counted_at=timezone.now() - datetime.timedelta(seconds=61))
    assert counted(quiet, kept_from=1).total.octets == 2 * MB


def test_what_somebody_changed_is_counted_at_once(quiet: User):
    counted(quiet, kept_from=1)
    User.objects.filter(address=ANN).update(is_active=False)
    AuditEntry.objects.create(actor_name="root", via="web", verb="mailbox.change", subject=ANN)
    assert counted(quiet, kept_from=1).suspended == 1


def test_a_change_that_was_under_way_while_it_was_counted_is_seen(quiet: User):
    at = counted(quiet, kept_from=1).at
    AuditEntry.objects.update(at=at - datetime.timedelta(seconds=2))  # began before, ended behind
    Mailbox.objects.update(octets=2 * MB)
    assert counted(quiet, kept_from=1).total.octets == 2 * MB


def test_what_another_version_counted_is_counted_again(quiet: User):
    first = counted(quiet, kept_from=1)
    HoldingsCache.objects.update(figures={"columns": ["mailboxes"], "total": [7]})
    assert counted(quiet, kept_from=1).total == first.total


def test_a_small_site_is_counted_each_time(quiet: User):
    counted(quiet, kept_from=2)
    Mailbox.objects.update(octets=2 * MB)
    assert counted(quiet, kept_from=2).total.octets == 2 * MB


def test_nobody_else_is_shown_what_was_counted_of_the_site(quiet: User):
    counted(quiet, kept_from=1)
    fill("bob@other.example", 5 * MB, None)
    carla = grants.ensure("carla", ["other.example"], actor=ACTOR, password=PASSWORD).row
    assert counted(carla, kept_from=1).total.octets == 5 * MB


def test_each_link_leads_to_a_page_and_the_figures_to_their_lists():
    an_admin()
    fill("full@example.org", 100 * MB, 100 * MB, messages=3)
    fill("near@example.org", 95 * MB, 100 * MB)
    fill("off@example.org", MB, None)
    User.objects.filter(address="off@example.org").update(is_active=False)
    a_day_of_mail("example.org", ago=0, deliveries=3)
    off = Mailbox.objects.get(user__address="off@example.org")
    for kind, facts in (("previous", {"times": 3}), ("hasty", {"sessions": 300})):
        Finding.objects.create(mailbox=off, kind=kind, since=timezone.now(), facts=facts)
    client = signed_in("root")
    page = client.get("/overview/").content.decode()
    assert 'href="/mailboxes/?usage=90"' in page
    assert client.get("/mailboxes/?usage=90").context["count"].rows == 2
    main = page[page.index("<main") :]
    for link in re.findall(r'href="(/(?:mailboxes|sign-ins|domains|parts)/[^"#]*)', main):
        assert client.get(html.unescape(link)).status_code == 200


def test_an_empty_site_says_what_to_do_next():
    an_admin()
    page = overview()
    assert "No domain yet" in page
    assert "/domains/new/" in page
    a_domain()
    assert "/mailboxes/new/" in overview()


def test_the_days_are_the_sums_of_the_tallies():
    admin = an_admin()
    an_owner()
    an_owner("bob@other.example")
    a_day_of_mail("example.org", ago=0, deliveries=3, sign_ins=2, refused=1)
    a_day_of_mail("other.example", ago=0, deliveries=4, sign_ins=2, refused=1)
    a_day_of_mail("example.org", ago=59, deliveries=5)
    a_day_of_mail("example.org", ago=60, deliveries=9)
    days = daily_traffic.days(admin)
    assert [day.deliveries for day in days] == [5, *[0] * 58, 7]
    assert (days[-1].date, days[-1].sign_ins, days[-1].refused) == (today(), 4, 2)


def test_the_flow_is_compared_with_the_thirty_days_before():
    admin = an_admin()
    an_owner()
    for ago, deliveries, undelivered in ((59, 50, 10), (30, 50, 0), (29, 60, 13), (0, 44, 0)):
        a_day_of_mail("example.org", ago=ago, deliveries=deliveries, sign_ins=1, undelivered=undelivered)
    flows = {flow.name: flow for flow in daily_traffic.flows(daily_traffic.days(admin))}
    assert (flows["deliveries"].total, flows["deliveries"].change) == (104, "4\N{NO-BREAK SPACE}% more")
    assert (flows["undelivered"].change, flows["undelivered"].is_worse) == ("30\N{NO-BREAK SPACE}% more", True)
    assert (flows["sign_ins"].change, flows["sign_ins"].is_worse) == ("as many as before", False)


def test_the_worst_day_says_how_much_of_it_met_a_full_mailbox_and_sign_ins_say_how_many_were_refused():
    an_admin()
    an_owner()
    a_day_of_mail("example.org", ago=3, undelivered=86, undelivered_full=71)
    a_day_of_mail("example.org", ago=0, sign_ins=4, refused=2, undelivered=5)
    page = " ".join(overview().split())
    assert re.search(r"86 on [^<]+, 71 of them full</text>", page)
    assert re.search(r'href="/trace/\?answer=not-delivered">91</a><span>refused or deferred</span>', page)
    assert re.search(r'href="/sign-ins/\?ended=refused&days=30">2 refused</a>', page)


def test_a_site_that_was_not_yet_counted_so_long_ago_compares_nothing():
    admin = an_admin()
    an_owner()
    for ago in (40, 3):
        a_day_of_mail("example.org", ago=ago, deliveries=5)
    assert {flow.change for flow in daily_traffic.flows(daily_traffic.days(admin))} == {""}


def test_where_nothing_flows_the_page_says_so_and_draws_no_chart():
    an_admin()
    an_owner()
    page = overview()
    assert "Nothing is counted yet" in page
    assert 'class="chart' not in page


def test_deliveries_lead_to_the_domains_that_got_most():
    an_admin()
    fill("a@some.example", 0, 20 * MB)
    fill("a@most.example", 0, 10 * MB)
    for name, ago, deliveries in (("some.example", 29, 3), ("some.example", 30, 90), ("most.example", 0, 4)):
        a_day_of_mail(name, ago=ago, deliveries=deliveries)
    client = signed_in("root")
    delivered = client.get("/domains/?sort=-delivered").context["page"].rows
    assert [(row.name, row.delivered) for row in delivered] == [("most.example", 4), ("some.example", 3)]
    assert client.get("/overview/").context["flows"][0].total == 7
    assert 'href="/domains/?sort=-delivered"' in overview()


def test_the_domains_that_grew_most_come_first():
    admin = an_admin()
    a_domain("empty.example")
    fill("a@large.example", 6 * MB, None)
    fill("a@shrunk.example", 2 * MB, None)
    fill("a@grown.example", MB, 10 * MB)
    fill("a@new.example", 2 * MB, 10 * MB)
    Domain.objects.exclude(name="new.example").update(created_at=timezone.now() - datetime.timedelta(days=90))
    for name, ago, stored in (
        ("grown.example", 40, 900), ("grown.example", 29, MB - 7), ("grown.example", 3, MB - 1),
        ("shrunk.example", 10, 3 * MB),
    ):  # fmt: skip
        a_day_of_mail(name, ago=ago, stored_octets=stored)
    assert [(each.name, each.octets) for each in counted(admin).grown] == [
        ("new.example", 2 * MB), ("grown.example", 7), ("large.example", 0), ("shrunk.example", -MB)
    ]  # fmt: skip
    page = overview()
    assert "Domains that grew" in page
    assert "+2 MB" in page
    assert "−1 MB" in page


def test_where_no_domain_grew_those_that_store_most_are_shown():
    an_admin()
    fill("a@large.example", 6 * MB, None)
    Domain.objects.update(created_at=timezone.now() - datetime.timedelta(days=90))
    assert "Domains that store most" in overview()


@pytest.mark.parametrize("mailboxes", [1, 30])
def test_the_page_costs_the_same_statements_however_many_mailboxes(django_assert_num_queries, mailboxes):
    an_admin()
    client = signed_in("root")
    for number in range(mailboxes):
        fill(f"box{number}@d{number % 15}.example", number * MB, 40 * MB)
    # the session, the user, the figures of the menu; mailboxes by domain, domains, caps,
    # suspended mailboxes; mail that does not go on; the days, the mark of the tallies; what the
    # parts did last; one that tries the disk of the database. A large site keeps its count: one more. Each kind of
    # fault that the figures tell of: one more.
    with django_assert_num_queries(12):
        assert client.get("/overview/").status_code == 200


def test_a_domain_admin_has_the_figures_of_his_domains_and_no_part_of_the_site():
    fill(ANN, 3 * MB, None)
    fill("bob@other.example", 5 * MB, None)
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    a_day_of_mail("other.example", ago=0, deliveries=70_707)
    page = overview("carla")
    assert "3 MB" in page
    assert "other.example" not in page
    assert "70,707" not in page
    assert "Parts of the site" not in page
    assert "/domains/new/" not in page


def test_an_owner_cannot_tell_that_the_page_exists():
    an_owner()
    client = signed_in(ANN)
    assert client.get("/overview/").status_code == 404
    assert client.get("/sign-ins/").status_code == 404
    assert "/overview/" not in client.get("/mailbox/").content.decode()


def test_the_figures_of_an_owner_are_empty_even_if_asked_for():
    owner = an_owner().user
    held = counted(owner)
    assert (held.total.mailboxes, held.suspended, held.grown) == (0, 0, [])
    assert sum(day.deliveries for day in daily_traffic.days(owner)) == 0


def test_a_suspended_domain_takes_no_mail_and_a_suspended_user_does():
    admin = an_admin()
    fill("full@example.org", MB, MB)
    fill("shut@example.org", 1, MB)
    Mailbox.objects.filter(user__address="shut@example.org").update(receives=False)
    fill("off@example.org", 1, MB)
    User.objects.filter(address="off@example.org").update(is_active=False)
    fill("away@example.net", 1, MB)
    Domain.objects.filter(name="example.net").update(active=False)
    held = counted(admin)
    assert (held.receiving, held.suspended) == (1, 2)
    assert "1 mailbox receives mail." in overview()
    assert "1 receives nothing." in overview()
    assert "2 are suspended." in overview()


def test_the_flow_says_up_to_when_sign_ins_are_counted():
    an_admin()
    now = timezone.now()
    TallyMark.objects.create(pk=1, counted_at=now, hours_until=now.replace(minute=0, second=0, microsecond=0))
    assert re.search(
        r"counted <time[^>]*>just now</time>\s*,\s+refusals and sign-ins up to <time[^>]*>\d\d:00</time>", overview()
    )
