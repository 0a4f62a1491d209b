"""The pages and the forgotten password take the names that POP3 takes, for the same account at the same cost."""

from __future__ import annotations

import itertools

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mailstore.directory import aliases, domains
from mailstore.models import Domain, KnownNetwork, User
from mailstore.policy import login_name
from mailstore.policy.throttle import UNKNOWN_ACCOUNTS_AN_HOUR, WRONG_PASSWORDS_A_DAY
from popadmin.signin.limits import login_throttle
from popadmin.web.mailer import mail_queue
from tests.signin.counting_hasher import Counting
from tests.signin.sent_mail import somewhere
from tests.site.page_users import an_admin, an_owner, sign_in, signed_in
from tests.site.rows import ACTOR, a_domain

pytestmark = pytest.mark.django_db
_serial = itertools.count(1)


@pytest.fixture
def local_part() -> str:
    """An owner with a new name for each test, because a process remembers failures and letters by name."""
    name = f"alice{next(_serial)}"
    an_owner(f"{name}@example.test")
    a_domain("example.net", stands_for=Domain.objects.get(name="example.test"))
    a_domain("sales.test", alias_sign_in=True)
    aliases.ensure("info@sales.test", [f"{name}@example.test"], actor=ACTOR)
    return name


def names(local_part: str) -> tuple[str, str, str]:
    return f"{local_part}@example.test", f"{local_part}@Example.NET", "info@sales.test"


def test_each_name_signs_the_same_owner_in(client, local_part):
    for name in names(local_part):
        assert sign_in(client, name).status_code == 302, name
        assert client.session["_auth_user_id"] == str(User.objects.get(address=f"{local_part}@example.test").pk)
        client.post("/sign-out/")


def test_an_alias_signs_in_only_where_its_domain_allows_it(client, local_part):
    domains.ensure("sales.test", actor=ACTOR, alias_sign_in=False)
    assert sign_in(client, "info@sales.test").status_code == 200
    domains.ensure("example.net", actor=ACTOR, active=False)
    assert sign_in(client, f"{local_part}@example.net").status_code == 200


def test_no_alias_opens_the_account_of_an_administrator_without_a_mailbox(client, local_part):
    an_admin("boss@elsewhere.example")
    aliases.ensure("boss@sales.test", ["boss@elsewhere.example"], actor=ACTOR)
    assert sign_in(client, "boss@sales.test").status_code == 200


def test_a_wrong_password_costs_the_same_by_every_name(client, settings, local_part):
    settings.PASSWORD_HASHERS = ["tests.signin.counting_hasher.Counting"]
    costs = []
    for name in (*names(local_part), "nobody@example.test", "nobody@example.net", "nobody@sales.test"):
        before = Counting.hashed
        with CaptureQueriesContext(connection) as queries:
            sign_in(client, name, "wrong", **somewhere())
        costs.append((Counting.hashed - before, len(queries)))
    assert len(set(costs)) == 1, costs


def test_known_networks_count_for_the_account_by_whatever_name(client, local_part):
    where = somewhere()
    own = f"{local_part}@example.test"
    sign_in(client, names(local_part)[1], **where)
    assert KnownNetwork.objects.get().user.address == own


def test_another_name_gives_nobody_a_fresh_count(client, local_part):
    where = somewhere()
    for number in range(WRONG_PASSWORDS_A_DAY):
        login_throttle.failed(where["REMOTE_ADDR"], f"{local_part}@example.test", f"guess {number}", unknown=False)
    for name in names(local_part):
        assert "Too many wrong passwords" in sign_in(client, name, "one more", **where).content.decode(), name


def test_the_link_for_a_forgotten_password_is_mailed_by_every_name(client, local_part):
    User.objects.filter(address=f"{local_part}@example.test").update(recovery_address="alice@home.example")
    for name in names(local_part):
        client.post("/password/forgotten/", {"address": name}, **somewhere())
    mail_queue.wait()
    assert [message.to for message in mail.outbox] == [["alice@home.example"]] * 3


def test_the_page_of_a_mailbox_lists_the_names_that_open_it(local_part):
    an_admin("root")
    aliases.ensure("closed@example.test", [f"{local_part}@example.test"], actor=ACTOR)
    box = User.objects.get(address=f"{local_part}@example.test").mailbox
    page = signed_in("root").get(f"/mailboxes/{box.pk}/")
    assert page.context["sign_in_names"] == [
        f"{local_part}@example.test",
        f"{local_part}@example.net",
        "info@sales.test",
    ]


def test_a_rename_says_that_the_old_address_opens_the_mailbox_where_its_domain_allows_it(local_part):
    an_admin("root")
    box = User.objects.get(address=f"{local_part}@example.test").mailbox
    sentence = "The old address opens the mailbox too"
    client = signed_in("root")
    page = reverse("mailboxes-rename", args=[box.pk])
    assert sentence not in client.get(page).content.decode()
    domains.ensure("example.test", actor=ACTOR, alias_sign_in=True)
    assert sentence in client.get(page).content.decode()


@pytest.mark.parametrize("form", ["{}", "{}%example.test", "{}/example.test"])
def test_the_pages_complete_a_name_as_pop3_does(client, settings, local_part, form):
    name = form.format(local_part)
    assert sign_in(client, name).status_code == 200
    settings.LOGIN_NAMES = login_name.read("panel.example.test=example.test,example.com", "%,/")
    settings.ALLOWED_HOSTS = ["panel.example.test"]
    assert sign_in(client, name, HTTP_HOST="panel.example.test:8000").status_code == 302


def test_the_login_of_an_administrator_goes_before_the_address_that_it_could_stand_for(client, settings, local_part):
    settings.LOGIN_NAMES = login_name.read("example.test", "")
    admin = an_admin(local_part)
    assert sign_in(client, local_part).status_code == 302
    assert client.session["_auth_user_id"] == str(admin.pk)


def test_bare_names_of_mailboxes_do_not_bar_a_network_on_the_pages(client, local_part):
    where = somewhere()
    for number in range(UNKNOWN_ACCOUNTS_AN_HOUR):
        an_owner(f"{local_part}x{number}@example.test")
        sign_in(client, f"{local_part}x{number}", "wrong", **where)
    assert sign_in(client, f"{local_part}@example.test", **where).status_code == 302
