"""Lists, shown by that of mailboxes: search, order, pages, selection; the number of statements is fixed."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from mailstore.directory import grants
from mailstore.models import AuditEntry, Finding, Mailbox, User
from popadmin.lists import counting, paging
from popadmin.lists.bulk_results import JobResultFilters
from popadmin.lists.views import Bulk
from tests.site.listed_rows import names as addresses
from tests.site.page_users import ANN, PASSWORD, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, a_domain

pytestmark = pytest.mark.django_db
LIST = "/mailboxes/"


def mailboxes(number: int, domain: str = "example.org") -> None:
    """As many as asked for, by rows: a hash for each would take a second for ten."""
    a_domain(domain)
    row = an_owner(f"first@{domain}").domain
    users = [User(address=f"box{n:03}@{domain}", name=f"Name {n}") for n in range(number)]
    Mailbox.objects.bulk_create(
        Mailbox(user=user, domain=row, octets=n % 3, messages=n)
        for n, user in enumerate(User.objects.bulk_create(users))
    )


def get(client: Client, **query: object) -> str:
    return client.get(f"{LIST}?{urlencode(query)}").content.decode()


def buttons(page: str) -> dict[str, str]:
    """The paging buttons that can be pressed: their names, and where they go."""
    found = re.findall(r'name="go" value="([^"]*)" class="btn[^"]*"\s+aria-label="(\w+) page">', page)
    return {label: value.replace("&amp;", "&") for value, label in found}


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


@pytest.mark.parametrize(
    ("path", "domains", "label"),
    [
        ("/mailboxes/", 1, "Create first mailbox"),
        ("/aliases/", 1, "Create first alias"),
        ("/domains/", 0, "Create first domain"),
        ("/mailboxes/", 0, "Create first domain"),
    ],
)
def test_an_empty_list_has_one_button_and_a_search_without_result_keeps_that_of_the_list(root, path, domains, label):
    for number in range(domains):
        a_domain(f"org{number}.example")
    primary = r'class="btn btn-primary"\s+href="[^"]*">([^<]*)'
    assert re.findall(primary, root.get(path).content.decode()) == [label]
    assert len(re.findall(primary, root.get(path, {"q": "nobody"}).content.decode())) == 1


def test_a_part_of_an_address_or_a_name_is_found_in_any_case(root):
    mailboxes(3)
    assert addresses(get(root, q="BOX002")) == ["box002@example.org"]
    assert addresses(get(root, q="name 1")) == ["box001@example.org"]
    assert "Nothing matches" in get(root, q="zzz")


@pytest.mark.parametrize("sort", ["address", "-address", "usage", "-usage", "messages"])
def test_pages_follow_each_other_without_a_gap_and_lead_back(root, sort, monkeypatch):
    mailboxes(30)
    monkeypatch.setattr("popadmin.panel.views.mailboxes.Mailboxes.page_rows", 7)
    page, seen, places = get(root, sort=sort), [], []
    while True:
        seen.append(addresses(page))
        places.append(re.search(r"(\d+) to (\d+)", page).groups())
        if "Next" not in buttons(page):
            break
        page = root.get(LIST + buttons(page)["Next"]).content.decode()
    assert len({address for rows in seen for address in rows}) == sum(map(len, seen)) == 31
    assert places == [("1", "7"), ("8", "14"), ("15", "21"), ("22", "28"), ("29", "31")]
    for rows in reversed(seen[:-1]):
        page = root.get(LIST + buttons(page)["Previous"]).content.decode()
        assert addresses(page) == rows
    assert "Previous" not in buttons(page)


def test_a_page_does_not_shift_when_a_row_comes_before_it(root, monkeypatch):
    mailboxes(10)
    monkeypatch.setattr("popadmin.panel.views.mailboxes.Mailboxes.page_rows", 5)
    following = buttons(get(root))["Next"]
    before = addresses(root.get(LIST + following).content.decode())
    an_owner("aaa@example.org")
    assert addresses(root.get(LIST + following).content.decode()) == before


@pytest.mark.parametrize("page", ["x", "a:1", "a:1:99999999999999999999:x", "a:x:1:y", "a:1:1:\0", "b:5:3:"])
@pytest.mark.parametrize("sort", ["usage", "nothing", "-address"])
def test_a_query_string_that_makes_no_sense_shows_the_list_all_the_same(root, page, sort):
    mailboxes(2)
    assert root.get(LIST, {"page": page, "sort": sort}).status_code == 200


def test_a_filter_that_is_not_offered_is_told_beside_its_field(root):
    mailboxes(1)
    assert 'aria-invalid="true"' in get(root, state="purple")


@pytest.fixture
def bulk(monkeypatch):
    """Something that can be done with the chosen: else there is nothing to tick."""
    monkeypatch.setattr("popadmin.panel.views.mailboxes.Mailboxes.bulk", (Bulk("count", "Count", "count/"),))


def post(client: Client, **sent: object) -> str:
    """Press a button; returns where it leads."""
    answer = client.post(LIST, sent)
    assert answer.status_code == 302
    return answer.url


def test_ticks_are_kept_while_one_filters_sorts_and_turns_pages(root, bulk):
    mailboxes(4)
    keys = list(Mailbox.objects.order_by("user__address").values_list("pk", flat=True))
    url = post(root, on_page=keys, ticked=keys[:2], filter="", q="box003", here="?sort=-usage")
    assert url == f"{LIST}?q=box003&sort=-usage"
    page = root.get(url).content.decode()
    assert 'data-chosen="2"' in page
    post(root, on_page=keys[3:4], ticked=keys[3:4], go="?sort=-messages", here="?q=box003")
    page = get(root)
    assert 'data-chosen="3"' in page
    assert page.count(" checked") == 3
    post(root, on_page=keys, ticked=keys[:1], go="?")
    assert 'data-chosen="1"' in get(root)
    post(root, choose="none", on_page=keys, ticked=keys[:1])
    assert 'data-chosen="0"' in get(root)


def test_all_that_a_filter_finds_can_be_chosen_and_is_no_more_when_another_filter_stands(root, bulk):
    mailboxes(4)
    assert post(root, choose="all", here="?q=box") == f"{LIST}?q=box"
    assert 'data-chosen="4"' in get(root, q="box")
    assert 'data-chosen="0"' in get(root, q="first")


def test_of_all_that_were_chosen_a_few_can_be_left_out(root, bulk):
    mailboxes(4)
    keys = list(Mailbox.objects.order_by("user__address").values_list("pk", flat=True))
    post(root, choose="all", here="?q=box")
    post(root, on_page=keys[:3], ticked=keys[1:3], go="?q=box", here="?q=box")
    page = get(root, q="box")
    assert 'data-chosen="3"' in page
    assert page.count(" checked") == 3
    post(root, on_page=keys[:1], ticked=keys[:1], go="?q=box", here="?q=box")
    assert 'data-chosen="4"' in get(root, q="box")


@pytest.mark.parametrize("rest", [3, 1, 0])
def test_a_page_whose_rows_are_gone_shows_the_last_there_is(root, monkeypatch, rest):
    monkeypatch.setattr("popadmin.panel.views.mailboxes.Mailboxes.page_rows", 2)
    mailboxes(5)
    Mailbox.objects.filter(user__address__startswith="first").delete()
    third = f"{LIST}{buttons(root.get(LIST + buttons(get(root))['Next']).content.decode())['Next']}"
    gone = Mailbox.objects.order_by("-user__address")[: 5 - rest].values_list("pk", flat=True)
    Mailbox.objects.filter(pk__in=list(gone)).delete()
    page = root.get(third).content.decode()
    left = [f"box{n:03}@example.org" for n in range(rest)]
    assert addresses(page) == left[-2:]
    assert ("No mailbox yet" in page) == (rest == 0)
    assert "Next" not in buttons(page)
    if rest > 2:
        assert addresses(root.get(LIST + buttons(page)["Previous"]).content.decode()) == left[:-2]


def test_a_search_for_two_letters_says_what_it_looks_at(root):
    mailboxes(3)
    assert "only the beginnings of names" in get(root, q="bo")
    assert "only the beginnings of names" not in get(root, q="box")


def test_a_button_for_the_chosen_leads_there_with_the_filters(root, bulk):
    assert post(root, bulk="count", here="?q=box") == f"{LIST}count/?q=box"


def test_nobody_is_sent_to_a_foreign_page(root):
    assert post(root, go="//evil.example/?q=1").startswith(f"{LIST}")
    assert post(root, here="https://evil.example/").startswith(f"{LIST}")


@pytest.mark.parametrize("number", [1, 60])
def test_a_list_costs_the_same_statements_however_long(root, django_assert_num_queries, number):
    mailboxes(number)
    # the session, the user; the policies that can be asked for; the keys of the page, its rows, their findings, the
    # counts, with the suspended domains; for a search the Unicode names of domains; the counts of the menu
    for query, most in (({}, 9), ({"q": "box", "state": "active", "sort": "-usage"}, 10)):
        with django_assert_num_queries(most):
            get(root, **query)


@pytest.mark.parametrize("counted", [0, 1000], ids=["many", "few"])
@pytest.mark.parametrize("sorted_rows", [0, 10_000], ids=["walked", "sorted"])
def test_the_pages_are_the_same_whichever_way_their_keys_are_found(root, monkeypatch, counted, sorted_rows):
    mailboxes(120)
    Mailbox.objects.filter(user__address__contains="1").update(octets=F("pk") / 3)
    monkeypatch.setattr(counting, "KEYS_MOST", counted)
    monkeypatch.setattr(counting, "COUNTED_ROWS", counted)
    monkeypatch.setattr(paging, "SORTED_ROWS", sorted_rows)
    for sort, order in {
        "": "user__address",
        "-address": "-user__address",
        "-usage": "-octets",
        "usage": "octets",
    }.items():
        by_key = "-pk" if order.startswith("-") else "pk"
        wanted = list(Mailbox.objects.filter(user__address__contains="box").order_by(order, by_key))
        first = root.get(LIST, {"q": "box", "sort": sort}).context
        second = root.get(LIST + first["after"]).context
        assert first["page"].rows + second["page"].rows == wanted[:100]
        assert root.get(LIST + second["before"]).context["page"].rows == wanted[:50]


def test_few_rows_are_counted_with_their_keys_more_without_and_many_are_estimated(monkeypatch):
    mailboxes(20)
    rows = Mailbox.objects.all()
    monkeypatch.setattr(counting, "KEYS_MOST", 10)
    assert counting.count(rows.filter(pk__lt=0))[0] == counting.Count(0, keys=())
    assert counting.count(rows.none())[0] == counting.Count(0, keys=())
    assert counting.count(rows)[0] == counting.Count(21)
    assert not counting.count(rows, estimated=True)[0].exact
    monkeypatch.setattr(counting, "COUNTED_ROWS", 10)
    assert not counting.count(rows)[0].exact


def test_the_counts_of_a_large_list_are_kept_until_somebody_changes_something(monkeypatch):
    mailboxes(3)
    monkeypatch.setattr(counting, "KEYS_MOST", 2)
    views = (Mailbox.objects.all(), Mailbox.objects.filter(held=True))
    assert counting.count(views[0], lambda: views, kept_as="some-list")[1] == [4, 0]
    Mailbox.objects.update(held=True)
    assert counting.count(views[0], lambda: views, kept_as="some-list")[1] == [4, 0]
    assert counting.count(views[0], lambda: views, kept_as="another-list")[1] == [4, 4]
    AuditEntry.objects.create(subject="first@example.org", verb="mailbox.change", details={})
    assert counting.count(views[0], lambda: views, kept_as="some-list")[1] == [4, 4]


def test_a_costly_view_of_a_long_list_is_not_counted(monkeypatch):
    mailboxes(3)
    views = [Mailbox.objects.all(), Mailbox.objects.all()]
    assert counting.count(views[0], lambda: views, costly=[1])[1] == [4, 4]
    monkeypatch.setattr(counting, "KEYS_MOST", 3)
    assert counting.count(views[0], lambda: views, costly=[1])[1] == [4, None]


def chips(page: str) -> dict[str, str]:
    """The chips of the views, each with its count."""
    found = re.findall(r'<a class="chip[^>]*>([^<]*)<span class="num[^>]*>([^<]*)</span>', page)
    return {label.strip(): count for label, count in found}


def test_chips_count_what_their_views_find(root):
    mailboxes(4)
    boxes = Mailbox.objects.order_by("user__address")
    boxes.filter(user__address__startswith="box000").update(quota_octets=10, octets=25)
    boxes.filter(user__address__startswith="box001").update(quota_octets=100, octets=95)
    boxes.filter(user__address__startswith="box002").update(quota_messages=1, messages=1)
    Mailbox.objects.filter(user__address__startswith="first").update(last_sign_in_at=timezone.now())
    User.objects.filter(address__startswith="box003").update(is_active=False)
    Finding.objects.create(mailbox=boxes[0], kind="hasty", since=timezone.now(), facts={})
    page = get(root)
    counts = {
        "All": "5", "Refusing": "2", "Nearly full": "1", "With problems": "1", "Suspended": "1",
        "Receives nothing": "0", "Never signed in": "4", "Silent for 45 days": "0",
    }  # fmt: skip
    assert chips(page) == counts
    for chip in root.get(LIST).context["chips"]:
        assert len(addresses(root.get(LIST + chip.query).content.decode())) == int(chip.count)


@pytest.mark.parametrize(
    ("query", "current", "given"),
    [
        ({}, "All", []),
        ({"q": "box"}, "All", []),
        ({"usage": "100"}, "Refusing", []),
        ({"usage": "100", "q": "box", "state": "held"}, "Refusing", ["State: On hold"]),
        ({"state": "held", "domain": "example.org"}, None, ["Domain: example.org", "State: On hold"]),
        ({"idle": "45"}, "Silent for 45 days", []),
        ({"idle": "46"}, None, ["No sign-in for (days): 46"]),
    ],
)
def test_the_view_that_is_shown_is_marked_and_each_other_filter_can_be_removed(root, query, current, given):
    mailboxes(1)
    context = root.get(LIST, query).context
    assert [chip.label for chip in context["chips"] if chip.is_current] == ([current] if current else [])
    assert [each.text.replace("\xa0", " ") for each in context["given_filters"]] == given
    for each in context["given_filters"]:
        assert each.text not in [left.text for left in root.get(LIST + each.query).context["given_filters"]]


@pytest.fixture
def carla() -> Client:
    """She administers example.org, and nothing else."""
    mailboxes(2)
    mailboxes(2, "other.example")
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    return signed_in("carla")


def test_a_domain_admin_sees_the_mailboxes_of_his_domains(carla):
    assert addresses(get(carla)) == ["box000@example.org", "box001@example.org", "first@example.org"]
    assert "Nothing matches" in get(carla, domain="other.example")


def test_a_domain_admin_who_edits_ids_gets_404_and_an_entry_in_the_audit(carla):
    foreign = Mailbox.objects.get(user__address="first@other.example")
    assert carla.post(LIST, {"ticked": [foreign.pk], "on_page": []}).status_code == 404
    entry = AuditEntry.objects.get(verb="denied")
    assert (entry.actor_name, entry.subject, entry.mailbox) == ("carla", "first@other.example", foreign)
    assert (entry.client, entry.details["path"]) == ("127.0.0.1", LIST)


def test_a_row_that_is_gone_is_no_offence(carla):
    assert carla.post(LIST, {"ticked": ["999999"], "on_page": []}).status_code == 302
    assert not AuditEntry.objects.filter(verb="denied").exists()


def test_an_owner_cannot_tell_that_the_list_exists():
    an_owner()
    assert signed_in(ANN).get(LIST).status_code == 404


def test_ticks_beyond_the_most_are_told_and_none_before_them_is_lost(root, monkeypatch):
    mailboxes(6)
    monkeypatch.setattr("popadmin.lists.selection.TICKED_MOST", 4)
    monkeypatch.setattr("popadmin.lists.views.TICKED_MOST", 4)
    first, *others = Mailbox.objects.order_by("-pk").values_list("pk", flat=True)
    root.post(LIST, {"on_page": [first], "ticked": [first], "here": ""})
    answer = root.post(LIST, {"on_page": others, "ticked": others, "here": "", "bulk": "suspend"}, follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    page = answer.content.decode()
    assert "3 rows were not selected: at most 4 can be selected one by one" in page.replace("\xa0", " ")
    assert root.session["chosen:mailboxes"]["keys"] == sorted([first, *sorted(others)[:3]])


def test_each_result_of_a_job_is_a_view_and_faults_are_marked():
    views = [(str(view.label), view.given, view.level) for view in JobResultFilters.views()]
    assert views == [
        ("Refused", {"fate": "bad"}, "warn"),
        ("Done", {"fate": "done"}, ""),
        ("Undone", {"fate": "undone"}, ""),
    ]
