"""The audit's page: each admin sees what concerns him, finds it again, and takes it away as a file."""

from __future__ import annotations

import pytest
from django.test import Client

from mailstore.models import AuditEntry
from mailstore.store import domains, grants, mailboxes
from tests.store.site import ACTOR, a_domain
from tests.web.people import ANN, an_admin, an_owner, signed_in

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
    assert "quota: no limit → 1.0\xa0GB" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=ann%40", True),
        ("q=tester", True),
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
    assert (ANN in page.partition("<tbody>")[2]) is found


def test_a_domain_admin_sees_what_concerns_his_mailboxes_and_no_other(root: Client) -> None:
    a_domain("other.org")
    his, others = an_owner("chief@example.org"), an_owner("secret@other.org")
    grants.grant("chief@example.org", "example.org", actor=ACTOR)
    page = signed_in("chief@example.org").get(PAGE).content.decode()
    assert his.user.address in page
    assert others.user.address not in page
    assert others.user.address not in signed_in("chief@example.org").get(f"{PAGE}?export=csv").getvalue().decode()


def test_an_owner_has_no_such_page() -> None:
    an_owner()
    assert signed_in(ANN).get(PAGE).status_code == 404


def test_the_file_has_every_entry_and_nothing_a_spreadsheet_would_run(root: Client) -> None:
    AuditEntry.objects.create(actor_name="=1+1", via="shell", verb="domain.create", subject="@evil")
    text = root.get(f"{PAGE}?export=csv").getvalue().decode("utf-8-sig")
    assert "'=1+1" in text
    assert "'@evil" in text
    assert "made the domain" in text


def test_a_page_takes_as_many_statements_however_long_the_audit_is(root: Client, django_assert_max_num_queries) -> None:
    for number in range(60):
        domains.ensure(f"d{number}.example.org", actor=ACTOR)
    with django_assert_max_num_queries(12):
        root.get(PAGE)
