"""Forwarding by the owner, if the domain allows it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.models import Alias, AuditEntry, Domain
from tests.site.page_users import ANN, an_admin, an_owner, signed_in

pytestmark = pytest.mark.django_db
PATH = "/settings/forwarding/"


def allowed():
    an_owner()
    Domain.objects.update(owner_forwards=True)
    return signed_in(ANN)


def test_where_the_domain_does_not_allow_it_there_is_no_such_page():
    an_owner()
    client = signed_in(ANN)
    assert client.get(PATH).status_code == 404
    assert client.post(PATH, {"targets": "ann@home.example"}).status_code == 404
    assert PATH not in client.get("/settings/").content.decode()
    assert not Alias.objects.exists()


def test_mail_goes_on_to_several_and_a_copy_is_kept_unless_asked_otherwise():
    client = allowed()
    assert PATH in client.get("/settings/").content.decode()
    assert client.get(PATH).context["form"]["keep_copy"].value() is True
    client.post(PATH, {"targets": "Ann@home.example\nbob@example.net", "keep_copy": "on"})
    alias = Alias.objects.get()
    assert (alias.targets, alias.keep_copy) == (["ann@home.example", "bob@example.net"], True)
    assert AuditEntry.objects.latest("pk").actor_name == ANN
    assert "ann@home.example" in client.get("/settings/").content.decode()


def test_the_owner_is_told_when_the_mail_server_does_not_send_mail_on(settings):
    settings.CONFIRM_FORWARDS = False
    client = allowed()
    client.post(PATH, {"targets": "ann@home.example", "keep_copy": "on"})
    assert "waits at the mail server" not in client.get(PATH).content.decode()
    Alias.objects.update(unexpanded_at=timezone.now())
    assert "Your mail waits at the mail server" in client.get(PATH).content.decode()


def test_an_empty_form_ends_it():
    client = allowed()
    client.post(PATH, {"targets": "ann@home.example"})
    assert "Nothing is forwarded." in client.post(PATH, {"targets": ""}, follow=True).content.decode()
    assert not Alias.objects.exists()
    client.post(PATH, {"targets": ""})  # once more is no fault


@pytest.mark.parametrize("targets", ["nobody", "\n".join(f"a{number}@home.example" for number in range(11))])
def test_what_the_store_refuses_stands_beside_the_field_and_stays_typed(targets):
    response = allowed().post(PATH, {"targets": targets})
    assert response.context["form"].errors["targets"]
    assert targets.split("\n")[0] in response.content.decode()
    assert not Alias.objects.exists()


def test_who_has_no_mailbox_forwards_nothing():
    an_admin()
    assert signed_in("root").get(PATH).status_code == 404


def test_what_an_administrator_has_switched_off_stays_off_and_the_owner_is_told():
    client = allowed()
    client.post(PATH, {"targets": "ann@home.example"})
    Alias.objects.update(active=False)
    assert "Switched off" in client.get("/settings/").content.decode()
    assert "Your administrator has switched it off" in client.get(PATH).content.decode()
    page = client.post(PATH, {"targets": "ann@work.example"}, follow=True).content.decode()
    assert ("Your mail is forwarded." in page, "Saved, but nothing is forwarded" in page) == (False, True)
    refusal = client.post(PATH, {"targets": ""}).context["form"].errors["targets"]
    assert "only an administrator can remove it" in str(refusal)
    assert (Alias.objects.get().targets, Alias.objects.get().active) == (["ann@work.example"], False)


def test_a_forward_that_had_expired_is_one_again_when_it_is_saved():
    client = allowed()
    client.post(PATH, {"targets": "ann@home.example"})
    Alias.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert "Expired" in client.get("/settings/").content.decode()
    page = client.post(PATH, {"targets": "ann@home.example"}, follow=True).content.decode()
    assert "Expired" not in page
    assert Alias.objects.get().expires_at is None
