"""The export with password hashes: for hosting admins alone, as the list is filtered, and with a trace."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from mailstore.directory import grants
from mailstore.models import AuditEntry, Mailbox, User
from mailstore.transfer import mailbox_import
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, a_mailbox

pytestmark = pytest.mark.django_db
URL = "/mailboxes/hashes/"


def test_a_hosting_admin_takes_the_hashes_and_each_owner_can_see_it() -> None:
    an_admin()
    a_mailbox(ANN)
    a_mailbox("bob@other.org")
    client = signed_in("root")
    assert "2 mailboxes" in client.get(URL).content.decode()
    answer = client.post(f"{URL}?q=other.org")
    assert "no-store" in answer["Cache-Control"]
    (row,) = csv.DictReader(StringIO(answer.content.decode("utf-8-sig")))
    assert (row["Address"], row["Password hash"].startswith("{ARGON2ID}$argon2id$")) == ("bob@other.org", True)
    entries = AuditEntry.objects.filter(verb="mailbox.hashes")
    assert [entry.mailbox.user.address for entry in entries] == ["bob@other.org"]


def test_the_file_comes_in_again_and_changes_nothing() -> None:
    an_admin()
    a_mailbox(ANN)
    before = User.objects.get(address=ANN).password
    upload = mailbox_import.bring_in(signed_in("root").post(URL).content, "x.csv", owner=None)
    assert "password_hash" in upload.meaning
    assert User.objects.get(address=ANN).password == before


def test_for_a_domain_admin_and_an_owner_there_is_no_such_page() -> None:
    an_owner(ANN)
    assert signed_in(ANN).get(URL).status_code == 404
    grants.grant(ANN, "example.org", actor=ACTOR)
    assert signed_in(ANN).post(URL).status_code == 404
    assert Mailbox.objects.count() == 1
    assert not AuditEntry.objects.filter(verb="mailbox.hashes").exists()
