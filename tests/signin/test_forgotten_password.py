"""A forgotten password: the mailed link works once, within an hour, and strangers learn nothing."""

from __future__ import annotations

import itertools

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mailstore.models import AuditEntry, Domain, Mailbox, User
from tests.signin.counting_hasher import Counting
from tests.signin.sent_mail import link, mailed, somewhere
from tests.site.page_users import an_admin, an_owner, sign_in, signed_in
from tests.site.rows import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "a wholly different one"
HOME = "ann@home.example"
_serial = itertools.count(1)


@pytest.fixture
def ann() -> str:
    """An owner with a new address for each test, because a process remembers to whom it sent mail."""
    address = f"ann{next(_serial)}@example.org"
    an_owner(address)
    User.objects.filter(address=address).update(recovery_address=HOME)
    return address


def ask(client, address, **where):
    return client.post("/password/forgotten/", {"address": address}, **(where or somewhere()))


def choose(client, way, password=NEW):
    return client.post(way, {"new_password1": password, "new_password2": password}, follow=True)


def test_the_link_sets_a_new_password_and_signs_nobody_in(client, ann):
    assert ask(client, ann.upper())["Location"] == "/password/mailed/"
    response = choose(client, link())
    assert response.redirect_chain == [("/sign-in/", 302)]
    assert "The password is changed" in response.content.decode()
    assert "_auth_user_id" not in client.session
    assert sign_in(client, ann, PASSWORD).status_code == 200
    assert sign_in(client, ann, NEW).status_code == 302


def test_the_letter_goes_to_the_recovery_address_in_the_language_of_its_reader(client, ann):
    User.objects.filter(address=ann).update(language="fr")
    ask(client, ann)
    (text,) = mailed()
    (message,) = mail.outbox
    assert (message.to, message.from_email) == ([HOME], "postmaster@mail.example.test")
    assert "mot de passe" in message.subject
    assert "Bonjour" in text
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"


def test_the_link_works_once(client, ann):
    ask(client, ann)
    way = link()
    choose(client, way)
    again = client.get(way)
    assert again.status_code == 410
    assert "This link is no longer valid" in again.content.decode()
    assert choose(client, way, "yet another password").status_code == 410
    assert sign_in(client, ann, NEW).status_code == 302


def test_the_link_is_good_for_an_hour(client, ann, settings):
    assert settings.PASSWORD_RESET_TIMEOUT == 3600
    ask(client, ann)
    assert client.get(link()).status_code == 200
    settings.PASSWORD_RESET_TIMEOUT = -1  # the hour is over
    assert client.get(link()).status_code == 410


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"recovery_address": "other@home.example"},
        {"is_active": False},
        {"last_login": timezone.now()},
    ],
    ids=["another address", "suspended", "signed in"],
)
def test_the_link_ends_with_what_it_was_made_for(client, ann, meanwhile):
    ask(client, ann)
    User.objects.filter(address=ann).update(**meanwhile)
    assert client.get(link()).status_code == 410


def test_a_weak_password_is_shown_beside_its_field_and_the_link_stays_good(client, ann):
    ask(client, ann)
    way = link()
    response = choose(client, way, "short")
    assert response.context["form"].errors["new_password2"]
    assert choose(client, way).redirect_chain


def test_a_hash_is_refused_by_the_link_too(client, ann):
    ask(client, ann)
    response = choose(client, link(), "{SSHA256}" + "x" * 52)
    assert "password hash (SSHA256)" in str(response.context["form"].errors["new_password2"])


def test_blanks_around_the_password_are_refused_by_the_link_too(client, ann):
    ask(client, ann)
    errors = choose(client, link(), "a wholly different one ").context["form"].errors["new_password2"]
    assert errors == ["The password begins or ends with a blank: remove it."]


def test_every_session_ends_and_the_change_is_in_the_audit(client, ann):
    open_page = signed_in(ann)
    ask(client, ann)
    choose(client, link())
    assert open_page.get("/mailbox/").status_code == 302
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.actor_name, entry.via, entry.details) == ("password.reset", ann, "web", {})


