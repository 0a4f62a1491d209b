"""The overview: totals, activity and problems; each number links to its list."""

from __future__ import annotations

import datetime
import html
import re

import pytest
from django.utils import timezone

from mailstore import bodies
from mailstore.directory import grants
from mailstore.models import AuditEntry, Domain, Finding, Heartbeat, HoldingsCache, Mailbox, SweepPass, Tally, User
from popadmin.panel import overview_stats
from popadmin.web import site_parts
from popadmin.web.certificates import certificates
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


def counted(user: User, **options: int) -> overview_stats.Totals:
    _number, suspended_domains = overview_stats.domains(user)
    return overview_stats.totals(user, suspended_domains, **options)


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


def test_each_figure_leads_to_the_list_behind_it():
    an_admin()
    fill("full@example.org", 100 * MB, 100 * MB, messages=3)
    fill("off@example.org", MB, None)
    User.objects.filter(address="off@example.org").update(is_active=False)
    off = Mailbox.objects.get(user__address="off@example.org")
    for kind in ("previous", "hasty"):
        Finding.objects.create(mailbox=off, kind=kind, since=timezone.now())
    client = signed_in("root")
    page = client.get("/overview/").content.decode()
    for query, found in (
        ("usage=90", 1),
        ("usage=100", 1),
        ("usage=free", 1),
        ("state=suspended", 1),
        ("seen=never", 2),
        ("finding=any", 1),
    ):
        assert f'href="/mailboxes/?{query}"' in page
        assert client.get(f"/mailboxes/?{query}").context["count"].rows == found
    for order in ("-delivered", "-allotted"):
        assert f'href="/domains/?sort={order}"' in page
    for link in re.findall(r'href="(/(?:mailboxes|sign-ins|domains)/[^"]*)"', page):
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
    today = timezone.now().astimezone(datetime.UTC).date()
    for name, ago, deliveries in (
        ("example.org", 0, 3),
        ("other.example", 0, 4),
        ("example.org", 29, 5),
        ("example.org", 30, 9),
    ):
        Tally.objects.create(
            domain=Domain.objects.get(name=name),
            day=today - datetime.timedelta(days=ago),
            deliveries=deliveries,
            sign_ins=2,
            refused=1,
        )
    days = overview_stats.days(admin)
    assert [day.deliveries for day in days] == [5, *[0] * 28, 7]
    assert (days[-1].date, days[-1].sign_ins, days[-1].refused) == (today, 4, 2)


def test_deliveries_and_what_is_allotted_lead_to_the_domains_that_have_most():
    an_admin()
    fill("a@some.example", 0, 20 * MB)
    fill("a@most.example", 0, 10 * MB)
    today = timezone.now().astimezone(datetime.UTC).date()
    for name, ago, deliveries in (("some.example", 29, 3), ("some.example", 30, 90), ("most.example", 0, 4)):
        day = today - datetime.timedelta(days=ago)
        Tally.objects.create(domain=Domain.objects.get(name=name), day=day, deliveries=deliveries)
    client = signed_in("root")
    delivered = client.get("/domains/?sort=-delivered").context["page"].rows
    assert [(row.name, row.delivered) for row in delivered] == [("most.example", 4), ("some.example", 3)]
    assert client.get("/overview/").context["delivered"] == 7
    allotted = client.get("/domains/?sort=-allotted").context["page"].rows
    assert [row.name for row in allotted] == ["some.example", "most.example"]


def test_all_certificates_are_behind_those_of_the_overview(settings, tmp_path, pair_ending_in):
    settings.TLS_SNI_DIR = tmp_path
    for days in range(-1, 20):
        pair_ending_in(tmp_path / f"in{days}.example", days=days)
    an_admin()
    assert "in19.example" not in overview()
    assert 'href="/parts/"' in overview()
    page = html.unescape(signed_in("root").get("/parts/").content.decode())
    assert "in19.example" in page
    assert (
        page.index("in-1.example") < page.index("not valid: replace it") < page.index("renew it") < page.index("valid<")
    )


def test_a_domain_admin_has_no_page_of_the_parts():
    a_domain()
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    assert signed_in("carla").get("/parts/").status_code == 404


def test_the_domains_that_store_most_come_first():
    admin = an_admin()
    a_domain("empty.example")
    fill("a@small.example", MB, 10 * MB)
    fill("a@large.example", 3 * MB, None)
    fill("b@large.example", 3 * MB, 20 * MB)
    largest = overview_stats.largest(admin, counted(admin).largest)
    found = [(row.name, held.mailboxes, held.octets, held.allotted_octets) for row, held in largest]
    assert found == [("large.example", 2, 6 * MB, 20 * MB), ("small.example", 1, MB, 10 * MB)]


def test_a_part_that_is_silent_is_told():
    an_admin()
    now = timezone.now()
    Heartbeat.objects.create(part="pop3", seen_at=now)
    Heartbeat.objects.create(part="lmtp", seen_at=now - datetime.timedelta(minutes=5))
    assert [(str(part.label), part.good) for part in site_parts.parts()] == [
        ("POP3", True),
        ("LMTP", False),
        ("Sweep", False),
    ]
    SweepPass.objects.create(started_at=now, ended_at=now)
    assert site_parts.parts()[-1].good
    assert overview().count("not running") == 1


