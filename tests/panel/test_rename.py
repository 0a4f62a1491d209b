"""Renaming on the pages: what they offer, refuse and tell."""

from __future__ import annotations

import pytest

from mailstore.directory import aliases, domain_rename, domains, grants, mailbox_rename, mailboxes
from mailstore.models import Alias, AuditEntry, Domain, Mailbox, User
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


def test_a_rename_of_a_mailbox_is_undone_from_the_notice_and_the_alias_goes_with_it():
    ann = an_owner()
    an_admin()
    client = signed_in("root")
    aliases.ensure("anna@example.org", [ANN], actor=ACTOR, comment="her first name")  # it gives way
    aliases.ensure("team@example.org", [ANN, "b@x.example"], actor=ACTOR)
    page = client.post(f"/mailboxes/{ann.pk}/name/", {"address": "anna@example.org", "keep_alias": "on"}, follow=True)
    undo = f"/mailboxes/{ann.pk}/undo/{AuditEntry.objects.get(verb='mailbox.rename').pk}/"
    assert undo in page.text
    assert undo in client.get("/operations/").text
    assert undo in client.get(f"/mailboxes/{ann.pk}/diary/").text
    assert "The change is undone." in client.post(undo, follow=True).text
    assert Mailbox.objects.get(user__address=ANN) == ann
    targets = dict(Alias.objects.values_list("address", "targets"))
    assert targets == {"anna@example.org": [ANN], "team@example.org": [ANN, "b@x.example"]}
    assert Alias.objects.get(address="anna@example.org").comment == "her first name"
    assert "already undone" in client.post(undo, follow=True).text


def test_a_rename_of_a_domain_is_undone_and_the_newer_name_is_that_of_no_domain():
    ann = an_owner()
    an_admin()
    client = signed_in("root")
    page = client.post(f"/domains/{ann.domain_id}/name/", {"name": "new.example"}, follow=True).text
    entry = AuditEntry.objects.get(verb="domain.rename")
    undo = f"/domains/{ann.domain_id}/name/undo/{entry.pk}/"
    assert undo in page
    operations = client.get("/operations/").text
    assert undo in operations
    assert "renamed the mailbox" not in operations  # one operation, however many mailboxes
    of_mailbox = AuditEntry.objects.get(verb="mailbox.rename")
    refused = client.post(f"/mailboxes/{ann.pk}/undo/{of_mailbox.pk}/", follow=True).text
    assert "its domain was renamed: undo that" in refused
    assert "The rename is undone." in client.post(undo, follow=True).text
    assert list(Domain.objects.values_list("name", flat=True)) == ["example.org"]
    assert Mailbox.objects.get().user.address == ANN


def test_the_undo_of_a_rename_leaves_an_alias_domain_that_was_there_before():
    an_owner()
    an_admin()
    domains.ensure("new.example", actor=ACTOR, stands_for=Domain.objects.get())
    domain = domain_rename.rename("example.org", "new.example", actor=ACTOR).domain
    entry = AuditEntry.objects.get(verb="domain.rename")
    signed_in("root").post(f"/domains/{domain.pk}/name/undo/{entry.pk}/")
    names = dict(Domain.objects.values_list("name", "stands_for__name"))
    assert names == {"example.org": None, "new.example": "example.org"}


def test_an_alias_domain_gets_its_old_name_back():
    an_owner()
    domains.ensure("alias.example", actor=ACTOR, stands_for=Domain.objects.get())
    domain_rename.rename("alias.example", "other.example", actor=ACTOR)
    domain_rename.rename("other.example", "alias.example", actor=ACTOR)
    assert set(Domain.objects.values_list("name", flat=True)) == {"example.org", "alias.example", "other.example"}


def test_a_rename_is_not_undone_behind_a_newer_one_or_where_the_old_address_leads_elsewhere_by_now():
    ann = an_owner()
    an_admin()
    client = signed_in("root")
    mailbox_rename.rename(ANN, "anna@example.org", actor=ACTOR)
    first = AuditEntry.objects.get(verb="mailbox.rename")
    undo = f"/mailboxes/{ann.pk}/undo/{first.pk}/"
    aliases.ensure(ANN, ["b@x.example"], actor=ACTOR)
    assert f"{ANN} is an alias: remove that first" in client.post(undo, follow=True).text
    aliases.remove(ANN, actor=ACTOR)
    mailbox_rename.rename("anna@example.org", "nan@example.org", actor=ACTOR)
    assert "something newer was done to it" in client.post(undo, follow=True).text
    assert Mailbox.objects.get().user.address == "nan@example.org"


def test_the_admin_of_a_new_domain_does_not_see_what_was_done_to_a_mailbox_in_the_old_one():
    ann = an_owner()
    grants.ensure("otto", ["example.org"], actor=ACTOR, password=PASSWORD)
    a_domain("new.example")
    mailboxes.ensure(ANN, actor=ACTOR, suspended=True)
    change = AuditEntry.objects.get(verb="mailbox.change")
    mailbox_rename.rename(ANN, "ann@new.example", actor=ACTOR, keep_alias=False)
    grants.ensure("carla", ["new.example"], actor=ACTOR, password=PASSWORD)
    carla = signed_in("carla")
    page = carla.get(f"/mailboxes/{ann.pk}/diary/").text
    assert "moved here from another domain" in page
    assert "example.org" not in page
    assert carla.post(f"/mailboxes/{ann.pk}/undo/{change.pk}/").status_code == 404
