"""A user's settings: the name, and the browsers in which they are signed in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.models import AuditEntry, User, WebSession
from popadmin.signin.sessions import browser_name
from tests.site.page_users import ANN, an_admin, an_owner, sign_in, signed_in

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def sessions(client):
    return client.get("/settings/").context["sessions"]


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari, iPhone"),
        ("curl/8.5", "another browser"),
        ("", "another browser"),
    ],
)
def test_a_browser_is_told_as_its_user_knows_it(agent, name):
    assert browser_name(agent) == name


def test_a_name_is_kept_and_told_once():
    an_owner()
    AuditEntry.objects.all().delete()
    client = signed_in(ANN)
    for _again in range(2):
        response = client.post("/settings/", {"name": " Ann   Smith "}, follow=True)
    assert "Saved." in response.content.decode()
    assert User.objects.get(address=ANN).name == "Ann Smith"
    assert list(AuditEntry.objects.values_list("verb", flat=True)) == ["account.name"]


@pytest.mark.parametrize("name", ["x" * 151, "a\0b"])
def test_what_cannot_be_kept_is_shown_beside_its_field(name):
    an_owner()
    response = signed_in(ANN).post("/settings/", {"name": name})
    assert set(response.context["form"].errors) == {"name"}


def test_each_browser_is_listed_with_place_and_time_this_one_first():
    an_owner()
    elsewhere = signed_in(ANN)
    elsewhere.get("/mailbox/", headers={"user-agent": FIREFOX}, REMOTE_ADDR="192.0.2.7")
    here, other = sessions(signed_in(ANN))
    assert (here.is_current, other.is_current) == (True, False)
    assert (other.browser, other.client) == ("Firefox, Linux", "192.0.2.7")
    assert timezone.now() - other.last_seen_at < timedelta(minutes=1)


def test_no_page_shows_the_key_of_a_session():
    an_owner()
    signed_in(ANN)
    page = signed_in(ANN).get("/settings/").content.decode()
    assert not [key for key in WebSession.objects.values_list("session_key", flat=True) if key in page]


def test_one_browser_is_signed_out_and_the_others_go_on():
    an_owner()
    one, two, here = signed_in(ANN), signed_in(ANN), signed_in(ANN)
    one.get("/mailbox/", REMOTE_ADDR="192.0.2.7")
    (handle,) = [session.handle for session in sessions(here) if session.client == "192.0.2.7"]
    assert (
        "1 browser is signed out."
        in here.post("/settings/sessions/", {"session": handle}, follow=True).content.decode()
    )
    assert one.get("/mailbox/").status_code == 302
    assert two.get("/mailbox/").status_code == 200
    assert here.get("/mailbox/").status_code == 200


def test_all_others_are_signed_out_at_once():
    an_owner()
    others, here = [signed_in(ANN), signed_in(ANN)], signed_in(ANN)
    here.post("/settings/sessions/")
    assert [client.get("/mailbox/").status_code for client in others] == [302, 302]
    assert here.get("/mailbox/").status_code == 200
    assert AuditEntry.objects.latest("pk").details == {"sessions": 2}


def test_nobody_elses_browser_is_signed_out_by_its_handle():
    an_owner()
    an_owner("bob@example.org")
    bob = signed_in("bob@example.org")
    (of_bob,) = sessions(bob)
    signed_in(ANN).post("/settings/sessions/", {"session": of_bob.handle})
    assert bob.get("/mailbox/").status_code == 200


def test_a_session_that_ended_with_the_password_is_not_listed():
    an_owner()
    signed_in(ANN)
    here = signed_in(ANN)
    user = User.objects.get(address=ANN)
    user.set_password("a wholly different one")
    user.save()
    assert here.get("/settings/").status_code == 302
    sign_in(here, ANN, "a wholly different one")
    assert len(sessions(here)) == 1


def test_a_page_writes_nothing_while_the_session_was_seen_a_moment_ago(django_assert_num_queries):
    an_admin()
    client = signed_in("root")
    client.get("/settings/")
    with django_assert_num_queries(4):  # the session, the user, the sessions, the counts of the menu
        client.get("/settings/")


def test_strangers_leave_no_sessions(client):
    for path in ("/sign-in/", "/password/forgotten/", "/password/new/MQ/c0ffee-1/", "/setup/device/"):
        client.get(path)
    assert not WebSession.objects.exists()
