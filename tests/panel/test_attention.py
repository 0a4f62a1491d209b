"""What needs attention: each kind of fault with its consequence, since when, and the page that mends it."""

from __future__ import annotations

import datetime
import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mailstore import bodies
from mailstore.directory import aliases, domains, grants
from mailstore.keypair import Fault, Kind
from mailstore.models import (
    Alias,
    AuditEntry,
    Body,
    Domain,
    Finding,
    Heartbeat,
    Job,
    ListenerCertificates,
    Mailbox,
    MailboxImport,
    RefusedName,
    SweepPass,
    Tally,
    User,
)
from mailstore.served_certificate import ServedCertificate
from popadmin.web.formats import short_date
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox, a_message

pytestmark = pytest.mark.django_db
MB = 2**20


@pytest.fixture(autouse=True)
def site(settings: Any, tmp_path: Any) -> None:
    """A site without a fault: its parts are at work, and its disk takes mail."""
    now = timezone.now()
    for part in ("pop3", "lmtp", "sweep"):
        Heartbeat.objects.create(part=part, seen_at=now)
    SweepPass.objects.create(started_at=now, ended_at=now)
    settings.MAIL_STORE_URL = f"file:{tmp_path}/mail"
    bodies.from_url(settings.MAIL_STORE_URL).prepare()


def fill(address: str, octets: int, quota_octets: int | None, **fields: Any) -> Mailbox:
    mailbox = an_owner(address)
    Mailbox.objects.filter(pk=mailbox.pk).update(octets=octets, quota_octets=quota_octets, messages=1, **fields)
    return mailbox


def page_of(client: Client, query: str = "") -> str:
    return html.unescape(client.get(f"/overview/{query}").content.decode()).replace("\xa0", " ")


def heading(page: str) -> str:
    return text(re.search(r"<h1[^>]*>(.*?)</h1>", page, re.S)[1])


