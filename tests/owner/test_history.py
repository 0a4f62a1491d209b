"""The history of changes of a mailbox, for its owner."""

from __future__ import annotations

import pytest

from mailstore.directory import mailboxes
from mailstore.directory.audit import Actor
from tests.site.page_users import ANN, an_admin, an_owner, signed_in

pytestmark = pytest.mark.django_db


def history_page(client, query=""):
    return " ".join(client.get(f"/settings/history/{query}").content.decode().split())


def test_the_owner_reads_who_did_what_to_their_mailbox_in_words():
    an_owner()
    admin = an_admin()
    mailboxes.ensure(ANN, actor=Actor("root", "web", admin, "192.0.2.7"), quota_octets=2**30)
    page = history_page(signed_in(ANN))
    assert "root changed the mailbox ann@example.org" in page
    assert "quota: no limit → 1 GB" in page
    assert "192.0.2.7" not in page  # where an administrator sits is not the owner's to know


def test_administrators_changes_can_be_read_alone():
    an_owner()
    client = signed_in(ANN)
    client.post("/settings/", {"name": "Ann", "language": "en"})
    assert "You changed the name of" in history_page(client)
    assert "You changed" not in history_page(client, "?who=others")
    assert "created the mailbox" in history_page(client, "?who=others")


def test_nothing_of_other_mailboxes_is_told():
    an_owner()
    an_owner("bob@example.org")
    assert "bob" not in history_page(signed_in(ANN))


def test_a_long_history_has_pages():
    an_owner()
    client = signed_in(ANN)
    for number in range(60):
        mailboxes.ensure(ANN, actor=Actor("tester", "shell"), quota_octets=number)
    assert "?page=2" in history_page(client)
    assert "created the mailbox" in history_page(client, "?page=2")
    assert client.get("/settings/history/?page=nonsense").status_code == 200


def test_who_has_no_mailbox_has_no_history():
    an_admin()
    assert signed_in("root").get("/settings/history/").status_code == 404
