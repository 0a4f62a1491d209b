"""The pages of domains: list, create, edit, remove, restore; who may do so, and in how many statements."""

from __future__ import annotations

import csv
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mailstore.directory import (
    aliases,
    domain_removal,
    domains,
    grants,
    mailbox_batch,
    mailbox_removal,
    mailboxes,
    policies,
)
from mailstore.directory.mailbox_judge import Wanted
from mailstore.models import Alias, AuditEntry, Domain, DomainGrant, Mailbox, Message, TallyMark, User
from mailstore.retention import sweep
from tests.site import listed_rows
from tests.site.empty_body_store import EmptyBodyStore
from tests.site.page_users import an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox, a_message

pytestmark = pytest.mark.django_db
ORG, OTHER, ANN = "example.org", "other.org", "ann@example.org"
GB = 2**30


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


@pytest.fixture
def chief() -> Client:
    """Administers example.org, and nothing of other.org."""
    an_owner("chief@example.org")
    a_domain(OTHER)
    grants.grant("chief@example.org", ORG, actor=ACTOR)
    return signed_in("chief@example.org")


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def key(name: str = ORG) -> int:
    return Domain.objects.get(name=name).pk


def form_of(client: Client, path: str, **changed: Any) -> dict[str, Any]:
    """What a browser would send of the form on this page, with these fields typed over."""
    form = client.get(path).context["form"]
    values = {bound.name: bound.value() for bound in form}
    initial = {name: form[name].field.prepare_value(value) for name, value in values.items()}
    sent = {name: value for name, value in initial.items() if value not in (None, False)}
    sent = {name: "on" if value is True else value for name, value in sent.items()}
    sent.update(changed)
    return {name: value for name, value in sent.items() if value is not False}


# --- the list -----------------------------------------------------------------------------------------------------


def test_an_empty_list_says_what_to_do(root: Client) -> None:
    assert "Create first domain" in page(root, "/domains/")


def test_the_list_tells_use_limits_and_both_spellings(root: Client) -> None:
    a_domain("bücher.example", mailbox_limit=5, quota_octets=GB)
    domains.ensure("alias.example", actor=ACTOR, stands_for=domains.get("bücher.example"))
    a_message(a_mailbox("ann@xn--bcher-kva.example"), octets=GB // 2)
    text = page(root, "/domains/")
    assert "bücher.example" in text
    assert "bücher.example" in text
    assert "50\xa0%" in text.replace("&nbsp;", "\xa0")
    assert ">1 of 5</a>" in text
    assert "Alias of bücher.example" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=full", ["full.example"]),
        ("q=Bücher.example", ["bücher.example"]),
        ("state=suspended", ["off.example"]),
        ("state=standing", ["alias.example"]),
        ("usage=near", ["full.example", "near.example"]),
        ("usage=almost", ["near.example"]),
        ("usage=full", ["full.example"]),
        ("sort=-stored", ["full.example", "near.example", "off.example", "alias.example", "bücher.example"]),
        ("sort=-name", ["bücher.example", "off.example", "near.example", "full.example", "alias.example"]),
    ],
)
def test_domains_are_found_and_sorted(root: Client, query: str, found: list[str]) -> None:
    a_domain("bücher.example")
    domains.ensure("alias.example", actor=ACTOR, stands_for=domains.get("bücher.example"))
    a_domain("off.example", active=False)
    for name, octets in (("near.example", 95), ("full.example", 100)):
        a_message(a_mailbox(f"ann@{name}"), octets=octets)
        domains.ensure(name, actor=ACTOR, quota_octets=100)
    assert listed_rows.names(page(root, f"/domains/?{query}")) == found