def test_the_hash_is_another_so_that_no_cache_of_a_pop3_worker_fits_and_a_forced_change_is_done(client, ann):
    User.objects.filter(address=ann).update(must_change_password=True)
    before = User.objects.get(address=ann)
    ask(client, ann)
    choose(client, link())
    after = User.objects.get(address=ann)
    assert after.password != before.password
    assert after.password_changed_at > before.password_changed_at
    assert not after.must_change_password


def test_an_admin_gets_one_too(client):
    an_admin("forgetful")
    User.objects.filter(address="forgetful").update(recovery_address=HOME)
    ask(client, "forgetful")
    assert choose(client, link()).redirect_chain


def suspend_the_user(address):
    User.objects.filter(address=address).update(is_active=False)


def suspend_the_domain(_address):
    Domain.objects.update(active=False)


def switch_the_web_off(_address):
    Mailbox.objects.update(web=False)


def remove_the_recovery_address(address):
    User.objects.filter(address=address).update(recovery_address="")


def host_the_recovery_domain(_address):
    Domain.objects.create(name="home.example")


def remove_the_recovery_domain(_address):
    Domain.objects.create(name="home.example", removed_at=timezone.now())


def nothing(_address):
    """The user who gets a mail."""


@pytest.mark.parametrize(
    ("address", "before"),
    [
        (None, nothing),
        ("nobody@example.org", nothing),
        (None, suspend_the_user),
        (None, suspend_the_domain),
        (None, switch_the_web_off),
        (None, remove_the_recovery_address),
        (None, host_the_recovery_domain),
        (None, remove_the_recovery_domain),
        ("\0", nothing),
        ("a" * 5000, nothing),
        ("@", nothing),
    ],
    ids=[
        "known",
        "unknown",
        "suspended",
        "domain",
        "web off",
        "no recovery",
        "hosted",
        "removed",
        "null",
        "long",
        "no name",
    ],
)
def test_every_address_gets_the_same_answer_at_the_same_cost(client, ann, settings, address, before):
    settings.PASSWORD_HASHERS = ["tests.signin.counting_hasher.Counting"]
    before(ann)
    hashed = Counting.hashed
    with CaptureQueriesContext(connection) as asked:
        response = ask(client, address or ann)
    assert (response.status_code, response["Location"]) == (302, "/password/mailed/")
    assert len(asked) == 2  # the account that the name opens, and its user
    assert Counting.hashed == hashed
    assert len(response.content) == 0
    assert not response.cookies
    assert bool(mailed()) == (address is None and before is nothing)


def test_one_person_is_mailed_three_times_an_hour_and_the_answer_stays_the_same(client, ann):
    answers = {ask(client, ann)["Location"] for _time in range(5)}
    assert answers == {"/password/mailed/"}
    assert len(mailed()) == 3


def test_a_network_that_tries_names_is_told_to_wait_whatever_the_names_are(client, ann):
    where = somewhere()
    for number in range(20):
        assert ask(client, f"name{number}@example.org", **where).status_code == 302
    for address in (ann, "one-more@example.org"):
        response = ask(client, address, **where)
        assert "Too many requests" in response.content.decode()
    assert ask(client, "one-more@example.org").status_code == 302


@pytest.mark.parametrize("uid", ["MQ", "MA", "!!", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "é"])
def test_an_invented_link_is_no_link(client, ann, uid):
    assert client.get(f"/password/new/{uid}/c0ffee-123/").status_code == 410


def test_the_log_tells_who_asked_and_what_came_of_it(client, ann, caplog):
    with caplog.at_level("INFO", "popadmin.signin"):
        ask(client, ann, REMOTE_ADDR="192.0.2.44")
        ask(client, "my password by mistake", REMOTE_ADDR="192.0.2.45")
    records = [record.data for record in caplog.records if record.message == "new password asked for"]
    assert records[0] == {"client": "192.0.2.44", "address": ann, "mechanism": "web", "cause": "mailed"}
    assert records[1] == {"client": "192.0.2.45", "mechanism": "web", "cause": "unknown user"}
