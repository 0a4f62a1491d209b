"""Users who must choose a new password can do that or sign out, and nothing else."""

from __future__ import annotations

import pytest

from mailstore.directory import mailboxes
from mailstore.models import User
from tests.signin.test_password import NEW, change
from tests.site.page_users import ANN, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD

pytestmark = pytest.mark.django_db


def an_owner_who_must() -> None:
    an_owner()
    mailboxes.ensure(ANN, actor=ACTOR, must_change_password=True)


@pytest.mark.parametrize(
    "path", ["/", "/mailbox/", "/devices/", "/devices/connect/", "/settings/", "/settings/recovery-address/"]
)
def test_every_page_leads_to_the_new_password(path):
    an_owner_who_must()
    client = signed_in(ANN)
    assert client.get(path)["Location"] == "/password/"
    assert client.post(path)["Location"] == "/password/"


def test_the_page_says_why_and_has_no_menu():
    an_owner_who_must()
    page = signed_in(ANN).get("/password/").content.decode()
    assert "Choose a new password" in page
    assert "/mailbox/" not in page


def test_signing_out_language_and_theme_stay_possible():
    an_owner_who_must()
    client = signed_in(ANN)
    assert client.post("/language/", {"language": "fr", "next": "/password/"})["Location"] == "/password/"
    assert client.post("/theme/", {"theme": "dark", "next": "/password/"})["Location"] == "/password/"
    assert client.post("/sign-out/")["Location"] == "/sign-in/"


def test_a_new_password_opens_the_pages():
    an_owner_who_must()
    client = signed_in(ANN)
    assert change(client)["Location"] == "/"
    assert client.get("/mailbox/").status_code == 200
    assert not User.objects.get(address=ANN).must_change_password


def test_the_present_password_again_does_not():
    an_owner_who_must()
    response = change(signed_in(ANN), PASSWORD, PASSWORD)
    assert "choose another" in response.context["form"].errors["new_password1"][0]
    assert User.objects.get(address=ANN).must_change_password


def test_a_session_that_is_open_when_it_is_asked_for_is_held_to_it():
    an_owner()
    client = signed_in(ANN)
    mailboxes.ensure(ANN, actor=ACTOR, must_change_password=True)
    assert client.get("/mailbox/")["Location"] == "/password/"


def test_a_password_that_an_admin_sets_may_ask_for_it_or_not():
    an_owner()
    for must in (True, False):
        mailboxes.set_password(ANN, NEW, actor=ACTOR, must_change=must)
        assert User.objects.get(address=ANN).must_change_password is must