def test_the_list_costs_as_many_statements_for_sixty_domains_as_for_one(
    root: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        a_mailbox(f"ann@d{number}.example")
    for query in ("", "?sort=-stored&usage=free", "?q=example"):
        with django_assert_max_num_queries(12):
            page(root, f"/domains/{query}")


def test_the_file_has_every_domain(root: Client) -> None:
    a_message(a_mailbox(), octets=70)
    text = root.get("/domains/?export=csv").getvalue().decode("utf-8-sig")
    assert text.splitlines()[1].startswith("example.org,")
    assert ",70," in text


# --- make and change ----------------------------------------------------------------------------------------------


def test_the_file_has_the_policy_and_the_rules_by_one_statement(root: Client, django_assert_max_num_queries) -> None:
    brief = policies.make("Brief", actor=ACTOR)
    for number in range(9):
        a_domain(f"d{number}.example", policy=brief, over_quota="reject", owner_forwards=True, mailbox_quota_most=7)
    with django_assert_max_num_queries(6):
        text = root.get("/domains/?export=csv").getvalue().decode("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["Retention policy"] for row in rows} == {"Brief"}
    assert {row["When a mailbox is full"] for row in rows} == {"reject (the sender is told)"}
    assert {row["Owners may forward their mail"] for row in rows} == {"True"}
    assert {row["Largest quota of a mailbox"] for row in rows} == {"7"}


def test_a_domain_is_made_and_shown(root: Client) -> None:
    sent = form_of(root, "/domains/new/", name="Bücher.example", mailbox_quota_default="1.5 GB", mailbox_limit="9")
    response = root.post("/domains/new/", sent, follow=True)
    made = Domain.objects.get()
    assert response.redirect_chain == [(f"/domains/{made.pk}/", 302)]
    assert (made.name, made.mailbox_quota_default, made.mailbox_limit) == ("xn--bcher-kva.example", 3 * GB // 2, 9)
    assert "xn--bcher-kva.example is created." in response.content.decode()
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.actor_name, entry.via) == ("domain.create", "root", "web")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "no dots", "is not a domain name"),
        ("name", "example.org", "already exists"),
        ("quota_octets", "lots", "Write a number, such as"),
        ("quota_octets", "1024", "write 1024MB, or 1024B for bytes"),
        ("mailbox_quota_default", "500", "500 could be 500 bytes or 500 MB"),
        ("mailbox_quota_most", "0", "write none for no limit, or 0B for no mail"),
        ("allotment_octets", "1024", "write 1024MB, or 1024B for bytes"),
        ("mailbox_limit", "-1", "Write 0 or more"),
        ("mailbox_quota_default", "99 GB", "more than the largest quota of a mailbox"),
        ("stands_for", "nowhere.example", "not one of your domains"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(
    root: Client, field: str, value: str, said: str
) -> None:
    a_domain()
    sent = {"name": "new.example", "mailbox_quota_most": "1 GB", "over_quota": "reject", field: value}
    response = root.post("/domains/new/", sent)
    errors = response.context["form"].errors
    assert list(errors) == [field]
    assert said in str(errors[field])
    assert f'value="{value.removesuffix(" GB")}"' in response.content.decode()
    assert Domain.objects.count() == 1


def test_a_look_alike_is_made_only_when_the_box_is_ticked(root: Client) -> None:
    a_domain("apple.com")
    sent = form_of(root, "/domains/new/", name="\u0430pple.com")
    response = root.post("/domains/new/", sent)
    assert "mixes letters that look alike" in str(response.context["form"].errors["name"])
    assert 'type="checkbox" name="look_alike"' in response.content.decode()
    root.post("/domains/new/", {**sent, "look_alike": "on"})
    assert Domain.objects.filter(name="xn--pple-43d.com").exists()


def test_a_limit_below_what_is_stored_is_saved_only_after_its_consequences_were_shown(root: Client) -> None:
    a_message(a_mailbox(), octets=5120)
    path = f"/domains/{key()}/edit/"
    changed = form_of(root, path, quota_octets="5 KB", quota_octets_small="on", over_quota="reject")
    answer = root.post(path, changed)
    assert "The domain stores 5\xa0KB, the limit is 5\xa0KB." in answer.content.decode()
    assert "New mail will be rejected (552)" in answer.content.decode()
    assert "Save anyway" in answer.content.decode()
    assert Domain.objects.get().quota_octets is None
    despite = answer.context["shortfall"].token
    assert root.post(path, {**changed, "quota_octets": "1 KB", "despite": despite}).status_code == 200, "asked anew"
    assert root.post(path, {**changed, "despite": despite}).status_code == 302
    domain = Domain.objects.get()
    assert (domain.quota_octets, domain.over_quota) == (5 * 1024, "reject")


def test_a_limit_with_room_is_saved_at_once(root: Client) -> None:
    a_message(a_mailbox(), octets=5120)
    path = f"/domains/{key()}/edit/"
    assert root.post(path, form_of(root, path, quota_octets="6 KB", quota_octets_small="on")).status_code == 302
    assert root.post(path, form_of(root, path, quota_octets="")).status_code == 302
    assert Domain.objects.get().quota_octets is None


def test_who_comes_second_is_told_what_is_new_and_loses_nothing(root: Client) -> None:
    a_domain()
    path = f"/domains/{key()}/edit/"
    mine = form_of(root, path, mailbox_limit="7")
    domains.ensure(ORG, actor=ACTOR, alias_limit=3)
    response = root.post(path, mine)
    assert "Somebody has changed this" in response.content.decode()
    assert 'name="mailbox_limit" value="7"' in response.content.decode()
    assert Domain.objects.get().mailbox_limit is None
    again = {**mine, "seen": response.context["form"]["seen"].value(), "alias_limit": "3"}
    assert root.post(path, again).status_code == 302
    assert (Domain.objects.get().mailbox_limit, Domain.objects.get().alias_limit) == (7, 3)


def test_suspending_and_resuming(root: Client) -> None:
    a_domain()
    path = f"/domains/{key()}/suspension/"
    root.post(path, {"active": "no"})
    assert not Domain.objects.get().active
    root.post(path, {"active": "yes"})
    assert Domain.objects.get().active


def test_the_catch_all_is_a_field_of_the_domain(root: Client) -> None:
    an_owner()
    path = f"/domains/{key()}/catch-all/"
    root.post(path, form_of(root, path, targets="ann@example.org, bob@example.com"))
    assert Alias.objects.get(address="@example.org").targets == ["ann@example.org", "bob@example.com"]
    assert "ann@example.org, bob@example.com" in page(root, f"/domains/{key()}/addresses/")
    response = root.post(path, form_of(root, path, targets="nonsense"))
    assert "has no @" in str(response.context["form"].errors["targets"])
    root.post(path, form_of(root, path, targets=""))
    assert not Alias.objects.exists()


def test_a_form_with_two_wrong_fields_counts_them_and_says_what_to_write(root: Client) -> None:
    text = root.post("/domains/new/", {"over_quota": "reject", "name": "", "quota_octets": "lots"}).content.decode()
    assert "2 fields need a look:" in text
    assert '<a href="#id_name">Name</a>' in text
    assert "Write the name of the domain, like example.org." in text
    text = root.post("/domains/new/", {"over_quota": "reject", "name": "clinique"}).content.decode()
    assert "“clinique” lacks its ending: write the whole name, like clinique.example" in text
    assert "need a look" not in text


def test_the_tab_of_addresses_counts_the_rows_that_it_lists(root: Client) -> None:
    an_owner()
    aliases.ensure(ANN, ["away@elsewhere.example"], actor=ACTOR, keep_copy=True)
    aliases.ensure(f"info@{ORG}", [ANN], actor=ACTOR)
    aliases.set_catch_all(ORG, [ANN], actor=ACTOR)
    text = page(root, f"/domains/{key()}/addresses/")
    assert re.search(r'Addresses\s+<span class="num">2<', text)
    assert text.count('<td class="c-state">') == 2


def test_more_than_one_state_is_one_line_with_the_others_as_its_rows(root: Client) -> None:
    for name, octets in (("full", 100), ("near", 95)):
        a_message(a_mailbox(f"{name}@example.org"), octets=octets)
        mailboxes.ensure(f"{name}@example.org", actor=ACTOR, quota_octets=100)
    domains.ensure(ORG, actor=ACTOR, mailbox_limit=2)
    content = page(root, f"/domains/{key()}/").partition('class="content"')[2]
    assert content.count('<div class="line') == 1
    rows = content.partition('<ul class="ledger">')[2].partition("</ul>")[0]
    assert ("1 mailbox is nearly full" in rows, "No room for another mailbox" in rows) == (True, True)
    assert ("refusing mail" in rows, rows.count("<li>")) == (False, 2)


@pytest.mark.parametrize("days", [-1, 1])
def test_a_catch_all_that_is_saved_leads_on_also_when_it_had_expired(root: Client, days: int) -> None:
    an_owner()
    aliases.set_catch_all(ORG, [ANN], actor=ACTOR)
    ends = timezone.now() + timedelta(days=days)
    Alias.objects.update(expires_at=ends)
    assert ("Expired" in page(root, f"/domains/{key()}/addresses/")) == (days < 0)
    path = f"/domains/{key()}/catch-all/"
    text = root.post(path, form_of(root, path, targets=ANN), follow=True).content.decode()
    assert "Saved." in text
    assert "Expired" not in page(root, f"/domains/{key()}/addresses/")
    assert Alias.objects.get().expires_at == (None if days < 0 else ends)


def test_the_detail_costs_a_few_statements_whatever_is_in_the_domain(
    root: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        a_mailbox(f"box{number}@example.org")
        aliases.ensure(f"alias{number}@example.org", ["bob@example.com"], actor=ACTOR)
        grants.ensure(f"admin{number}", [ORG], actor=ACTOR)
    for tab in ("", "addresses/", "admins/", "settings/"):
        with django_assert_max_num_queries(16):
            text = page(root, f"/domains/{key()}/{tab}")
        assert "All aliases of this domain" in text or tab != "addresses/"


def test_the_state_says_by_whom_and_since_when_it_is_suspended_and_offers_undo(root: Client) -> None:
    a_domain()
    response = root.post(f"/domains/{key()}/suspension/", {"active": "no"}, follow=True)
    text = response.content.decode()
    assert "Suspended by root" in text
    assert "<time" in text.partition("Suspended by root")[2][:200]
    assert text.count(f'action="/domains/{key()}/suspension/"') == 1, "Resume in the state"
    root.post(re.search(r'action="(/domains/\d+/suspension/\?undoes=\d+)"', text)[1])
    assert Domain.objects.get().active


def test_the_state_counts_mailboxes_that_refuse_and_leads_to_them(root: Client) -> None:
    for name, octets in (("full", 100), ("fuller", 150), ("near", 95), ("free", 10)):
        a_message(a_mailbox(f"{name}@example.org"), octets=octets)
        mailboxes.ensure(f"{name}@example.org", actor=ACTOR, quota_octets=100)
    text = page(root, f"/domains/{key()}/")
    assert "2 mailboxes are refusing mail: full" in text
    assert "1 mailbox is nearly full" in text
    assert 'href="/mailboxes/?domain=example.org&amp;usage=100"' in text
    order = [text.index(f"<b>{name}</b>") for name in ("fuller", "full", "near", "free")]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"quota_octets": 100}, "Refusing new mail: the domain is full"),
        ({"quota_octets": 105}, "The domain is nearly full"),
        ({"mailbox_limit": 1}, "No room for another mailbox"),
        ({"alias_limit": 1}, "No room for another alias"),
        ({"allotment_octets": 1000}, "No quota is left to give"),
        ({"allotment_octets": 1100}, "Little quota is left to give"),
        ({}, "Receiving"),
    ],
)
def test_the_state_names_the_limits_that_are_near_or_reached(root: Client, limits: dict[str, int], said: str) -> None:
    a_message(a_mailbox(), octets=100)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=1000)
    aliases.ensure("info@example.org", [ANN], actor=ACTOR)
    domains.ensure(ORG, actor=ACTOR, **limits)
    lines = root.get(f"/domains/{key()}/").context["lines"]
    assert [line.lead for line in lines] == [said]
    remedies = [remedy.url for remedy in lines[0].remedies]
    assert remedies == ([f"/domains/{key()}/edit/"] if limits else [])


