"""Where POP is off, the owner reads who can switch it on, by name."""

from __future__ import annotations

import html

import pytest

from mailstore.directory import admins, grants
from mailstore.models import Device, User
from tests.owner.mail import a_device
from tests.site.page_users import ANN, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD

pytestmark = pytest.mark.django_db


def pages() -> list[str]:
    client, key = signed_in(ANN), Device.objects.get(name="Phone").pk
    return [html.unescape(client.get(path).content.decode()) for path in ("/mailbox/", "/devices/", f"/devices/{key}/")]


def test_the_owner_reads_which_administrator_of_the_domain_to_ask_and_what_for():
    a_device(an_owner(pop=False), "Phone")
    grants.ensure("carla@example.net", ["example.org"], actor=ACTOR, password=PASSWORD)
    User.objects.filter(address="carla@example.net").update(name="Carla Smith")
    expected = "Ask the administrator of example.org, Carla Smith <carla@example.net>, to switch on “POP”"
    assert [expected in page for page in pages()] == [True] * 3
    grants.ensure("dan", ["example.org"], actor=ACTOR, password=PASSWORD)
    assert all("Ask an administrator of example.org (Carla Smith <carla@example.net>, dan)" in page for page in pages())


def test_where_nobody_administers_the_domain_it_is_the_provider_and_no_login_of_theirs_is_told(settings):
    settings.PROVIDER_NAME = "Three Rivers Post"
    a_device(an_owner(pop=False), "Phone")
    admins.ensure("secret-root", actor=ACTOR, password=PASSWORD)
    for page in pages():
        assert "Ask your provider, Three Rivers Post, to switch on “POP”" in page
        assert "secret-root" not in page


def test_where_pop_is_on_nothing_of_it_is_said():
    a_device(an_owner(), "Phone")
    assert not any("switch on “POP”" in page for page in pages())
