"""Language and theme."""

from __future__ import annotations

import pytest

from mailstore.models import AuditEntry, User
from tests.site.page_users import ANN, an_owner, signed_in

pytestmark = pytest.mark.django_db


def test_a_stranger_reads_the_language_of_the_browser(client):
    page = client.get("/sign-in/", headers={"accept-language": "fr-CA,fr;q=0.9"})
    assert "Se connecter" in page.content.decode()
    assert '<html lang="fr"' in page.content.decode()


def test_the_choice_is_kept_in_a_cookie(client):
    response = client.post("/language/", {"language": "fr", "next": "/sign-in/"})
    assert response["Location"] == "/sign-in/"
    assert "Se connecter" in client.get("/sign-in/").content.decode()


def test_the_choice_of_a_user_follows_them_to_every_browser():
    an_owner()
    signed_in(ANN).post("/language/", {"language": "fr", "next": "/mailbox/"})
    assert User.objects.get(address=ANN).language == "fr"
    elsewhere = signed_in(ANN).get("/mailbox/", headers={"accept-language": "en"})
    assert "Ma boîte" in elsewhere.content.decode()


def test_a_choice_is_recorded_in_the_audit_once():
    an_owner()
    AuditEntry.objects.all().delete()
    client = signed_in(ANN)
    for _again in range(2):
        client.post("/language/", {"language": "fr"})
    assert [(entry.verb, entry.details) for entry in AuditEntry.objects.all()] == [
        ("language.change", {"language": "fr"})
    ]


def test_without_a_choice_the_theme_follows_the_machine(client):
    page = client.get("/sign-in/").content.decode()
    assert "data-bs-theme" not in page


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chosen_theme_holds(client, theme):
    client.post("/theme/", {"theme": theme, "next": "/sign-in/"})
    page = client.get("/sign-in/").content.decode()
    assert f'data-bs-theme="{theme}"' in page


def test_a_cookie_that_names_no_theme_changes_nothing(client):
    client.cookies["theme"] = '"><script>'
    assert "data-bs-theme" not in client.get("/sign-in/").content.decode()


@pytest.mark.parametrize("path", ["/language/", "/theme/"])
def test_what_cannot_be_chosen_is_refused(client, path):
    assert client.post(path, {"language": "xx", "theme": "xx"}).status_code == 400
    assert client.get(path).status_code == 405


@pytest.mark.parametrize("path", ["/language/", "/theme/"])
def test_a_choice_never_leads_to_another_site(client, path):
    response = client.post(path, {"language": "fr", "theme": "dark", "next": "//evil.example/"})
    assert response["Location"] == "/"