@pytest.mark.parametrize("limit", ["alias_limit", "allotment_octets", "mailbox_limit", "quota_octets"])
def test_a_limit_of_nothing_where_nothing_is_used_warns_of_nothing(root: Client, limit: str) -> None:
    domains.ensure(ORG, actor=ACTOR, **{limit: 0})
    assert [line.lead for line in root.get(f"/domains/{key()}/").context["lines"]] == ["No mailbox yet"]
    assert 'class="num bad"' not in page(root, f"/domains/{key()}/")


def test_a_domain_that_may_store_nothing_refuses_the_mail_of_its_mailboxes(root: Client) -> None:
    a_mailbox()
    domains.ensure(ORG, actor=ACTOR, quota_octets=0)
    (line,) = root.get(f"/domains/{key()}/").context["lines"]
    assert line.lead == "Refusing new mail: the domain is full"


def test_deliveries_are_told_with_when_they_were_counted(root: Client) -> None:
    a_message(a_mailbox())
    assert "Deliveries are not counted yet." in page(root, f"/domains/{key()}/")
    TallyMark.objects.create(pk=1, counted_at=timezone.now())
    assert re.search(r"0 messages in 30 days, counted <time[^>]*>just now", page(root, f"/domains/{key()}/"))


def test_a_domain_admin_is_told_whom_to_ask_for_a_higher_limit(chief: Client) -> None:
    domains.ensure(ORG, actor=ACTOR, mailbox_limit=1)
    text = page(chief, f"/domains/{key()}/")
    assert "Mailboxes: 1 of 1. Ask a hosting admin to raise the limit." in text
    assert f"/domains/{key()}/suspension/" not in text


