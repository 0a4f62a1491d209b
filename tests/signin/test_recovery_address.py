"""The pages of the recovery address: they ask for the password, then for a mailed code."""

from __future__ import annotations

import pytest

from mailstore.models import User
from tests.signin.sent_mail import code, mailed
from tests.site.page_users import an_admin, an_owner, signed_in
from tests.site.rows import PASSWORD

pytestmark = pytest.mark.django_db
HOME = "ann@home.example"
FORM, CODE = "/settings/recovery-address/", "/settings/recovery-address/code/"


def name(client, address=HOME, password=PASSWORD, **extra):
    return client.post(FORM, {"address": address, "password": password}, **extra)


def stored(address):
    return User.objects.get(address=address).recovery_address


def test_a_code_by_mail_confirms_it_and_others_see_it_masked():
    an_owner("ann1@example.org")
    client = signed_in("ann1@example.org")
    assert name(client)["Location"] == CODE
    assert HOME in client.get(CODE).content.decode()
    response = client.post(CODE, {"code": code()}, follow=True)
    assert "The recovery address is confirmed." in response.content.decode()
    assert "a•••@home.example" in response.content.decode()
    assert HOME not in response.content.decode()
    assert stored("ann1@example.org") == HOME


def test_an_admin_reads_that_warnings_and_digests_go_there_and_an_owner_does_not():
    an_admin("admin-with-digests")
    an_owner("ann3@example.org")
    hint = "Warnings and digests of your mailboxes go to this address."
    assert hint in signed_in("admin-with-digests").get(FORM).content.decode()
    assert hint not in signed_in("ann3@example.org").get(FORM).content.decode()


def test_an_admin_has_one_as_well():
    an_admin("admin-with-recovery")
    client = signed_in("admin-with-recovery")
    name(client)
    client.post(CODE, {"code": code()})
    assert stored("admin-with-recovery") == HOME


def test_without_the_password_nothing_is_mailed():
    an_owner("ann2@example.org")
    response = name(signed_in("ann2@example.org"), password="not this")
    assert "not your current password" in response.context["form"].errors["password"][0]
    assert mailed() == []


def test_a_wrong_code_is_shown_beside_its_field():
    an_owner("ann3@example.org")
    client = signed_in("ann3@example.org")
    name(client)
    wrong = f"{(int(code()) + 1) % 10**6:06}"
    response = client.post(CODE, {"code": wrong})
    assert "not the code" in response.context["form"].errors["code"][0]
    assert stored("ann3@example.org") == ""


def test_a_page_for_a_code_that_nobody_asked_for_leads_back():
    an_owner("ann4@example.org")
    client = signed_in("ann4@example.org")
    assert client.get(CODE)["Location"] == FORM
    assert client.post(CODE, {"code": "123456"}).context["form"].errors["code"]


def test_an_empty_address_removes_it():
    an_owner("ann5@example.org")
    User.objects.update(recovery_address=HOME)
    response = name(signed_in("ann5@example.org"), address="")
    assert response["Location"] == "/settings/"
    assert stored("ann5@example.org") == ""


def test_the_mailbox_itself_is_refused():
    an_owner("ann6@example.org")
    response = name(signed_in("ann6@example.org"), address="ann6@example.org")
    assert "This is the mailbox itself" in response.context["form"].errors["address"][0]


def test_a_mail_server_that_does_not_answer_is_said_in_words_and_what_was_typed_stays(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    an_owner("ann7@example.org")
    page = name(signed_in("ann7@example.org")).content.decode()
    assert "did not accept the mail" in page
    assert HOME in page


def test_nobody_is_flooded_with_codes():
    an_owner("ann8@example.org")
    client = signed_in("ann8@example.org")
    for _time in range(3):
        assert name(client).status_code == 302
    assert "wait an hour" in name(client).context["form"].errors["address"][0]
    assert len(mailed()) == 3


def test_an_address_that_came_to_be_hosted_here_is_told_on_both_pages():
    an_owner("ann6@example.org")
    User.objects.filter(address="ann6@example.org").update(recovery_address="bob@example.org")
    client = signed_in("ann6@example.org")
    assert "no link is sent to it" in client.get(FORM).content.decode()
    assert "not used: it is hosted here" in client.get("/settings/").content.decode()


def test_the_page_says_why_an_address_of_this_site_is_refused():
    an_owner("ann7@example.org")
    response = name(signed_in("ann7@example.org"), "bob@example.org")
    assert "choose an address elsewhere" in response.context["form"].errors["address"][0]
    assert mailed() == []
