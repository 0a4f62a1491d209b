"""`admin`: what it prints and changes."""

from __future__ import annotations

import json

import pytest

from mailstore.models import User
from tests.management.command_runner import said
from tests.site.rows import a_domain

pytestmark = pytest.mark.django_db


def test_admin_ensure_prints_a_password_that_works() -> None:
    output = json.loads(said("admin", "ensure", "root", "--json"))
    assert User.objects.get(address="root", role="admin").check_password(output["password"])


def test_a_domain_admin_is_made_and_loses_a_domain_at_the_shell() -> None:
    a_domain("one.example")
    a_domain("two.example")
    assert said("admin", "ensure", "carla", "--domain", "one.example").startswith("carla: created\n")
    assert said("admin", "grant", "carla", "two.example") == "carla: two.example granted\n"
    assert said("admin", "revoke", "carla", "one.example") == "carla: one.example revoked\n"
    assert json.loads(said("admin", "revoke", "carla", "one.example", "--json"))["changed"] is False
    assert [grant.domain.name for grant in User.objects.get(address="carla").grants.all()] == ["two.example"]