def test_a_domain_without_mailboxes_says_so(root: Client) -> None:
    a_domain()
    assert "No mailbox yet" in page(root, f"/domains/{key()}/")


# --- its admins ---------------------------------------------------------------------------------------------------


def test_a_forward_of_a_removed_mailbox_is_on_no_page_and_accuses_nobody(root: Client) -> None:
    a_mailbox()
    forward = aliases.ensure(ANN, ["away@elsewhere.example"], actor=ACTOR, keep_copy=True).row
    assert f"/aliases/{forward.pk}/" in page(root, f"/domains/{key()}/addresses/")
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    text = page(root, f"/domains/{key()}/addresses/")
    assert f"/aliases/{forward.pk}/" not in text
    assert "None yet. An alias delivers" in text
    assert root.get(f"/aliases/{forward.pk}/").status_code == 404
    assert not AuditEntry.objects.filter(verb="denied").exists()


def test_an_admin_is_made_with_a_password_shown_once_and_withdrawn(root: Client) -> None:
    a_domain()
    response = root.post(f"/domains/{key()}/admins/new/", {"login": "dora"})
    secret = response.context["secret"]
    dora = User.objects.get(address="dora")
    assert dora.check_password(secret)
    assert dora.must_change_password
    User.objects.filter(pk=dora.pk).update(must_change_password=False)
    assert "/domains/" in page(signed_in_with("dora", secret), "/domains/")
    text = page(root, f"/domains/{key()}/admins/")
    assert "dora" in text
    assert secret not in text
    root.post(f"/domains/{key()}/admins/{DomainGrant.objects.get().pk}/")
    assert not DomainGrant.objects.exists()


