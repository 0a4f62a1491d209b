"""The list of removed mailboxes: restore, or delete for good after typing the address."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from mailstore.directory import domain_removal, grants, mailbox_removal
from mailstore.models import AuditEntry, Mailbox, Message, User
from mailstore.retention import sweep
from tests.site.empty_body_store import EmptyBodyStore
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_body, a_domain, a_message

pytestmark = pytest.mark.django_db


def swept() -> None:
    sweep.tend(EmptyBodyStore())


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


def a_removed_one(address: str = ANN) -> Mailbox:
    box = an_owner(address)
    a_message(box, octets=2048)
    mailbox_removal.remove(address, actor=ACTOR, with_mail=True)
    return box


def test_a_removed_mailbox_is_destroyed_only_by_its_address(root: Client) -> None:
    path = f"/mailboxes/{a_removed_one().pk}/purge/"
    assert path in root.get("/mailboxes/removed/").content.decode()
    assert "1 message, 2\xa0KB" in root.get(path).content.decode()
    response = root.post(path, {"name": "bob@example.org"})
    assert "This is not ann@example.org." in str(response.context["form"].errors["name"])
    assert Mailbox.objects.exists()
    response = root.post(path, {"name": " Ann@Example.org"}, follow=True)
    assert response.redirect_chain == [("/mailboxes/removed/", 302)]
    page = response.content.decode()
    assert "is being deleted for good" in page
    assert path not in page
    response = root.post(path.replace("purge", "restoral"), follow=True)
    assert "is being deleted for good: its name will be free in a few minutes" in response.content.decode()
    swept()
    assert (Mailbox.objects.count(), Message.objects.count()) == (0, 0)
    assert not User.objects.filter(address=ANN).exists()
    asked = AuditEntry.objects.get(verb="mailbox.purge-asked")
    assert (asked.actor_name, asked.subject, asked.details["messages"]) == ("root", ANN, 1)
    assert AuditEntry.objects.get(verb="mailbox.purge").actor_name == "sweep"


def test_much_is_not_destroyed_while_somebody_waits_for_the_page(
    root: Client, django_assert_max_num_queries: Any
) -> None:
    box = a_removed_one()
    Message.objects.bulk_create(
        Message(mailbox=box, body=a_body(), uidl=f"u{n}", prefix=b"", octets=1, arrived_at=box.created_at, added=n + 9)
        for n in range(300)
    )
    with django_assert_max_num_queries(15):
        assert root.post(f"/mailboxes/{box.pk}/purge/", {"name": ANN}).status_code == 302
    assert Message.objects.count() == 301
    with django_assert_max_num_queries(15):
        assert root.post(f"/mailboxes/{box.pk}/purge/", {"name": ANN}).status_code == 200


def test_what_is_there_is_not_destroyed(root: Client) -> None:
    box = an_owner()
    assert root.post(f"/mailboxes/{box.pk}/purge/", {"name": ANN}).status_code == 404
    domain_removal.remove("example.org", actor=ACTOR, with_mailboxes=True)
    assert root.post(f"/mailboxes/{box.pk}/purge/", {"name": ANN}).status_code == 404
    assert Mailbox.objects.exists()


def test_a_domain_admin_destroys_what_was_his_and_nothing_else() -> None:
    an_owner("chief@example.org")
    grants.grant("chief@example.org", "example.org", actor=ACTOR)
    mine, theirs = a_removed_one(), a_removed_one("zoe@other.org")
    client = signed_in("chief@example.org")
    assert client.post(f"/mailboxes/{theirs.pk}/purge/", {"name": "zoe@other.org"}).status_code == 404
    assert client.post(f"/mailboxes/{mine.pk}/purge/", {"name": ANN}).status_code == 302
    swept()
    assert set(Mailbox.objects.values_list("user__address", flat=True)) == {"chief@example.org", "zoe@other.org"}


# --- who acts on what another has removed meanwhile ---------------------------------------------------------------


@pytest.fixture
def carla() -> Client:
    """She administers example.org."""
    a_domain()
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    return signed_in("carla")


def assert_redirects_with_notice(client: Client, path: str, *, at: str, sent: dict[str, Any] | None = None) -> None:
    answer = client.get(path, follow=True) if sent is None else client.post(path, sent, follow=True)
    assert answer.redirect_chain == [(at, 302)]
    assert f"was removed by {ACTOR.name}." in answer.content.decode()
    assert not AuditEntry.objects.filter(verb="denied").exists()


@pytest.mark.parametrize("who", ["root", "carla"])
@pytest.mark.parametrize("act", ["edit/", "removal/", "suspension/", "password/"])
def test_whoever_acts_on_a_mailbox_that_another_has_removed_is_told_and_not_accused(
    request: pytest.FixtureRequest, who: str, act: str
) -> None:
    client: Client = request.getfixturevalue(who)
    path = f"/mailboxes/{a_removed_one().pk}/{act}"
    assert_redirects_with_notice(client, path, at="/mailboxes/removed/", sent={"name": "Ann"})


def test_nor_who_only_looks_at_it(carla: Client) -> None:
    assert_redirects_with_notice(carla, f"/mailboxes/{a_removed_one().pk}/", at="/mailboxes/removed/")


@pytest.mark.parametrize(("who", "at"), [("root", "/domains/removed/"), ("carla", "/domains/")])
def test_the_same_of_a_domain_and_what_went_with_it(request: pytest.FixtureRequest, who: str, at: str) -> None:
    client: Client = request.getfixturevalue(who)
    box = an_owner()
    if who == "carla":  # she keeps another, else she is no admin any more
        a_domain("example.net")
        grants.ensure("carla", ["example.net"], actor=ACTOR)
    domain_removal.remove("example.org", actor=ACTOR, with_mailboxes=True)
    assert_redirects_with_notice(client, f"/domains/{box.domain_id}/edit/", at=at, sent={"over_quota": "defer"})
    assert_redirects_with_notice(client, f"/mailboxes/{box.pk}/edit/", at=at, sent={"name": "Ann"})


@pytest.mark.parametrize("who", ["root", "carla"])
def test_a_tick_of_a_removed_mailbox_spoils_no_list(request: pytest.FixtureRequest, who: str) -> None:
    client: Client = request.getfixturevalue(who)
    gone, there = a_removed_one(), an_owner("bob@example.org")
    keys = [gone.pk, there.pk]
    answer = client.post("/mailboxes/", {"on_page": keys, "ticked": keys, "bulk": "suspend"})
    assert answer.status_code == 302
    assert "bob@example.org" in client.get(answer.url).content.decode()
    assert not AuditEntry.objects.filter(verb="denied").exists()


def test_a_removed_mailbox_of_anothers_domain_is_404_and_told_to_the_audit_as_ever(carla: Client) -> None:
    foreign = a_removed_one("eve@other.example")
    assert carla.post(f"/mailboxes/{foreign.pk}/edit/").status_code == 404
    assert AuditEntry.objects.get(verb="denied").subject == "eve@other.example"


def test_removed_rows_are_searched_and_filtered_as_those_that_are_there(root: Client) -> None:
    kept, ending = a_removed_one(), a_removed_one("zoe@other.org")
    mailbox_removal.ask_purge("zoe@other.org", actor=ACTOR)
    domain_removal.remove("example.org", actor=ACTOR, with_mailboxes=True)
    domain_removal.restore("example.org", actor=ACTOR)
    domain_removal.remove("other.org", actor=ACTOR, with_mailboxes=True)

    def found(url: str) -> list[int]:
        return [row.pk for row in root.get(url).context["page"].rows]

    removed = "/mailboxes/removed/"
    for query in ("?q=ZOE", "?domain=other.org", "?state=ending", "?by=nobody"):
        assert found(removed + query) == ([] if "nobody" in query else [ending.pk]), query
    assert found(f"{removed}?state=kept") == [kept.pk]
    assert [(str(chip.label), chip.count) for chip in root.get(removed).context["chips"]] == [
        ("All", "2"), ("Can be restored", "1"), ("Being deleted for good", "1"),
    ]  # fmt: skip
    assert found("/domains/removed/?q=other") == [ending.domain_id]
    assert found("/domains/removed/?q=example") == []
