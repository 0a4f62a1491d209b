"""Names that nobody has, tried by the pages: written behind a later reply, without what may be a password."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from mailstore.policy.throttle import UNKNOWN_ACCOUNTS_AN_HOUR
from popadmin.signin.limits import LoginThrottle
from popadmin.signin.refused_names import RefusedNames
from tests.signin.counting_hasher import Counting
from tests.site.page_users import ANN, an_owner, sign_in
from tests.site.refused_names import heard

pytestmark = pytest.mark.django_db
NOBODY = "nobody@example.org"
STRANGER = "198.51.100.7"


@pytest.fixture(autouse=True)
def refused(monkeypatch: pytest.MonkeyPatch, settings) -> RefusedNames:
    settings.PASSWORD_HASHERS = [f"{Counting.__module__}.Counting"]
    fresh = RefusedNames()
    monkeypatch.setattr("popadmin.signin.forms.sign_in.refused_names", fresh)
    monkeypatch.setattr("popadmin.signin.forms.sign_in.login_throttle", LoginThrottle())
    return fresh


@pytest.fixture
def stranger() -> Client:
    return Client(REMOTE_ADDR=STRANGER)


def rows() -> list[tuple[str, str, str, int]]:
    found = heard().order_by("reason", "name")
    return list(found.values_list("reason", "name", "network", "tries"))


def test_an_unknown_address_is_told_with_its_network(stranger: Client, refused: RefusedNames) -> None:
    sign_in(stranger, "NoBody@Example.org", "x")
    sign_in(stranger, NOBODY, "y")
    refused.write()
    assert rows() == [("unknown", NOBODY, "198.51.100.0/24", 2)]
    assert heard().get().protocol == "web"


def test_another_text_is_told_without_its_words_and_a_known_name_not_at_all(
    stranger: Client, refused: RefusedNames
) -> None:
    an_owner()
    for name in ("my secret phrase", "hunter2\0", ANN):
        sign_in(stranger, name, "x")
    refused.write()
    assert rows() == [("unknown", "", "198.51.100.0/24", 2)]


def test_a_network_that_tries_names_is_told_as_a_limit(stranger: Client, refused: RefusedNames) -> None:
    for number in range(UNKNOWN_ACCOUNTS_AN_HOUR + 2):
        sign_in(stranger, f"n{number}@example.org", "x")
    refused.write()
    limit = heard().get(reason="network")
    assert (limit.name, limit.tries) == ("", 2)
    assert limit.until is not None


def test_the_reply_to_an_unknown_name_runs_no_statement_of_its_own(stranger: Client, refused: RefusedNames) -> None:
    an_owner()
    made = []
    for name in (ANN, NOBODY):
        with CaptureQueriesContext(connection) as queries:
            sign_in(stranger, name, "x")
        made.append(len(queries))
    assert made[0] == made[1]


def test_a_later_request_writes_what_is_due(refused: RefusedNames) -> None:
    refused.unknown(STRANGER, NOBODY)
    refused.write_due()
    assert rows() == []
    refused._due_at -= timedelta(seconds=5)
    refused.write_due()
    refused.write_due()
    assert [row[3] for row in rows()] == [1]


def test_a_batch_that_cannot_be_written_is_logged_and_lost(
    refused: RefusedNames, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refused.unknown(STRANGER, NOBODY)
    with monkeypatch.context() as patch:
        patch.setattr("popadmin.signin.refused_names.PRUNE_REFUSED_NAMES", type("Wrong", (), {"sql": "SELECT 1/0"}))
        refused.write()
    refused.write()
    assert rows() == []
    assert [record.getMessage() for record in caplog.records] == ["1 rows of refused names were not written"]