def test_an_owner_who_is_here_already_becomes_an_admin_without_a_new_password(root: Client) -> None:
    an_owner()
    response = root.post(f"/domains/{key()}/admins/new/", {"login": "ann@example.org"}, follow=True)
    assert "ann@example.org administers example.org." in response.content.decode()
    response = root.post(f"/domains/{key()}/admins/new/", {"login": "root"})
    assert "is a hosting admin" in str(response.context["form"].errors["login"])


def signed_in_with(name: str, password: str) -> Client:
    client = Client()
    assert client.post("/sign-in/", {"username": name, "password": password}).status_code == 302
    return client


# --- removal ------------------------------------------------------------------------------------------------------


def test_a_removal_counts_what_goes_and_wants_the_name(root: Client) -> None:
    a_message(a_mailbox(), octets=2048)
    aliases.ensure("info@example.org", ["ann@example.org"], actor=ACTOR)
    path = f"/domains/{key()}/removal/"
    text = page(root, path)
    for count in ("1 mailbox", "1 message, 2\xa0KB", "1 alias", "30 days"):
        assert count in text
    response = root.post(path, {"name": "example.com"})
    assert "This is not example.org." in str(response.context["form"].errors["name"])
    assert Domain.objects.get().removed_at is None
    response = root.post(path, {"name": " Example.ORG "}, follow=True)
    assert response.redirect_chain == [("/domains/removed/", 302)]
    assert Domain.objects.get().removed_at is not None
    assert "example.org" in response.content.decode()


