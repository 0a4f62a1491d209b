"""A rejection by the store is shown beside its field, and the typed values stay."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from mailstore.directory import aliases, grants, mailboxes
from mailstore.models import Alias, Domain, Mailbox
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_domain

pytestmark = pytest.mark.django_db
MB = 2**20


@pytest.fixture
def carla() -> Client:
    """She administers example.org, within its caps."""
    a_domain(mailbox_limit=2, alias_limit=1, mailbox_quota_most=10 * MB, allotment_octets=12 * MB)
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    return signed_in("carla")


def errors(client: Client, url: str, **sent: Any) -> dict[str, list[str]]:
    answer = client.post(url, sent)
    assert answer.status_code == 200
    form = answer.context["form"]
    assert all(form[name].value() == value for name, value in sent.items() if name != "password")
    return dict(form.errors)


def test_of_a_new_mailbox(carla: Client) -> None:
    url = "/mailboxes/new/"
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=5 * MB)
    aliases.ensure("info@example.org", [ANN], actor=ACTOR)
    new = {"address": "bob@example.org"}
    assert [*errors(carla, url, address=ANN)] == ["address"]
    assert [*errors(carla, url, address="info@example.org")] == ["address"]
    assert [*errors(carla, url, **new, quota_octets="11 MB")] == ["quota_octets"]
    assert [*errors(carla, url, **new, quota_octets="8 MB")] == ["quota_octets"]
    assert [*errors(carla, url, **new, quota_octets="1 MB", password="short")] == ["password"]
    mailboxes.ensure("bob@example.org", actor=ACTOR, quota_octets=MB)
    assert errors(carla, url, address="eve@example.org", quota_octets="1 MB") == {
        "address": ["example.org has reached its mailbox limit (2)"]
    }


def test_of_a_mailbox_that_is_there(carla: Client) -> None:
    mailbox = mailboxes.ensure(ANN, actor=ACTOR, quota_octets=5 * MB).row
    assert [*errors(carla, f"/mailboxes/{mailbox.pk}/edit/", quota_octets="11 MB")] == ["quota_octets"]
    assert Mailbox.objects.get().quota_octets == 5 * MB


def test_of_an_alias(carla: Client) -> None:
    url = "/aliases/new/"
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=5 * MB)
    to = {"targets": "there@elsewhere.example"}
    assert [*errors(carla, url, address=ANN, **to)] == ["keep_copy"]
    assert [*errors(carla, url, address="info@example.org", targets="info@example.org")] == ["targets"]
    assert [*errors(carla, url, address="info@example.org", targets="no address")] == ["targets"]
    assert [*errors(carla, url, address="info@example.org", **to, expires_at="2001-01-01")] == ["expires_at"]
    alias = aliases.ensure("info@example.org", [ANN], actor=ACTOR).row
    assert [*errors(carla, url, address="more@example.org", **to)] == ["address"]
    assert [*errors(carla, f"/aliases/{alias.pk}/", targets="info@example.org")] == ["targets"]
    assert [*errors(carla, f"/aliases/{alias.pk}/", targets=ANN, expires_at="2001-01-01")] == ["expires_at"]
    assert Alias.objects.get().targets == [ANN]


def test_of_a_domain() -> None:
    an_admin()
    root = signed_in("root")
    a_domain()
    a_domain("other.example", stands_for=Domain.objects.get())
    an_owner("ann@third.example")
    fixed = {"over_quota": "defer"}
    assert [*errors(root, "/domains/new/", name="example.org", **fixed)] == ["name"]
    assert [*errors(root, "/domains/new/", name="x.example", stands_for="other.example", **fixed)] == ["stands_for"]
    third = Domain.objects.get(name="third.example")
    assert [*errors(root, f"/domains/{third.pk}/edit/", stands_for="example.org", **fixed)] == ["stands_for"]


def test_a_look_alike_is_made_only_when_the_box_is_ticked(carla: Client) -> None:
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=5 * MB)
    mixed = "\u0430nn@example.org"
    for url, more in (("/mailboxes/new/", {"quota_octets": "1 MB"}), ("/aliases/new/", {"targets": ANN})):
        answer = carla.post(url, {"address": mixed, **more})
        assert "mixes letters that look alike" in str(answer.context["form"].errors["address"])
        assert 'type="checkbox" name="look_alike"' in answer.content.decode()
    carla.post("/mailboxes/new/", {"address": mixed, "quota_octets": "1 MB", "look_alike": "on"})
    assert Mailbox.objects.filter(user__address=mixed).exists()
