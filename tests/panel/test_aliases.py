"""The pages of aliases, forwards and catch-alls, for hosting admins and domain admins."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mailstore.directory import aliases, domains, grants, mailbox_removal
from mailstore.models import Alias, AuditEntry
from tests.panel.test_domains import form_of, page
from tests.site.listed_rows import names as listed
from tests.site.page_users import an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, a_domain

pytestmark = pytest.mark.django_db
ORG, OTHER, AWAY = "example.org", "other.org", "away@elsewhere.example"


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


@pytest.fixture
def chief() -> Client:
    """Administers example.org, and nothing of other.org, where an alias is."""
    an_owner("chief@example.org")
    a_domain(OTHER)
    aliases.ensure("info@other.org", [AWAY], actor=ACTOR)
    grants.grant("chief@example.org", ORG, actor=ACTOR)
    return signed_in("chief@example.org")


def a_few() -> None:
    """An alias, one that expired, one switched off, a forward, a catch-all."""
    an_owner()
    a_domain(OTHER)
    aliases.ensure("info@example.org", ["ann@example.org", AWAY], actor=ACTOR, comment="the front desk")
    aliases.ensure("old@example.org", [AWAY], actor=ACTOR)
    Alias.objects.filter(address="old@example.org").update(expires_at=timezone.now() - timedelta(days=1))
    aliases.ensure("off@other.org", [AWAY], actor=ACTOR, active=False)
    aliases.ensure("ann@example.org", [AWAY], actor=ACTOR, keep_copy=True)
    aliases.ensure("@example.org", ["ann@example.org"], actor=ACTOR)


def test_an_empty_list_says_what_to_do(root: Client) -> None:
    assert "Create first domain" in page(root, "/aliases/")
    a_domain()
    assert "Create first alias" in page(root, "/aliases/")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["@example.org", "ann@example.org", "info@example.org", "off@other.org", "old@example.org"]),
        ("q=INFO", ["info@example.org"]),
        ("q=elsewhere&kind=alias", ["info@example.org", "off@other.org", "old@example.org"]),
        ("q=front", ["info@example.org"]),
        ("q=IN", ["info@example.org"]),
        ("domain=other.org", ["off@other.org"]),
        ("kind=forward", ["ann@example.org"]),
        ("kind=catch-all", ["@example.org"]),
        ("state=expired", ["old@example.org"]),
        ("state=off", ["off@other.org"]),
        ("target=nobody", []),
        ("target=outside", ["ann@example.org", "info@example.org", "off@other.org", "old@example.org"]),
        ("state=active", ["@example.org", "ann@example.org", "info@example.org"]),
    ],
)
def test_aliases_are_found(root: Client, query: str, found: list[str]) -> None:
    a_few()
    assert sorted(listed(page(root, f"/aliases/?{query}"))) == found


def test_names_in_another_script_are_found_and_shown_both_ways(root: Client) -> None:
    a_domain("bücher.example")
    aliases.ensure("info@bücher.example", ["post@bücher.example", AWAY], actor=ACTOR)
    for query in ("q=info@b%C3%BCcher.example", "q=b%C3%BCcher.example"):
        text = page(root, f"/aliases/?{query}")
        assert listed(text) == ["info@bücher.example"]
        assert '<span title="info@xn--bcher-kva.example"><b>info</b>@bücher.example</span>' in text
        assert "post@bücher.example" in text


def test_the_list_tells_what_each_is(root: Client) -> None:
    a_few()
    text = page(root, "/aliases/")
    for word in ("Forwards, keeps a copy", "Catch-all", "Expired", "Switched off", "the front desk", AWAY):
        assert word in text


def test_aliases_that_lead_to_nobody_are_counted_and_found(root: Client, chief: Client) -> None:
    an_owner()
    a_domain("alias.org", stands_for=domains.get(ORG))
    a_domain("caught.org")
    aliases.ensure("@caught.org", [AWAY], actor=ACTOR)
    for number, targets in enumerate(
        (
            ["nobody@example.org"],
            ["nobody@example.org", "x@other.org"],
            ["nobody@alias.org"],
            ["ann+detail@alias.org"],
            ["nobody@example.org", AWAY],
            ["x@caught.org"],
            ["info@other.org"],
        )
    ):
        aliases.ensure(f"a{number}@example.org", targets, actor=ACTOR)
    context = root.get("/aliases/?target=nobody").context
    assert [row.address for row in context["page"].rows] == [f"a{number}@example.org" for number in (0, 1, 2)]
    assert [chip.count for chip in context["chips"] if chip.label == "To nobody"] == ["3"]
    rows = chief.get("/aliases/?target=nobody").context["page"].rows
    assert [row.address for row in rows] == ["a0@example.org"], "who else exists is not told"


def test_the_list_costs_as_many_statements_for_sixty_as_for_one(
    root: Client, django_assert_max_num_queries: Any
) -> None:
    a_domain()
    for number in range(60):
        aliases.ensure(f"a{number}@example.org", [AWAY], actor=ACTOR)
    with django_assert_max_num_queries(12):
        page(root, "/aliases/?domain=example.org&state=active&q=a")


def test_an_alias_is_made_for_a_time(root: Client) -> None:
    a_domain()
    a_domain(OTHER)
    sent = form_of(
        root,
        "/aliases/new/?domain=example.org",
        address="Fair",
        targets="ann@example.com\nbob@example.com",
        expires_at="2999-12-31",
        comment="the fair",
    )
    response = root.post("/aliases/new/?domain=example.org", sent, follow=True)
    row = Alias.objects.get()
    assert (row.address, row.targets) == ("fair@example.org", ["ann@example.com", "bob@example.com"])
    assert (row.comment, timezone.localtime(row.expires_at).date().isoformat()) == ("the fair", "2999-12-31")
    assert "fair@example.org is created." in response.content.decode()


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"address": "info"}, None, ""),
        ({"address": "info@nowhere.example"}, "address", "not one of your domains"),
        ({"address": "taken@example.org"}, "address", "already an alias"),
        ({"address": "ann@example.org"}, "keep_copy", "say whether it keeps a copy"),
        ({"targets": "ann"}, "targets", "has no @"),
        ({"targets": ""}, "targets", "required"),
        ({"targets": "info@example.org"}, "targets", "would lead back to itself"),
        ({"expires_at": "2001-01-01"}, "expires_at", "would have expired already"),
        ({"expires_at": "soon"}, "expires_at", "valid date"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    root: Client, changed: dict[str, str], field: str | None, said: str
) -> None:
    an_owner()
    aliases.ensure("taken@example.org", [AWAY], actor=ACTOR)
    sent = {"address": "info@example.org", "targets": AWAY, "comment": "kept", "active": "on", **changed}
    response = root.post("/aliases/new/", sent)
    if field is None:  # one domain only: the part before the @ is enough
        assert Alias.objects.filter(address="info@example.org").exists()
        return
    assert said in str(response.context["form"].errors[field])
    assert 'value="kept"' in response.content.decode()
    assert Alias.objects.count() == 1


def test_a_forward_says_whether_it_keeps_a_copy(root: Client) -> None:
    an_owner()
    sent = {"address": "ann@example.org", "targets": AWAY, "keep_copy": "yes", "active": "on"}
    root.post("/aliases/new/", sent)
    row = Alias.objects.get()
    assert (str(row.mailbox), row.keep_copy) == ("ann@example.org", True)
    path = f"/aliases/{row.pk}/"
    root.post(path, form_of(root, path, keep_copy=False))
    assert not Alias.objects.get().keep_copy


def test_a_change_is_saved_and_who_comes_second_is_told(root: Client) -> None:
    a_domain()
    row = aliases.ensure("info@example.org", [AWAY], actor=ACTOR).row
    path = f"/aliases/{row.pk}/"
    mine = form_of(root, path, comment="mine")
    aliases.ensure("info@example.org", ["bob@example.com"], actor=ACTOR)
    response = root.post(path, mine)
    assert "Somebody has changed this" in response.content.decode()
    assert 'value="mine"' in response.content.decode()
    assert Alias.objects.get().comment == ""
    root.post(path, form_of(root, path, comment="mine"))
    assert (Alias.objects.get().comment, Alias.objects.get().targets) == ("mine", ["bob@example.com"])


def test_a_removal_is_done_at_once_and_undone_from_its_notice(root: Client) -> None:
    a_domain()
    row = aliases.ensure("info@example.org", [AWAY], actor=ACTOR, comment="kept").row
    assert root.get(f"/aliases/{row.pk}/removal/").status_code == 405
    response = root.post(f"/aliases/{row.pk}/removal/", follow=True)
    assert response.redirect_chain == [("/aliases/?domain=example.org", 302)]
    assert not Alias.objects.exists()
    undo = re.search(r'action="(/aliases/removed/\d+/restoral/)"', response.content.decode())[1]
    response = root.post(undo, follow=True)
    assert "info@example.org is restored." in response.content.decode()
    assert Alias.objects.get().comment == "kept"
    response = root.post(undo, follow=True)
    assert "info@example.org is an alias again: it was not restored" in response.content.decode()


def test_targets_that_do_not_exist_are_told_when_saved_on_the_page_and_in_the_list(root: Client) -> None:
    a_domain()
    sent = {"address": "info@example.org", "targets": f"nobody@example.org\n{AWAY}", "active": "on"}
    response = root.post("/aliases/new/", sent, follow=True)
    assert "nobody@example.org does not exist: mail for it is refused." in response.content.decode()
    assert "Partly to nobody" in response.content.decode()
    path = f"/aliases/{Alias.objects.get().pk}/"
    assert "nobody@example.org does not exist." in page(root, path)
    root.post(path, form_of(root, path, targets="nobody@example.org"))
    assert "Leads to nobody" in page(root, path)
    assert "Leads to nobody" in page(root, "/aliases/")
    an_owner("nobody@example.org")
    assert "Leads to nobody" not in page(root, "/aliases/")


def test_a_missing_domain_is_created_from_there_by_a_hosting_admin_only(root: Client, chief: Client) -> None:
    sent = {"address": "info@new.example", "targets": AWAY}
    create = 'href="/domains/new/?name=new.example"'
    assert create in root.post("/aliases/new/", sent).content.decode()
    assert create not in chief.post("/aliases/new/", sent).content.decode()
    assert 'value="new.example"' in page(root, "/domains/new/?name=new.example")


def test_a_mailbox_in_a_missing_domain_leads_a_hosting_admin_there_too(root: Client, chief: Client) -> None:
    create = 'href="/domains/new/?name=new.example"'
    assert create in root.post("/mailboxes/new/", {"address": "ann@new.example"}).content.decode()
    assert create not in chief.post("/mailboxes/new/", {"address": "ann@new.example"}).content.decode()


def test_where_mail_for_an_alias_of_an_alias_arrives_is_told_to_hosts(root: Client, chief: Client) -> None:
    ann = an_owner()
    aliases.ensure("staff@example.org", ["ann@example.org", "info@other.org"], actor=ACTOR)
    row = aliases.ensure("desk@example.org", ["staff@example.org"], actor=ACTOR).row
    text = page(root, f"/aliases/{row.pk}/")
    arrives = text[text.index("Mail for it arrives at") : text.index("<form", text.index("Mail for it arrives at"))]
    assert f'<a href="/mailboxes/{ann.pk}/">ann@example.org</a>' in arrives
    assert AWAY in arrives
    assert "Mail for it arrives at" not in page(chief, f"/aliases/{row.pk}/"), "the way leads through another's domain"


def test_the_forward_of_a_removed_mailbox_is_not_there(root: Client) -> None:
    an_owner()
    row = aliases.ensure("ann@example.org", [AWAY], actor=ACTOR, keep_copy=True).row
    mailbox_removal.remove("ann@example.org", actor=ACTOR, with_mail=True)
    assert listed(page(root, "/aliases/")) == []
    assert root.get(f"/aliases/{row.pk}/").status_code == 404


def test_a_domain_admin_sees_his_aliases_and_no_others(chief: Client) -> None:
    aliases.ensure("info@example.org", [AWAY], actor=ACTOR)
    assert listed(page(chief, "/aliases/")) == ["info@example.org"]
    assert OTHER not in chief.get("/aliases/?export=csv").getvalue().decode()
    assert listed(page(chief, "/aliases/?domain=other.org")) == []


@pytest.mark.parametrize("way", ["", "removal/"])
def test_anothers_alias_is_not_there_and_the_try_is_told(chief: Client, way: str) -> None:
    row = Alias.objects.get(address="info@other.org")
    assert chief.get(f"/aliases/{row.pk}/{way}").status_code == (405 if way else 404)
    assert chief.post(f"/aliases/{row.pk}/{way}", {"targets": "x@y.example"}).status_code == 404
    assert Alias.objects.get(pk=row.pk).targets == [AWAY]
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.subject) == ("denied", "info@other.org")


def test_a_domain_admin_makes_no_alias_in_anothers_domain(chief: Client) -> None:
    sent = {"address": "new@other.org", "targets": AWAY, "active": "on"}
    response = chief.post("/aliases/new/", sent)
    assert "not one of your domains" in str(response.context["form"].errors["address"])
    assert not Alias.objects.filter(address="new@other.org").exists()
    sent["address"] = "new"
    chief.post("/aliases/new/", sent)
    assert Alias.objects.filter(address="new@example.org").exists()


def test_an_owner_has_no_such_pages() -> None:
    an_owner()
    client = signed_in("ann@example.org")
    for path in ("/aliases/", "/aliases/new/"):
        assert client.get(path).status_code == 404
