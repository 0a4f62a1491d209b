"""The page of the audit: each admin finds and exports the entries that they may see."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import connection
from django.test import Client

from mailstore.directory import (
    admin_suspension,
    aliases,
    domain_removal,
    domains,
    grants,
    mailbox_removal,
    mailboxes,
    policies,
)
from mailstore.directory.audit import Actor
from mailstore.models import AuditEntry, Mailbox
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.preview_token import previewed
from tests.site.rows import ACTOR, PASSWORD, a_domain

pytestmark = pytest.mark.django_db
PAGE = "/audit/"


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


def test_a_change_is_told_with_who_what_and_how(root: Client) -> None:
    an_owner()
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=2**30)
    page = root.get(PAGE).content.decode()
    assert "tester" in page
    assert "changed the mailbox" in page
    assert "quota: no limit → 1\xa0GB" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=ann%40", True),
        ("q=tester", True),
        ("q=TE", True),
        ("q=es", False),
        ("q=zzz", False),
        ("kind=mailbox", True),
        ("kind=policy", False),
        ("via=shell", True),
        ("via=web", False),
        ("since=2000-01-01", True),
        ("until=2000-01-01", False),
        ("since=never", True),
    ],
)
def test_entries_are_found_by_what_who_when_and_how(root: Client, query: str, found: bool) -> None:
    an_owner()
    page = root.get(f"{PAGE}?{query}").content.decode()
    assert (ANN in page.partition("<tbody")[2]) is found


def test_each_category_has_its_own_entries(root: Client) -> None:
    for verb in ("mailbox.create", "mailbox_import.done", "denied"):
        AuditEntry.objects.create(verb=verb, subject=f"subject of {verb}", actor_name="tester", via="shell")
    for kind, verb in (("mailbox", "mailbox.create"), ("mailbox_import", "mailbox_import.done"), ("denied", "denied")):
        rows = root.get(f"{PAGE}?kind={kind}").context["page"].rows
        assert [row.verb for row in rows] == [verb]


def test_older_entries_get_the_verbs_of_today_and_lose_them_on_the_way_back() -> None:
    migration = import_module("mailstore.migrations.0017_audit_verbs").Migration
    old, new = (
        ["mailbox.create", "roster.done", "roster.passwords"],
        ["mailbox.create", "mailbox_import.done", "mailbox_import.passwords"],
    )
    for verb in old:
        AuditEntry.objects.create(verb=verb, subject="people.csv", actor_name="tester", via="web")
    verbs = AuditEntry.objects.order_by("pk").values_list("verb", flat=True)
    for statements, expected in (
        ([operation.sql for operation in migration.operations], new),
        ([operation.reverse_sql for operation in migration.operations], old),
    ):
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        assert [*verbs.all()] == expected


def test_entries_are_found_by_a_name_in_its_own_script(root: Client) -> None:
    domains.ensure("bücher.example", actor=ACTOR)
    assert "xn--bcher-kva.example" in root.get(f"{PAGE}?q=b%C3%BCcher.example").content.decode()


def test_a_domain_admin_sees_what_concerns_his_mailboxes_and_no_other(root: Client) -> None:
    a_domain("other.org")
    his, others = an_owner("chief@example.org"), an_owner("secret@other.org")
    grants.grant("chief@example.org", "example.org", actor=ACTOR)
    page = signed_in("chief@example.org").get(PAGE).content.decode()
    assert his.user.address in page
    assert others.user.address not in page
    assert others.user.address not in signed_in("chief@example.org").get(f"{PAGE}?export=csv").getvalue().decode()


def dora(*names: str) -> str:
    """She administers these, and owns no mailbox."""
    for name in names:
        a_domain(name)
    grants.ensure("dora", names, actor=ACTOR, password=PASSWORD)
    return "dora"


def read_by(login: str) -> str:
    return signed_in(login).get(f"{PAGE}?export=csv").getvalue().decode()


def test_a_domain_admin_sees_what_others_changed_in_his_domain() -> None:
    dora("example.org")
    an_owner()
    host = Actor("root", "web", an_admin())
    domains.ensure("example.org", actor=host, mailbox_limit=7)
    aliases.ensure("info@example.org", [ANN], actor=host)
    aliases.set_catch_all("example.org", [ANN], actor=host)
    aliases.remove("info@example.org", actor=host)
    grants.ensure("helper", ["example.org"], actor=host)
    signed_in(ANN).post("/settings/", {"name": "Ann Other", "language": "en"})
    audit_text = read_by("dora")
    for what in (
        "mailboxes at most",
        "created the alias,info@",
        "removed the alias",
        "@example.org",
        "helper",
        "Ann Other",
    ):
        assert what in audit_text, what


def test_what_names_several_domains_is_told_to_each_without_the_others() -> None:
    an_owner("carl@mine.example")
    a_domain("theirs.example")
    grants.ensure("carl@mine.example", ["mine.example", "theirs.example"], actor=ACTOR)
    dora("mine.example")
    admin_suspension.remove("carl@mine.example", actor=ACTOR)
    audit_text = read_by("dora")
    assert "took the administration of mine.example from,carl@mine.example" in audit_text
    assert "theirs.example" not in audit_text
    grants.ensure("eve", ["theirs.example"], actor=ACTOR, password=PASSWORD)
    audit_text = read_by("eve")
    assert audit_text.count("carl@mine.example") == 2  # granted, withdrawn
    assert "domain: mine.example" not in audit_text
    an_admin()
    assert "mine.example, theirs.example" in read_by("root")


def test_a_mailbox_that_is_destroyed_leaves_its_entries_to_the_admin_of_its_domain() -> None:
    dora("example.org")
    an_owner()
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    mailbox_removal.purge_now(ANN, actor=ACTOR)
    assert "deleted for good the mailbox,ann@example.org" in read_by("dora")


def test_a_domain_of_the_same_name_shows_nothing_of_the_one_before() -> None:
    dora("example.org")
    an_owner()
    domain_removal.remove("example.org", actor=ACTOR, with_mailboxes=True)
    domain_removal.purge_now("example.org", actor=ACTOR)
    a_domain("example.org")
    grants.ensure("eve", ["example.org"], actor=ACTOR, password=PASSWORD)
    audit_text = read_by("eve")
    assert ANN not in audit_text
    assert audit_text.count("created the domain") == 1


def test_an_owner_has_no_such_page() -> None:
    an_owner()
    assert signed_in(ANN).get(PAGE).status_code == 404


def test_the_file_has_every_entry_and_nothing_a_spreadsheet_would_run(root: Client) -> None:
    AuditEntry.objects.create(actor_name="=1+1", via="shell", verb="domain.create", subject="@evil")
    text = root.get(f"{PAGE}?export=csv").getvalue().decode("utf-8-sig")
    assert "'=1+1" in text
    assert "'@evil" in text
    assert "created the domain" in text


def test_a_page_takes_as_many_statements_however_long_the_audit_is(root: Client, django_assert_max_num_queries) -> None:
    for number in range(60):
        domains.ensure(f"d{number}.example.org", actor=ACTOR)
    with django_assert_max_num_queries(12):
        root.get(PAGE)


def test_entries_lead_to_their_subjects_as_far_as_they_still_exist(root: Client) -> None:
    mailbox = an_owner()
    alias = aliases.ensure("info@example.org", [ANN], actor=ACTOR).row
    policy = policies.make("Brief", actor=ACTOR)
    carla = grants.ensure("carla", ["example.org"], actor=ACTOR).row
    gone = an_owner("gone@example.org")
    mailbox_removal.remove("gone@example.org", actor=ACTOR, with_mail=True)
    page = root.get(PAGE).content.decode()
    for path in (
        f"/mailboxes/{mailbox.pk}/",
        f"/domains/{mailbox.domain_id}/",
        f"/aliases/{alias.pk}/",
        f"/policies/{policy.pk}/",
        f"/admins/{carla.pk}/",
    ):
        assert f'href="{path}"' in page, path
    assert f'href="/mailboxes/{gone.pk}/"' not in page
    assert "gone@example.org" in page


def test_entries_lead_to_the_bulk_change_that_they_were_part_of(root: Client) -> None:
    keys = [an_owner().pk]
    root.post("/mailboxes/", {"on_page": keys, "ticked": keys})
    url = root.post("/mailboxes/", {"bulk": "suspend"}).url
    results = root.post(url, {"do": "", "previewed": previewed(root.get(url).content.decode())}).url
    assert f'href="{results}"' in root.get(PAGE).content.decode()
    grants.ensure("dora", ["example.org"], actor=ACTOR, password=PASSWORD)
    assert f'href="{results}"' not in signed_in("dora").get(PAGE).content.decode()


def test_a_domain_admin_is_led_to_nothing_that_he_may_not_see(root: Client) -> None:
    dora("example.org")
    policies.make("Secret", actor=ACTOR)
    an_owner()
    page = signed_in("dora").get(PAGE).content.decode()
    assert f'href="/mailboxes/{Mailbox.objects.get().pk}/"' in page
    assert "/admins/" not in page
    assert "Secret" not in page


def test_many_details_are_folded(root: Client) -> None:
    an_owner()
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=2**30, receives=False, pop=False, notes="late")
    assert "<summary>2 more</summary>" in root.get(PAGE).content.decode()
