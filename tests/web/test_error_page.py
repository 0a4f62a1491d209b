"""Pages for requests that fail on our side."""

from __future__ import annotations

import pytest
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.test import Client
from django.urls import include, path

from tests.site.page_users import ANN, an_owner, sign_in, signed_in


@login_not_required
def broken(_request):
    raise RuntimeError("a bug of ours")


urlpatterns = [path("broken/", broken), path("", include("popadmin.urls"))]
handler500 = "popadmin.web.error_page.server_error"


@pytest.fixture
def database_away(transactional_db, tmp_path):
    """Return a function that makes new connections to the database fail; a second call ends this."""
    hosts = [connection.settings_dict["HOST"], str(tmp_path)]

    def swap() -> None:
        connection.close()
        hosts.reverse()
        connection.settings_dict["HOST"] = hosts[0]

    yield swap
    if hosts[0] == str(tmp_path):
        swap()


def lenient(client: Client) -> Client:
    client.raise_request_exception = False
    return client


def test_a_database_that_does_not_answer_gives_a_plain_page_and_its_return_needs_nobody(database_away):
    an_owner()
    client = lenient(signed_in(ANN))
    database_away()
    response = client.get("/mailbox/")
    assert response.status_code == 503
    assert response["Retry-After"] == "30"
    assert "Temporarily unavailable" in response.content.decode()
    assert "Content-Security-Policy" in response.headers
    database_away()
    assert client.get("/mailbox/").status_code == 200


def test_a_sign_in_meets_the_same_page_in_the_language_of_the_browser(database_away):
    database_away()
    response = sign_in(lenient(Client()), ANN, headers={"accept-language": "fr"})
    assert response.status_code == 503
    assert "Momentanément indisponible" in response.content.decode()


def test_it_is_logged_once_a_request(database_away, caplog):
    database_away()
    sign_in(lenient(Client()), ANN)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "Service Unavailable: /sign-in/"
    ]


def test_monitors_are_told(database_away, client):
    database_away()
    assert client.get("/healthz").status_code == 200
    response = client.get("/readyz")
    assert response.status_code == 503
    assert [check["ok"] for check in response.json()["checks"][:2]] == [False, False]


@pytest.mark.django_db
def test_a_bug_gives_a_page_that_tells_nothing_of_it(settings):
    settings.ROOT_URLCONF = __name__
    response = lenient(Client()).get("/broken/")
    assert response.status_code == 500
    assert "Something went wrong on our side" in response.content.decode()
    assert "a bug of ours" not in response.content.decode()


@pytest.mark.django_db
def test_a_page_that_is_not_there_is_in_the_house_style(client):
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "Page not found" in response.content.decode()
    assert "popadmin.css" in response.content.decode()
