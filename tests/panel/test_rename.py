"""Renaming on the pages: what they offer, refuse and tell."""

from __future__ import annotations

import pytest

from mailstore.directory import grants
from mailstore.models import Alias, Domain, Mailbox, User
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_domain

pytestmark = pytest.mark.django_db


def test_a_mailbox_is_renamed_and_its_page_has_the_new_name():
    ann = an_owner()
    an_admin()
    client = signed_in("root")
    assert "Keep the old address as an alias" in client.get(f"/mailboxes/{ann.pk}/name/").text
    page = client.post(
        f"/mailboxes/{ann.pk}/name/", {"address": "Anna@example.org", "keep_alias": "on"}, follow=True
    ).text
    assert f"{ANN} is now anna@example.org." in page
    assert Alias.objects.get(address=ANN).targets == ["anna@example.org"]


def test_the_owner_stays_signed_in_and_sees_who_renamed_it():
    ann = an_owner()
    an_admin()
    owner = signed_in(ANN)
    signed_in("root").post(f"/mailboxes/{ann.pk}/name/", {"address": "anna@example.org"})
    page = owner.get("/settings/history/").text
    assert f"renamed the mailbox {ANN} to" in page


def test_a_name_that_is_taken_is_refused_beside_the_field():
    ann, _bob = an_owner(), an_owner("bob@example.org")
    an_admin()
    page = signed_in("root").post(f"/mailboxes/{ann.pk}/name/", {"address": "bob@example.org", "keep_alias": "on"})
    assert page.context["form"].errors["address"] == ["bob@example.org is already a mailbox"]


def test_a_domain_admin_renames_within_their_domains_only():
    ann = an_owner()
    a_domain("other.example")
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    carla = signed_in("carla")
    page = carla.post(f"/mailboxes/{ann.pk}/name/", {"address": "ann@other.example"})
    assert page.context["form"].errors["address"] == ["other.example is not one of your domains."]
    carla.post(f"/mailboxes/{ann.pk}/name/", {"address": "anna@example.org"})
    assert User.objects.filter(address="anna@example.org").exists()
    assert carla.get(f"/domains/{Domain.objects.get(name='example.org').pk}/name/").status_code in (403, 404)


def test_a_name_that_looks_like_another_can_be_confirmed():
    ann, _bob = an_owner(), an_owner("bob@example.org")
    an_admin()
    client, name = signed_in("root"), {"address": "b\u043eb@example.org", "keep_alias": "on"}
    assert "although it looks like another one" in client.post(f"/mailboxes/{ann.pk}/name/", name).text
    client.post(f"/mailboxes/{ann.pk}/name/", {**name, "look_alike": "on"})
    assert Mailbox.objects.get(pk=ann.pk).user.address == "b\u043eb@example.org"


def test_a_domain_is_renamed_with_what_is_in_it():
    an_owner()
    an_admin()
    client, key = signed_in("root"), Domain.objects.get(name="example.org").pk
    assert "1 mailbox" in client.get(f"/domains/{key}/name/").text
    page = client.post(f"/domains/{key}/name/", {"name": "new.example"}, follow=True).text
    assert "example.org is now new.example, and the old name is an alias of it." in page
    assert User.objects.filter(address="ann@new.example").exists()


def test_a_domain_that_exists_is_refused_with_what_to_do():
    an_owner()
    an_admin()
    a_domain("other.example")
    key = Domain.objects.get(name="example.org").pk
    page = signed_in("root").post(f"/domains/{key}/name/", {"name": "other.example"})
    assert "one by one" in str(page.context["form"].errors["name"])
