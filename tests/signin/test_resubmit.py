"""A form that was sent after its session had ended: nothing is done, no typed text is lost, no secret travels."""

from __future__ import annotations

import html
import re

import pytest
from django import forms
from django.test import Client

from mailstore.models import Domain, Mailbox, WebSession
from popadmin.signin import resubmit
from tests.site.page_users import ANN, an_admin, an_owner
from tests.site.rows import PASSWORD

pytestmark = pytest.mark.django_db
TYPED = {"name": "Ann Smith", "notes": "first line\r\nsecond line", "receives": "on"}


def hidden(page: str) -> dict[str, str]:
    return {
        name: html.unescape(value) for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page)
    }


@pytest.fixture
def root() -> Client:
    """A browser whose session has just ended. It checks the tokens of forms."""
    an_admin()
    client = Client(enforce_csrf_checks=True)
    page = client.get("/sign-in/").content.decode()
    login = {"username": "root", "password": PASSWORD, **hidden(page)}
    assert client.post("/sign-in/", login).status_code == 302
    return client


def test_what_was_typed_is_offered_after_the_sign_in_and_sent_by_one_button(root):
    mailbox = an_owner()
    path = f"/mailboxes/{mailbox.pk}/edit/"
    old = hidden(root.get(path).content.decode())["csrfmiddlewaretoken"]
    WebSession.objects.all().delete()
    page = root.post(path, {**TYPED, "csrfmiddlewaretoken": old}).content.decode()
    assert "Sign in to send what you typed" in page
    wrong = root.post("/sign-in/", {**hidden(page), "username": "root", "password": "not this one"}).content.decode()
    page = root.post("/sign-in/", {**hidden(wrong), "username": "root", "password": PASSWORD}).content.decode()
    assert f'action="{path}"' in page
    mailbox.user.refresh_from_db()
    assert mailbox.user.name == "", "nothing is done before the button is pressed"
    assert root.post(path, hidden(page)).status_code == 302
    mailbox = Mailbox.objects.select_related("user").get()
    assert (mailbox.user.name, mailbox.notes) == (TYPED["name"], TYPED["notes"])


def test_a_page_from_before_a_sign_in_elsewhere_is_offered_once_more_to_the_same_browser(root):
    other = {"csrfmiddlewaretoken": "x" * 64, "name": "example.org"}
    answer = root.post("/domains/new/", {**other, "over_quota": "defer"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 403
    page = answer.content.decode()
    assert hidden(page)["name"] == "example.org"
    assert not Domain.objects.exists()
    assert root.post("/domains/new/", hidden(page)).status_code == 302
    assert Domain.objects.get().name == "example.org"


@pytest.mark.parametrize("site", ["cross-site", "same-site", None])
def test_a_foreign_page_is_offered_nothing(root, site):
    headers = {"Sec-Fetch-Site": site} if site else {}
    answer = root.post("/domains/new/", {"name": "evil.example", "over_quota": "defer"}, headers=headers)
    assert answer.status_code == 403
    assert "evil.example" not in answer.content.decode()


def test_only_sealed_forms_are_offered(client):
    an_owner()
    forged = resubmit.SentForm("/settings/", (("name", "Eve"),)).seal().replace(":", ":x", 1)
    assert client.post("/sign-in/", {"username": ANN, "password": PASSWORD, "sent": forged}).status_code == 302


@pytest.mark.parametrize("name", sorted(resubmit.SECRETS))
def test_a_password_does_not_travel(client, name):
    answer = client.post("/password/", {name: "very secret"})
    assert (answer.status_code, answer.url) == (302, "/sign-in/?next=/password/")


def test_every_field_for_a_password_is_known_as_one():
    def kinds(cls: type) -> set[type]:
        return {cls}.union(*(kinds(sub) for sub in cls.__subclasses__()))

    ours = [cls for cls in kinds(forms.Form) if cls.__module__.startswith("popadmin.")]
    asked = {
        name
        for cls in ours
        for name, field in cls.base_fields.items()
        if isinstance(field.widget, forms.PasswordInput) or name == "password"
    }
    assert asked
    assert asked <= resubmit.SECRETS
