"""Sign-in and sign-out by the pages."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from mailstore.directory import mailbox_removal
from mailstore.models import Domain, User
from popadmin.config.logs import TextFormatter
from tests.signin.counting_hasher import Counting
from tests.site.page_users import ANN, an_admin, an_owner, sign_in, signed_in
from tests.site.rows import ACTOR, PASSWORD
from tests.up.programs import REPOSITORY

pytestmark = pytest.mark.django_db
REFUSAL = "The address or the password is wrong. Check both, then try again."


@pytest.mark.parametrize("address", [ANN, "Ann@Example.ORG", "  ANN@example.org "])
def test_an_owner_signs_in_with_the_address_in_any_case(client, address):
    an_owner()
    assert sign_in(client, address).status_code == 302
    assert client.get("/", follow=True).redirect_chain == [("/mailbox/", 302)]


def test_an_admin_signs_in_with_a_login_that_is_no_address(client):
    an_admin("root")
    assert sign_in(client, "Root").status_code == 302
    assert client.get("/", follow=True).redirect_chain == [("/overview/", 302)]


def test_an_owner_whose_mailbox_is_gone_lands_on_a_page_they_can_use(client):
    user = User(address="left@example.org")
    user.set_password(PASSWORD)
    user.save()
    sign_in(client, "left@example.org")
    assert client.get("/", follow=True).redirect_chain == [("/settings/", 302)]


def suspend_the_user() -> None:
    User.objects.filter(address=ANN).update(is_active=False)


def suspend_the_domain() -> None:
    Domain.objects.update(active=False)


def remove_the_mailbox() -> None:
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)


@pytest.mark.parametrize(
    ("name", "password", "before"),
    [
        ("nobody@example.org", PASSWORD, None),
        (ANN, "wrong", None),
        (ANN, PASSWORD, suspend_the_user),
        (ANN, PASSWORD, suspend_the_domain),
        (ANN, PASSWORD, remove_the_mailbox),
        ("ann@example.org\0", PASSWORD, None),
        (ANN, PASSWORD + "\0", None),
        ("\0", PASSWORD, None),
        ("a" * 5000, PASSWORD, None),
        ("a" * 5000 + "@example.org", PASSWORD, None),
        ("@", PASSWORD, None),
        (ANN, "x" * 100_000, None),
    ],
    ids=range(12),
)
def test_every_failure_gets_the_same_answer_at_the_same_cost(client, settings, name, password, before):
    settings.PASSWORD_HASHERS = ["tests.signin.counting_hasher.Counting"]
    an_owner()
    if before:
        before()
    hashed = Counting.hashed
    response = sign_in(client, name, password)
    assert response.context["form"].errors.as_data().keys() == {"__all__"}
    assert response.context["form"].non_field_errors() == [REFUSAL]
    assert response.status_code == 200
    assert Counting.hashed - hashed == 1
    assert "_auth_user_id" not in client.session


def test_that_the_web_is_switched_off_is_said_only_after_the_right_password(client):
    an_owner(web=False)
    assert REFUSAL in sign_in(client, ANN, "wrong").content.decode()
    assert "switched off" in sign_in(client, ANN).content.decode()
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("change", [suspend_the_user, suspend_the_domain, remove_the_mailbox])
def test_a_suspension_or_a_removal_ends_the_sessions_that_are_open(change):
    an_owner()
    client = signed_in(ANN)
    change()
    assert client.get("/mailbox/").status_code == 302


def test_switching_the_web_off_ends_the_sessions_that_are_open():
    mailbox = an_owner()
    client = signed_in(ANN)
    type(mailbox).objects.update(web=False)
    assert client.get("/mailbox/").status_code == 302


def test_a_session_that_began_by_tls_never_travels_without(client):
    an_owner()
    sign_in(client, ANN, secure=True)
    assert client.cookies["sessionid"]["secure"]


def test_signing_out_takes_a_post():
    an_owner()
    client = signed_in(ANN)
    assert client.get("/sign-out/").status_code == 405
    assert client.get("/mailbox/").status_code == 200
    assert client.post("/sign-out/").status_code == 302
    assert client.get("/mailbox/").status_code == 302


@pytest.mark.parametrize(
    "path", ["/", "/mailbox/", "/overview/", "/password/", "/devices/", "/settings/", "/settings/history/"]
)
def test_a_stranger_is_sent_to_sign_in_and_back(client, path):
    response = client.get(path)
    assert (response.status_code, response["Location"]) == (302, f"/sign-in/?next={path}")


def test_the_way_back_never_leads_to_another_site(client):
    an_owner()
    response = client.post("/sign-in/?next=https://evil.example/", {"username": ANN, "password": PASSWORD})
    assert response["Location"] == "/"


def test_a_form_from_another_site_is_refused():
    an_owner()
    client = Client(enforce_csrf_checks=True)
    response = sign_in(client, ANN)
    assert response.status_code == 403
    assert "has expired" in response.content.decode()


def test_a_guesser_is_stopped_and_an_address_known_from_today_goes_on(client, settings):
    settings.PASSWORD_HASHERS = ["tests.signin.counting_hasher.Counting"]  # fifty slow hashes prove nothing more
    an_owner("guessed@example.org")  # a process remembers guesses: this name is used here alone
    home, stranger = {"REMOTE_ADDR": "203.0.113.7"}, {"REMOTE_ADDR": "198.51.100.7"}
    assert sign_in(client, "guessed@example.org", **home).status_code == 302
    client.logout()
    for number in range(50):
        assert REFUSAL in sign_in(client, "Guessed@example.org", f"guess {number}", **stranger).content.decode()
    assert "Too many" in sign_in(client, "guessed@example.org", **stranger).content.decode()
    assert sign_in(client, "guessed@example.org", **home).status_code == 302


def test_each_refusal_is_a_line_of_the_log_with_its_cause_and_no_password(client, caplog):
    an_owner("ann-of-the-log@example.org", web=False)
    for name, password in (
        ("ann-of-the-log@example.org", PASSWORD),
        ("ann-of-the-log@example.org", "wrong"),
        ("s3cret", "x"),
    ):
        sign_in(client, name, password, REMOTE_ADDR="203.0.113.77")
    records = [record.data for record in caplog.records if record.message == "sign-in refused"]
    assert [next(iter(data)) for data in records] == ["client"] * 3
    assert [data["cause"] for data in records] == ["web is switched off", "wrong password", "unknown user"]
    assert "address" not in records[2]
    assert records[1] | {"cause": ""} == {
        "client": "203.0.113.77",
        "address": "ann-of-the-log@example.org",
        "mechanism": "web",
        "cause": "",
    }


def test_a_network_that_tries_unknown_names_is_stopped(client):
    for number in range(20):
        sign_in(client, f"name{number}@example.org", REMOTE_ADDR=f"192.0.2.{number}")
    assert "Too many" in sign_in(client, "one-more@example.org", REMOTE_ADDR="192.0.2.99").content.decode()


def test_the_filter_of_the_guide_reads_a_refusal_of_the_pages(client, caplog):
    install = (REPOSITORY / "docs" / "install.md").read_text()
    second = re.search(r"failregex = .+\n +(\^.+)", install)[1]
    an_owner("ann-of-the-filter@example.org")
    sign_in(client, "ann-of-the-filter@example.org", "wrong", REMOTE_ADDR="203.0.113.78")
    sign_in(client, "no blanks", "wrong", REMOTE_ADDR="203.0.113.78")
    sign_in(client, "ann-of-the-filter@example.org", "wrong", REMOTE_ADDR="203.0.113.78")
    reads = re.compile(second.replace("<HOST>", r"(?P<host>\S+)"))
    lines = [TextFormatter().format(record) for record in caplog.records if record.message == "sign-in refused"]
    assert [reads.match(line)["host"] for line in lines[:2]] == ["203.0.113.78"] * 2
    assert 'cause="wrong password, repeated"' in lines[2], "a browser that keeps a password guesses nothing"
    assert not reads.match(lines[2])
