"""The pages of administrators: list, create, grant domains, suspend, new password, remove."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from mailstore.directory import admin_suspension, domain_rename, grants
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, DomainGrant, Mailbox, User
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_domain, at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


def text(answer) -> str:
    return html.unescape(answer.content.decode())


def secret_on(page: str) -> str:
    return re.search(r'id="copy-password">([^<]+)<', page).group(1)


def carla(*domains: str) -> User:
    for domain in domains:
        a_domain(domain)
    return grants.ensure("carla", domains, actor=ACTOR, password=PASSWORD).row


def test_both_kinds_are_listed_and_owners_are_not(root):
    carla("one.example", "two.example", "three.example", "four.example")
    an_owner()
    page = text(root.get("/admins/"))
    assert "root" in page
    assert "carla" in page
    assert "four.example, one.example, three.example" in page
    assert "of 4 domains" in page
    assert ANN not in page
    assert [row.address for row in root.get("/admins/?kind=owner").context["page"].rows] == ["carla"]


def test_the_list_costs_the_same_statements_for_any_number(root, django_assert_num_queries):
    for number in range(10):
        a_domain(f"d{number}.example")
        grants.ensure(f"admin{number}", [f"d{number}.example"], actor=ACTOR, password=PASSWORD)
    with django_assert_num_queries(6):
        root.get("/admins/")


def test_a_new_domain_admin_has_his_domains_and_a_password_that_is_shown_once(root):
    a_domain("one.example")
    a_domain("two.example")
    page = text(root.post("/admins/new/", {"login": "Carla", "kind": "domains", "domains": "one.example, TWO.example"}))
    user = User.objects.get(address="carla")
    assert user.check_password(secret_on(page))
    assert user.must_change_password
    assert {grant.domain.name for grant in user.grants.all()} == {"one.example", "two.example"}
    assert secret_on(page) not in text(root.get(f"/admins/{user.pk}/"))


def test_a_new_hosting_admin_runs_everything(root):
    page = text(root.post("/admins/new/", {"login": "second", "kind": "host"}))
    user = User.objects.get(address="second")
    assert (user.role, user.check_password(secret_on(page)), user.must_change_password) == ("admin", True, True)


@pytest.mark.parametrize(
    ("sent", "field", "error"),
    [
        ({"kind": "domains", "domains": ""}, "domains", "at least one domain"),
        ({"kind": "domains", "domains": "nowhere.example"}, "domains", "not a domain of this site"),
        ({"kind": "domains", "domains": "no domain"}, "domains", "lacks its ending"),
        ({"kind": "host", "domains": "one.example"}, "domains", "leave this empty"),
        ({"kind": "domains", "domains": "one.example", "login": "root"}, "login", "already manages every domain"),
        ({"kind": "host", "login": "two words"}, "login", "is not a login"),
    ],
)
def test_what_cannot_be_is_told_beside_its_field(root, sent, field, error):
    a_domain("one.example")
    form = root.post("/admins/new/", {"login": "carla", **sent}).context["form"]
    assert error in " ".join(form.errors[field])
    assert not User.objects.filter(address="carla").exists()


def test_domains_are_granted_and_withdrawn(root):
    user = carla("one.example")
    a_domain("two.example")
    root.post(f"/admins/{user.pk}/", {"domains": "two.example"})
    grant = DomainGrant.objects.get(user=user, domain__name="one.example")
    notice = text(root.post(f"/admins/{user.pk}/domains/{grant.pk}/", follow=True))
    assert [grant.domain.name for grant in user.grants.all()] == ["two.example"]
    entry = AuditEntry.objects.get(verb="grant.remove")
    undo = f'action="/admins/grants/{entry.pk}/restoral/"'
    assert undo in notice
    assert undo in text(root.get("/operations/?kind=removal"))
    assert "carla administers one.example." in text(root.post(f"/admins/grants/{entry.pk}/restoral/", follow=True))
    assert {grant.domain.name for grant in user.grants.all()} == {"one.example", "two.example"}
    assert "Already undone" in text(root.get("/operations/"))


def test_a_withdrawn_domain_is_given_back_under_its_present_name_and_to_nobody_who_left(root):
    user = carla("one.example", "two.example")
    entry = grants.revoke("carla", "one.example", actor=ACTOR)
    other = grants.revoke("carla", "two.example", actor=ACTOR)
    domain_rename.rename("one.example", "new.example", actor=ACTOR)
    root.post(f"/admins/grants/{entry.pk}/restoral/")
    assert [grant.domain.name for grant in user.grants.all()] == ["new.example"]
    assert "only a hosting admin can undo it" in text(signed_in("carla").get("/operations/")).lower()
    assert signed_in("carla").post(f"/admins/grants/{other.pk}/restoral/").status_code == 404
    admin_suspension.remove("carla", actor=ACTOR)
    assert "Carla is not a user of this site" in text(root.post(f"/admins/grants/{other.pk}/restoral/", follow=True))


def test_a_domain_admin_is_suspended_given_a_password_and_removed(root):
    user = carla("one.example")
    root.post(f"/admins/{user.pk}/suspension/", {"suspended": "yes"})
    assert signed_out("carla")
    assert f'action="/admins/{user.pk}/suspension/"' in text(root.get(f"/admins/{user.pk}/"))
    root.post(f"/admins/{user.pk}/suspension/")  # as the Undo of the notice sends it
    assert "shown once" in text(root.get(f"/admins/{user.pk}/password/"))
    secret = secret_on(text(root.post(f"/admins/{user.pk}/password/")))
    user.refresh_from_db()
    assert (user.check_password(secret), user.must_change_password) == (True, True)
    assert "created again" in text(root.get(f"/admins/{user.pk}/removal/"))
    root.post(f"/admins/{user.pk}/removal/")
    assert not User.objects.filter(address="carla").exists()
    entry = AuditEntry.objects.get(verb="admin.remove")
    assert (entry.subject, entry.details) == ("carla", {"domains": ["one.example"]})


def signed_out(name: str) -> bool:
    answer = Client().post("/sign-in/", {"username": name, "password": PASSWORD})
    return answer.status_code == 200


def test_an_owner_who_administers_keeps_the_mailbox(root):
    mailbox = an_owner()
    grants.grant(ANN, "example.org", actor=ACTOR)
    assert "owns a mailbox" in text(root.post(f"/admins/{mailbox.user.pk}/password/", follow=True))
    root.post(f"/admins/{mailbox.user.pk}/removal/")
    assert Mailbox.objects.filter(user__address=ANN).exists()
    assert not DomainGrant.objects.exists()


def test_the_last_hosting_admin_stays(root):
    user = User.objects.get(address="root")
    for act, sent in (("suspension", {"suspended": "yes"}), ("removal", {})):
        page = text(root.post(f"/admins/{user.pk}/{act}/", sent, follow=True))
        assert "the last hosting admin" in page
    user.refresh_from_db()
    assert user.is_active


@pytest.mark.django_db(transaction=True)
def test_two_who_remove_each_other_at_once_leave_one():
    an_admin("one")
    an_admin("two")
    at_once(*(lambda login=login: admin_suspension.remove(login, actor=ACTOR) for login in ("one", "two")))
    assert User.objects.filter(role="admin").count() == 1


def test_who_is_no_administrator_is_not_made_one_here():
    an_owner()
    with pytest.raises(Rejected, match="not an administrator"):
        admin_suspension.remove(ANN, actor=ACTOR)


@pytest.mark.parametrize("page", ["", "new/"])
def test_a_domain_admin_cannot_tell_that_the_pages_exist(page):
    carla("one.example")
    client = signed_in("carla")
    assert client.get(f"/admins/{page}").status_code == 404
    assert "/admins/" not in text(client.get("/overview/"))


@pytest.mark.parametrize("act", ["", "suspension/", "password/", "removal/", "domains/1/"])
def test_a_domain_admin_who_tries_an_administrators_key_is_told_to_the_audit_and_learns_nothing_there(act):
    carla("one.example")
    boss = an_admin("boss")
    client = signed_in("carla")
    assert client.post(f"/admins/{boss.pk}/{act}").status_code == 404
    entry = AuditEntry.objects.get(verb="denied")
    assert (entry.subject, entry.actor_name, entry.details["path"]) == ("boss", "carla", f"/admins/{boss.pk}/{act}")
    assert "boss" not in text(client.get("/audit/"))
    assert client.get("/admins/987654321/").status_code == 404