def text(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", markup).split()).replace(" .", ".")


def rows(page: str) -> list[str]:
    return [text(row) for row in re.findall(r"<li>\s*<svg.*?</li>", page, re.S) if "btn-quiet" in row]


def menu_count(page: str) -> int:
    """Return the number of faults that the menu of a page tells of."""
    found = re.search(r'alert-count">([\d,]+)<', page)
    return int(found[1].replace(",", "")) if found else 0


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


def test_a_site_without_faults_says_that_all_mail_flows(root: Client):
    fill(ANN, MB, None)
    page = page_of(root)
    assert heading(page) == "All mail flows"
    assert rows(page) == []
    assert "all 17 checks are quiet" in page
    assert menu_count(page) == 0


def test_a_site_without_mailboxes_is_ready(root: Client):
    assert heading(page_of(root)) == "All is ready"


def test_a_full_mailbox_is_named_with_what_follows_and_since_when(root: Client):
    now = timezone.now()
    mailbox = fill("full@example.org", 3 * MB, 2 * MB, warned_percent=100, warned_at=now - datetime.timedelta(days=400))
    page = page_of(root)
    assert heading(page) == "1 mailbox is refusing mail"
    (row,) = rows(page)
    assert row.startswith("full@example.org refuses mail: full 3")
    assert "Senders are asked to try again later." in row
    assert "since" in row
    assert f'href="/mailboxes/{mailbox.pk}/"' in page


def test_names_are_shown_in_their_own_script(root: Client):
    fill("zoé@bücher.example", 2 * MB, MB)
    Domain.objects.update(quota_octets=MB)
    assert heading(page_of(root)) == "bücher.example refuses mail: its quota is full"
    assert "zoé@bücher.example refuses mail: full" in rows(page_of(root))[1]


def test_nobody_guesses_since_when_a_mailbox_is_full(root: Client):
    fill("full@example.org", 3 * MB, 2 * MB, warned_percent=95, warned_at=timezone.now())
    (row,) = rows(page_of(root))
    assert "since" not in row


def test_a_lowered_quota_and_a_domain_that_rejects_are_told(root: Client):
    fill("full@example.org", 3 * MB, 2 * MB, quota_lowered_at=timezone.now())
    Domain.objects.update(over_quota="reject")
    (row,) = rows(page_of(root))
    assert "Quota lowered at" in row
    assert row.count("Senders are told that it is full.") == 1


@pytest.mark.parametrize(
    ("lowered", "warned", "since"),
    [(1, None, 1), (61, 60, 61), (600, None, None), (600, 60, 60), (60, 120, 120)],
    ids=["not yet noticed", "noticed at once", "filled later, not noticed", "filled later", "full before"],
)
def test_it_is_full_since_its_quota_was_lowered_if_that_made_it_full(
    root: Client, lowered: int, warned: int | None, since: int | None
):
    now = timezone.now()
    ago = {minutes: now - datetime.timedelta(minutes=minutes) for minutes in (1, 60, 61, 120, 600)}
    fields = {} if warned is None else {"warned_percent": 100, "warned_at": ago[warned]}
    fill("full@example.org", 3 * MB, 2 * MB, quota_lowered_at=ago[lowered], **fields)
    (row,) = re.findall(r"since <time[^>]*>", page_of(root)) or [""]
    assert (f'datetime="{ago[since].isoformat()[:16]}' in row.replace("Z", "+00:00")) if since else not row


def test_a_quota_of_messages_is_told_in_messages(root: Client):
    mailbox = fill("full@example.org", 3, None)
    Mailbox.objects.filter(pk=mailbox.pk).update(messages=1200, quota_messages=1000)
    (row,) = rows(page_of(root))
    assert "1,200 of 1,000 messages." in row


def test_of_many_full_mailboxes_the_first_are_named_and_all_are_counted(root: Client):
    for number in range(14):
        fill(f"box{number}@example.org", 2 * MB, MB)
    page = page_of(root)
    assert heading(page) == "14 mailboxes are refusing mail"
    assert len(rows(page)) == 5
    assert "10 more mailboxes are full" in rows(page)[-1]
    assert 'href="/mailboxes/?usage=100"' in page
    assert "more things need attention" not in page
    assert menu_count(page) == 14


def test_nearly_full_mailboxes_are_one_row(root: Client):
    for number in range(3):
        fill(f"box{number}@example.org", 95 * MB, 100 * MB)
    page = page_of(root)
    assert heading(page) == "3 mailboxes are nearly full"
    assert 'href="/mailboxes/?usage=90"' in page
    assert menu_count(page) == 1


def test_worse_comes_first_and_the_others_are_counted(root: Client):
    fill("full@example.org", 2 * MB, MB)
    fill("near@example.org", 95 * MB, 100 * MB)
    Heartbeat.objects.filter(part="lmtp").update(seen_at=timezone.now() - datetime.timedelta(minutes=5))
    page = page_of(root)
    assert heading(page) == "LMTP is silent"
    assert [row.partition(" ")[0] for row in rows(page)] == ["LMTP", "full@example.org", "1"]
    assert "2 more things need attention." in text(page)


def test_a_log_of_the_mta_that_nobody_reads_is_told_and_stops_no_site(root: Client, settings: Any):
    settings.MTA_LOG = "journal"
    fill(ANN, 1, None)
    (row,) = rows(page_of(root))
    assert row.startswith("Log of the mail server is silent The trace lacks what the mail server rejects or holds.")
    assert "mta-log" not in root.get("/readyz").content.decode()


def test_a_sweep_that_is_late_is_told(root: Client):
    fill(ANN, 1, None)
    long_ago = timezone.now() - datetime.timedelta(days=3)
    Heartbeat.objects.filter(part="sweep").delete()
    SweepPass.objects.update(ended_at=long_ago)
    (row,) = rows(page_of(root))
    assert row.startswith("The sweep does not run No mail expires")
    SweepPass.objects.all().delete()
    assert heading(page_of(root)) == "The sweep has never run"


def test_programs_with_an_old_password_are_counted_by_mailbox(root: Client):
    for number, times in ((1, 1000), (2, 234)):
        mailbox = fill(f"box{number}@example.org", 1, None)
        Finding.objects.create(mailbox=mailbox, kind="previous", since=timezone.now(), facts={"times": times})
    page = page_of(root)
    (row,) = rows(page)
    assert row.startswith("Programs of 2 mailboxes still try an old password")
    assert "1,234 sign-ins were refused within 2 days." in row
    assert 'href="/mailboxes/?finding=previous"' in page


def test_each_kind_of_finding_has_a_row_that_leads_to_the_mailbox(root: Client):
    mailbox = fill(ANN, 1, None)
    for kind in Finding.Kind.values:
        Finding.objects.create(mailbox=mailbox, kind=kind, since=timezone.now())
    page = page_of(root)
    assert len(rows(page)) == len(Finding.Kind)
    assert page.count(f'href="/mailboxes/{mailbox.pk}/">Show mailbox<') == len(Finding.Kind)
    assert menu_count(page) == len(Finding.Kind)


def test_a_domain_that_has_used_its_quota_is_worse_than_one_that_is_near(root: Client):
    for name, octets in (("full.example", 100 * MB), ("near.example", 90 * MB), ("roomy.example", 89 * MB)):
        fill(f"a@{name}", octets, None)
        Domain.objects.filter(name=name).update(quota_octets=100 * MB)
    page = page_of(root)
    assert heading(page) == "full.example refuses mail: its quota is full"
    assert [row.partition(" ")[0] for row in rows(page)] == ["full.example", "near.example"]
    assert f'href="/domains/{Domain.objects.get(name="near.example").pk}/"' in page


def stored_on(domain: Domain, octets: Sequence[int]) -> None:
    """Let the sweep have noted what the domain stored on the last days, today last."""
    today = timezone.now().date()
    Tally.objects.bulk_create(
        Tally(domain=domain, day=today - datetime.timedelta(days=ago), stored_octets=each)
        for ago, each in enumerate(reversed(octets))
    )


@pytest.mark.parametrize(
    ("stored", "days_ago"),
    [([50, 100, 100], 1), ([50, 100, 90, 100], 0), ([50, 60], 0), ([100, 100], None), ([], None)],
)
def test_a_full_domain_says_since_which_day_if_that_was_noted(root: Client, stored: list[int], days_ago: int | None):
    fill("a@full.example", 100 * MB, None)
    domains.ensure("full.example", actor=ACTOR, quota_octets=100 * MB)
    AuditEntry.objects.all().delete()
    stored_on(Domain.objects.get(), [each * MB for each in stored])
    (row,) = rows(page_of(root))
    day = timezone.now().date() - datetime.timedelta(days=days_ago or 0)
    assert ("since " + short_date(day).replace("\xa0", " ") in row) is (days_ago is not None)
    assert ("since" in row) is (days_ago is not None)


def test_each_day_is_judged_by_the_quota_that_it_had(root: Client):
    """A domain whose quota was lowered today, and was full before, is full for as long as it was."""
    fill("a@full.example", 100 * MB, None)
    stored_on(domains.ensure("full.example", actor=ACTOR, quota_octets=100 * MB).row, [50 * MB, 100 * MB, 100 * MB])
    AuditEntry.objects.all().delete()
    domains.ensure("full.example", actor=ACTOR, quota_octets=40 * MB)
    yesterday = timezone.now().date() - datetime.timedelta(days=1)
    assert "since " + short_date(yesterday).replace("\xa0", " ") in rows(page_of(root))[0]


def test_domains_near_other_limits_share_a_row(root: Client):
    fill("a@one.example", 1, 50 * MB)
    fill("a@two.example", 1, None)
    Domain.objects.filter(name="one.example").update(allotment_octets=55 * MB)
    Domain.objects.filter(name="two.example").update(mailbox_limit=1)
    (row,) = rows(page_of(root))
    assert row.startswith("2 domains are near a limit two.example: 1 of 1 mailbox. one.example: 5")
    Domain.objects.filter(name="one.example").update(allotment_octets=None)
    assert heading(page_of(root)) == "two.example has reached a limit"


def test_damaged_mail_leads_to_the_page_of_the_parts(root: Client):
    message = a_message(a_mailbox())
    Body.objects.filter(pk=message.body_id).update(damaged_at=timezone.now())
    page = page_of(root)
    assert heading(page) == "1 stored message is damaged"
    assert 'href="/parts/#stored-mail"' in page


def test_a_certificate_that_ends_soon_or_does_not_fit_is_told(root: Client, settings, tmp_path, pair_ending_in):
    fill(ANN, 1, None)
    settings.TLS_SNI_DIR = tmp_path / "names"
    settings.TLS_SNI_DIR.mkdir()
    pair_ending_in(settings.TLS_SNI_DIR / "long.example", days=60)
    assert heading(page_of(root)) == "All mail flows"
    pair_ending_in(settings.TLS_SNI_DIR / "short.example", days=3)
    pair_ending_in(settings.TLS_SNI_DIR / "ended.example", days=-3)
    pair_ending_in(settings.TLS_SNI_DIR / "pop.example", days=60, host="other.example")
    page = page_of(root)
    assert heading(page).startswith("The certificate of ended.example ended on")
    assert [row.split()[3] for row in rows(page)] == ["ended.example", "short.example", "pop.example"]
    assert "in 2 days" in rows(page)[1]
    assert "From then on programs refuse to connect." in rows(page)[1]
    assert "&lt;" not in root.get("/overview/").content.decode()
    assert "It is for other.example." in rows(page)[2]
    assert 'href="/parts/#certificates"' in page


def test_many_wrong_certificates_share_a_row(root: Client, settings, tmp_path, pair_ending_in):
    settings.TLS_SNI_DIR = tmp_path / "names"
    settings.TLS_SNI_DIR.mkdir()
    for number in range(8):
        pair_ending_in(settings.TLS_SNI_DIR / f"n{number}.example", days=3)
    page = page_of(root)
    assert len(rows(page)) == 5
    assert rows(page)[-1].startswith("4 more certificates are wrong")
    assert menu_count(page) == 8


def served(*certificates: ServedCertificate, seen_minutes_ago: int = 0) -> None:
    """Let a listener have said that it serves these."""
    ListenerCertificates.objects.create(
        listener="pop.example",
        seen_at=timezone.now() - datetime.timedelta(minutes=seen_minutes_ago),
        certificates=[each.to_json() for each in certificates],
    )


def ending_in(days: int, **fields: Any) -> ServedCertificate:
    at = timezone.now() + datetime.timedelta(days=days, hours=1)
    return ServedCertificate(**{"name": "pop.example", "ends_at": at, "hosts": ("pop.example",), **fields})


def test_the_certificate_that_is_served_counts_and_not_the_file(root: Client, settings, tmp_path, pair_ending_in):
    """The harm: the file was renewed, so the page was content, and clients got the old one until it ended."""
    fill(ANN, 1, None)
    settings.TLS_SNI_DIR = tmp_path / "names"
    settings.TLS_SNI_DIR.mkdir()
    pair_ending_in(settings.TLS_SNI_DIR / "pop.example", days=60)
    served(ending_in(5))
    assert heading(page_of(root)).startswith("The certificate of pop.example ends on")
    ListenerCertificates.objects.update(seen_at=timezone.now() - datetime.timedelta(minutes=3))
    assert heading(page_of(root)) == "All mail flows"  # nobody serves anything: the file says what will be served


def test_a_renewal_that_cannot_be_used_is_told_and_the_old_certificate_is_no_fault_yet(root: Client):
    fill(ANN, 1, None)
    fault = Fault(Kind.MISMATCH, Path("/tls/key.pem"))
    served(ending_in(60), ending_in(60, name="bad.example", hosts=("bad.example",), fault=fault))
    page = page_of(root)
    (row,) = rows(page)
    assert row.startswith("The renewed certificate of bad.example cannot be used /tls/key.pem is the key of another")
    assert "Until the file is repaired, POP3 serves the old certificate, which ends on" in row
    assert menu_count(page) == 1
    ListenerCertificates.objects.all().delete()
    served(ending_in(-1, fault=fault))
    assert heading(page_of(root)).startswith("The certificate of pop.example ended on")
    ListenerCertificates.objects.all().delete()
    served(ServedCertificate("new.example", fault=fault))
    assert heading(page_of(root)) == "The certificate of new.example cannot be used"


def a_crowd(network: str, *, days: int = 3, hours_ago: float = 1) -> None:
    at = timezone.now() - datetime.timedelta(hours=hours_ago)
    RefusedName.objects.create(
        reason="connections", network=network, protocol="pop3", tries=9, days=days, first_at=at, last_at=at
    )


def test_connections_that_are_refused_day_after_day_are_told_by_network(root: Client):
    fill(ANN, 1, None)
    a_crowd("192.0.2.0/24", days=2)
    a_crowd("198.51.100.0/24", hours_ago=25)
    a_crowd("")
    assert heading(page_of(root)) == "All mail flows"
    a_crowd("203.0.113.0/24")
    page = page_of(root)
    assert heading(page) == "Connections from 203.0.113.0/24 are refused every day"
    assert 'href="/sign-ins/names/?kind=limits"' in page
    assert "since" in rows(page)[0]
    a_crowd("192.0.3.0/24", days=40)
    assert heading(page_of(root)) == "Connections from 2 networks are refused every day"


def test_a_port_for_old_tls_is_told_as_long_as_it_is_open(root: Client, settings):
    fill(ANN, 1, None)
    settings.POP3S_LEGACY_LISTEN = ("0.0.0.0:1996",)
    page = page_of(root)
    assert heading(page) == "A port is open for TLS 1.0 and 1.1"
    assert "POP3S_LEGACY_LISTEN is 0.0.0.0:1996." in rows(page)[0]
    assert menu_count(root.get("/audit/").content.decode()) == 1


def test_a_disk_that_takes_no_mail_is_the_worst(root: Client, settings, tmp_path):
    fill("full@example.org", 2 * MB, MB)
    settings.MAIL_STORE_URL = f"file:{tmp_path}/nowhere"
    page = page_of(root)
    assert heading(page) == "Disk of the mail: cannot be written"
    assert 'href="/parts/#disks"' in page


def test_imports_and_operations_that_were_left_wait_for_who_began_them(root: Client):
    admin = User.objects.get(address="root")
    upload = MailboxImport.objects.create(owner=admin, file_name="staff.csv", header=["a"], stage="checked")
    job = Job.objects.create(owner=admin, list_name="mailboxes", act="suspend")
    other = an_admin("other")
    assert rows(page_of(root)) == []  # they may still be in somebody's hands
    an_hour_ago = timezone.now() - datetime.timedelta(hours=1)
    MailboxImport.objects.update(created_at=an_hour_ago)
    Job.objects.update(created_at=an_hour_ago)
    page = page_of(root)
    assert [row.partition(".")[0] for row in rows(page)] == [
        "The import of staff",
        "An operation on many rows is not finished Some rows are done",
    ]
    assert f'href="/mailboxes/import/{upload.pk}/"' in page
    assert f'href="/mailboxes/results/{job.pk}/"' in page
    assert rows(page_of(signed_in(other.address))) == []


def test_the_rows_behind_the_tenth_are_shown_when_asked_for(root: Client):
    for number in range(6):
        fill(f"box{number}@example.org", 2 * MB, MB)
    fill("near@example.org", 95 * MB, 100 * MB)
    for kind in Finding.Kind.values:
        Finding.objects.create(mailbox=Mailbox.objects.latest("pk"), kind=kind, since=timezone.now())
    number = 6 + len(Finding.Kind)
    page = page_of(root)
    assert len(rows(page)) == 10
    assert f"Show {number - 10} more" in page
    assert len(rows(page_of(root, "?all=1"))) == number


def test_a_domain_admin_sees_the_faults_of_their_domains_only():
    fill("full@mine.example", 2 * MB, MB)
    other = fill("full@other.example", 2 * MB, MB)
    Finding.objects.create(mailbox=other, kind="hasty", since=timezone.now())
    Domain.objects.filter(name="other.example").update(quota_octets=MB)
    Heartbeat.objects.all().delete()
    grants.ensure("carla", ["mine.example"], actor=ACTOR, password=PASSWORD)
    client = signed_in("carla")
    page = page_of(client)
    assert heading(page) == "1 mailbox is refusing mail"
    assert len(rows(page)) == 1
    assert menu_count(page) == 1
    assert menu_count(client.get("/mailboxes/").content.decode()) == 1


@pytest.mark.parametrize("name", ["root", "carla"])
def test_every_other_page_counts_the_same_faults(root: Client, settings, tmp_path, pair_ending_in, name):
    """The menu counts in one statement what the overview finds with many."""
    settings.TLS_SNI_DIR = tmp_path / "names"
    settings.TLS_SNI_DIR.mkdir()
    pair_ending_in(settings.TLS_SNI_DIR / "ended.example", days=-1)
    a_domain()
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    for number in range(7):
        fill(f"full{number}@example.org", 2 * MB, MB)
    near = fill("near@example.org", 95 * MB, 100 * MB)
    for kind in ("previous", "shared"):
        Finding.objects.create(mailbox=near, kind=kind, since=timezone.now())
    Domain.objects.filter(name="example.org").update(quota_octets=MB, mailbox_limit=8, alias_limit=5)
    a_domain("empty.example", mailbox_limit=5)
    message = a_message(a_mailbox("x@example.net"))
    Body.objects.filter(pk=message.body_id).update(damaged_at=timezone.now())
    Domain.objects.filter(name="example.net").update(quota_octets=109)
    Heartbeat.objects.filter(part="pop3").delete()
    settings.POP3S_LEGACY_LISTEN = ("0.0.0.0:1996",)
    for network in ("192.0.2.0/24", "198.51.100.0/24"):
        a_crowd(network)
    an_hour_ago = timezone.now() - datetime.timedelta(hours=1)
    Job.objects.create(owner=User.objects.get(address=name), list_name="mailboxes", act="suspend")
    Job.objects.update(created_at=an_hour_ago)
    client = signed_in(name)
    found = client.get("/overview/").context["ledger"].fault_count
    assert found == {"root": 7 + 1 + 2 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1, "carla": 7 + 1 + 2 + 1 + 1 + 1}[name]
    assert menu_count(client.get("/audit/").content.decode()) == found


def test_of_many_addresses_whose_mail_does_not_go_on_the_first_are_named_and_all_are_counted():
    an_admin()
    a_domain()
    for number in range(7):
        aliases.ensure(f"a{number}@example.org", ["x@elsewhere.example"], actor=ACTOR)
    Alias.objects.update(unexpanded_at=timezone.now())
    page = page_of(signed_in("root"), "?all=1")
    assert page.count("<strong>Mail for a") == 4
    assert "Mail for 3 more addresses does not go on" in page
    assert signed_in("root").get("/overview/").context["ledger"].fault_count == 7