def test_a_removed_domain_is_restored_with_its_mailboxes(root: Client) -> None:
    a_mailbox()
    domain_removal.remove(ORG, actor=ACTOR, with_mailboxes=True)
    assert "Create first domain" in page(root, "/domains/")
    assert root.get(f"/domains/{key()}/").url == "/domains/removed/"
    response = root.post(f"/domains/{key()}/restoral/", follow=True)
    assert response.redirect_chain == [(f"/domains/{key()}/", 302)]
    assert Mailbox.objects.get().removed_at is None


def test_a_removed_domain_is_destroyed_only_by_its_name(root: Client) -> None:
    a_message(a_mailbox())
    domain_removal.remove(ORG, actor=ACTOR, with_mailboxes=True)
    path = f"/domains/{key()}/purge/"
    assert "cannot be undone" in page(root, path)
    root.post(path, {"name": "example"})
    assert Domain.objects.exists()
    root.post(path, {"name": ORG})
    assert Message.objects.exists()
    assert "in a few minutes" in page(root, "/domains/removed/")
    root.post(f"/domains/{key()}/restoral/")
    assert Domain.objects.get().removed_at is not None
    sweep.tend(EmptyBodyStore())
    assert not Domain.objects.exists()
    assert not Mailbox.objects.exists()


def test_a_large_domain_is_not_destroyed_while_somebody_waits_for_the_page(
    root: Client, django_assert_max_num_queries: Any
) -> None:
    a_domain()
    mailbox_batch.ensure([Wanted(f"box{n}@{ORG}", {}) for n in range(200)], actor=ACTOR, generates=False)
    domain_removal.remove(ORG, actor=ACTOR, with_mailboxes=True)
    with django_assert_max_num_queries(15):
        assert root.post(f"/domains/{key()}/purge/", {"name": ORG}).status_code == 302
    assert Mailbox.objects.count() == 200
    stops = iter([False] * 100)
    sweep.tend(EmptyBodyStore(), stop=lambda: next(stops, True))
    assert 90 < Mailbox.objects.count() < 110, "a sweep that is told to end leaves the rest to the next"
    sweep.tend(EmptyBodyStore())
    assert not Domain.objects.exists()


def test_a_mailbox_on_hold_keeps_its_domain(root: Client) -> None:
    a_mailbox()
    mailboxes.ensure("ann@example.org", actor=ACTOR, held=True)
    response = root.post(f"/domains/{key()}/removal/", {"name": ORG})
    assert "has 1 mailbox on hold" in response.content.decode()


def test_what_is_there_has_no_page_of_what_was_removed(root: Client) -> None:
    a_domain()
    assert root.get(f"/domains/{key()}/purge/").status_code == 404
    assert root.post(f"/domains/{key()}/restoral/").status_code == 404


# --- rights -------------------------------------------------------------------------------------------------------


def test_a_domain_admin_sees_his_domain_and_no_other(chief: Client) -> None:
    text = page(chief, "/domains/")
    assert ORG in text
    assert OTHER not in text
    assert OTHER not in chief.get("/domains/?export=csv").getvalue().decode()
    assert OTHER not in page(chief, "/domains/?q=other")
    assert ORG in page(chief, f"/domains/{key()}/")


@pytest.mark.parametrize(("his", "foreign"), [(ORG, "alias.example"), ("alias.example", ORG)])
def test_a_domain_admin_learns_no_name_of_anothers_domain_from_one_that_stands_for_it(his: str, foreign: str) -> None:
    a_domain()
    a_domain("alias.example", stands_for=domains.get(ORG))
    grants.ensure("carla", [his], actor=ACTOR, password=PASSWORD)
    carla = signed_in("carla")
    AuditEntry.objects.all().delete()
    for path in ("/domains/", f"/domains/{key(his)}/", f"/domains/{key(his)}/edit/"):
        assert (path, foreign in page(carla, path)) == (path, False)
    assert foreign not in carla.get("/domains/?export=csv").getvalue().decode()
    mentioned = "another domain" in page(carla, f"/domains/{key(his)}/")
    assert mentioned == (his == "alias.example")