@pytest.mark.parametrize(
    ("beat", "swept", "good"),
    [(0, None, True), (0, 3, True), (5, 3, False), (5, None, False), (0, 27 * 60, False), (None, 27 * 60, False)],
)
def test_a_sweep_is_at_work_when_it_beats_and_its_last_pass_was_lately(beat, swept, good):
    now, minute = timezone.now(), datetime.timedelta(minutes=1)
    if beat is not None:
        Heartbeat.objects.create(part="sweep", seen_at=now - beat * minute)
    if swept is not None:
        SweepPass.objects.create(started_at=now - swept * minute, ended_at=now - swept * minute)
    assert site_parts.parts()[-1].good is good


def test_the_disks_are_told_and_the_overview_names_only_one_that_is_in_trouble(settings, tmp_path):
    an_admin()
    settings.MAIL_STORE_URL = f"file:{tmp_path}/mail"
    page = html.unescape(signed_in("root").get("/parts/").content.decode())
    assert f"{tmp_path}/mail" in page
    assert page.index("Disk of the database") < page.index("enough space") < page.index("cannot be written")
    assert "Disk of the mail" in overview()
    assert "Disk of the database" not in overview()
    bodies.from_url(settings.MAIL_STORE_URL).prepare()
    assert "Disk of the mail" not in overview()


def test_certificates_are_told_with_their_end(settings, tmp_path, pair_ending_in):
    settings.TLS_SNI_DIR = tmp_path
    pair_ending_in(tmp_path / "long.example", days=60)
    pair_ending_in(tmp_path / "short.example", days=3)
    (tmp_path / "broken.example").mkdir()
    (tmp_path / "broken.example" / "fullchain.pem").write_text("nothing")
    found = [(one.name, one.good) for one in certificates()]
    assert found == [("broken.example", False), ("short.example", False), ("long.example", True)]
    an_admin()
    page = overview()
    assert "Certificate of short.example" in page
    assert "cannot be read" in page


def test_the_page_of_the_parts_says_why_a_pair_by_name_is_left_out(settings, tmp_path, pair_ending_in):
    settings.TLS_SNI_DIR = tmp_path
    for name in ("good.example", "other.example", "keyless.example"):
        pair_ending_in(tmp_path / name, days=60)
    (tmp_path / "keyless.example" / "privkey.pem").unlink()
    (tmp_path / "other.example" / "privkey.pem").write_bytes((tmp_path / "good.example" / "privkey.pem").read_bytes())
    an_admin()
    page = signed_in("root").get("/parts/").content.decode()
    assert f"{tmp_path}/keyless.example/privkey.pem is missing" in page
    assert f"{tmp_path}/other.example/privkey.pem is the key of another certificate" in page
    assert "good.example/" not in page
    assert [one.name for one in certificates() if one.good] == ["good.example"]


@pytest.fixture
def pair_ending_in():
    """Writes a certificate as a folder of TLS_SNI_DIR has it."""
    import trustme

    def write(folder, *, days: int) -> None:
        folder.mkdir()
        until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
        pair = trustme.CA().issue_cert(folder.name, not_after=until)
        (folder / "fullchain.pem").write_bytes(pair.cert_chain_pems[0].bytes())
        (folder / "privkey.pem").write_bytes(pair.private_key_pem.bytes())

    return write


@pytest.mark.parametrize("mailboxes", [1, 30])
def test_the_page_costs_the_same_statements_however_many_mailboxes(django_assert_num_queries, mailboxes):
    an_admin()
    client = signed_in("root")
    for number in range(mailboxes):
        fill(f"box{number}@d{number % 15}.example", number * MB, 40 * MB)
    # the session, the user; domains, what was kept, mailboxes by domain, suspended ones; the days, findings, the
    # largest by name, the mark of the tallies; heartbeats and the last sweep, damaged bodies; five that try the
    # disk of the database. A large site keeps its count: one more.
    with django_assert_num_queries(17):
        assert client.get("/overview/").status_code == 200


def test_a_domain_admin_has_the_figures_of_his_domains_and_no_part_of_the_site():
    fill(ANN, 3 * MB, None)
    fill("bob@other.example", 5 * MB, None)
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    today = timezone.now().astimezone(datetime.UTC).date()
    Tally.objects.create(domain=Domain.objects.get(name="other.example"), day=today, deliveries=77)
    page = overview("carla")
    assert "3 MB" in page
    assert "other.example" not in page
    assert "77" not in page
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
    assert (held.total.mailboxes, held.suspended, held.largest) == (0, 0, [])
    assert overview_stats.with_findings(owner) == 0
    assert sum(day.deliveries for day in overview_stats.days(owner)) == 0


def test_french_agrees_with_a_mailbox_which_is_feminine_and_a_domain_which_is_not():
    an_admin()
    fill("off@example.net", 1, None)
    Domain.objects.filter(name="example.net").update(active=False)
    User.objects.filter(address="root").update(language="fr")
    assert "Suspendu<" in overview()
    assert "Suspendue<" in html.unescape(signed_in("root").get("/mailboxes/").content.decode())