def test_whoever_has_both_sees_either_from_the_other(chief: Client) -> None:
    a_domain("alias.example", stands_for=domains.get(ORG))
    grants.grant("chief@example.org", "alias.example", actor=ACTOR)
    assert f'href="/domains/{key("alias.example")}/"' in page(chief, f"/domains/{key()}/addresses/")
    assert "Alias of example.org" in page(chief, f"/domains/{key('alias.example')}/")
    assert "Alias of example.org" in page(chief, "/domains/")


@pytest.mark.parametrize("way", ["", "edit/", "catch-all/"])
def test_anothers_domain_is_not_there_and_the_try_is_told(chief: Client, way: str) -> None:
    assert chief.get(f"/domains/{key(OTHER)}/{way}").status_code == 404
    assert chief.post(f"/domains/{key(OTHER)}/{way or 'edit/'}", {"targets": "x@y.example"}).status_code == 404
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.subject, entry.actor_name) == ("denied", OTHER, "chief@example.org")


@pytest.mark.parametrize("name", [ORG, OTHER])
@pytest.mark.parametrize("way", ["suspension/", "removal/", "restoral/", "purge/", "admins/new/"])
def test_what_hosting_admins_decide_is_not_there_for_a_domain_admin(chief: Client, name: str, way: str) -> None:
    sent = {"name": name, "active": "no", "login": "chief@example.org"}
    assert chief.post(f"/domains/{key(name)}/{way}", sent).status_code == 404
    domain = Domain.objects.get(name=name)
    assert (domain.active, domain.removed_at) == (True, None)
    assert DomainGrant.objects.count() == 1
    entry = AuditEntry.objects.get(verb="denied")
    assert (entry.subject, entry.actor_name) == (name, "chief@example.org")
    assert entry.details == {"path": f"/domains/{key(name)}/{way}", "method": "POST"}


@pytest.mark.parametrize("path", ["/domains/new/", "/domains/removed/"])
def test_pages_of_hosting_admins_are_not_there_for_a_domain_admin(chief: Client, path: str) -> None:
    assert chief.get(path).status_code == 404


def test_a_domain_admin_changes_what_he_may_and_no_cap_that_he_smuggles_in(chief: Client) -> None:
    domains.ensure(ORG, actor=ACTOR, mailbox_quota_most=2 * GB, mailbox_limit=5)
    path = f"/domains/{key()}/edit/"
    caps = {"mailbox_quota_most": "9 TB", "mailbox_limit": "999", "quota_octets": "9 TB", "stands_for": OTHER}
    sent = form_of(chief, path, mailbox_quota_default="1 GB", owner_forwards="on")
    assert not set(caps) & set(chief.get(path).context["form"].fields)
    assert chief.post(path, {**sent, **caps}).status_code == 302
    domain = Domain.objects.get(name=ORG)
    assert (domain.mailbox_quota_default, domain.owner_forwards) == (GB, True)
    assert (domain.mailbox_quota_most, domain.mailbox_limit, domain.quota_octets) == (2 * GB, 5, None)
    assert domain.stands_for is None


def test_an_owner_has_no_such_pages() -> None:
    an_owner()
    client = signed_in("ann@example.org")
    for path in ("/domains/", f"/domains/{key()}/", f"/domains/{key()}/edit/", "/domains/new/"):
        assert client.get(path).status_code == 404


def test_what_was_seen_is_no_way_to_set_anything(chief: Client) -> None:
    path = f"/domains/{key()}/edit/"
    sent = form_of(chief, path)
    assert json.loads(sent["seen"])["mailbox_limit"] is None
    chief.post(path, {**sent, "seen": json.dumps({"mailbox_limit": 99})})
    assert Domain.objects.get(name=ORG).mailbox_limit is None
