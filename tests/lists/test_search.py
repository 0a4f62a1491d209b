"""Searches ignore case, accents and the order of words, and find parts of names, also of Unicode domain names."""

from __future__ import annotations

import pytest
from django.db import connection

from mailstore.directory import aliases
from mailstore.models import Alias, AuditEntry, Domain, Mailbox
from popadmin.panel.domain_filters import AliasFilters, DomainFilters
from popadmin.panel.mailbox_filters import MailboxFilters
from popadmin.panel.search_terms import fold
from popadmin.panel.views.audit import AuditFilters
from tests.site.page_users import an_admin, an_owner
from tests.site.rows import ACTOR, a_domain

pytestmark = pytest.mark.django_db
ALICE, JEROME, ANNA = "alice.dubois@example.org", "jerome@example.org", "anna@xn--exmple-4ya.example"


@pytest.fixture
def people() -> None:
    an_owner(ALICE, name="Alice Dubois")
    an_owner(JEROME, name="Jérôme Nuñez")
    a_domain("exümple.example")
    an_owner(ANNA, name="Ánna Łuk")


def mailboxes(query: str) -> set[str]:
    filters = MailboxFilters({"q": query}, user=an_admin())
    return set(filters.narrow(Mailbox.objects.all()).values_list("user__address", flat=True))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("dubois alice", {ALICE}),
        ("DUBOIS  example", {ALICE}),
        ("dubois anna", set()),
        ("jerome", {JEROME}),
        ("NUNEZ", {JEROME}),
        ("nuñez", {JEROME}),
        ("nun\u0303ez", {JEROME}),
        ("luk", {ANNA}),
        ("exümple", {ANNA}),
        ("EXUMPLE", {ANNA}),
        ("xümp", {ANNA}),
        ("anna@exü", {ANNA}),
        ("anna@exümple.example", {ANNA}),
        ("exumple anna", {ANNA}),
        ("anna@xump", set()),
        ("xn--exmple", {ANNA}),
        ("100%", set()),
        ("al", {ALICE}),
        ("du", set()),
    ],
)
def test_words_find_mailboxes(people: None, query: str, found: set[str]) -> None:
    assert mailboxes(query) == found


@pytest.mark.parametrize("query", ["exümple", "exumple", "XÜM", "exmple-4ya", "example exumple"])
def test_a_part_of_a_unicode_name_finds_the_domain_and_its_mailboxes(people: None, query: str) -> None:
    rows = DomainFilters({"q": query}).narrow(Domain.objects.all())
    assert [row.name for row in rows] == ["xn--exmple-4ya.example"]
    of_domain = MailboxFilters({"domain": query}, user=an_admin()).narrow(Mailbox.objects.all())
    assert [row.user.address for row in of_domain] == [ANNA]


@pytest.mark.parametrize("query", ["info zoe", "elephant INFO", "éléphant", "exumple zoe", "zoe bücher.example"])
def test_words_find_aliases_by_address_target_and_comment(people: None, query: str) -> None:
    targets = ["zoë@elsewhere.example", "zoe@xn--bcher-kva.example", ANNA]
    aliases.ensure("info@example.org", targets, actor=ACTOR, comment="The Elephant")
    aliases.ensure("other@example.org", ["zoe@elsewhere.example"], actor=ACTOR)
    rows = AliasFilters({"q": query}).narrow(Alias.objects.all())
    assert [row.address for row in rows] == ["info@example.org"]


def test_words_find_entries_of_the_audit_by_subject_and_user() -> None:
    AuditEntry.objects.create(subject="zoe@example.org", actor_name="rené", verb="mailbox.change", details={})
    rows = AuditFilters({"q": "RENE zoe"}).narrow(AuditEntry.objects.all())
    assert rows.count() == 1
    assert not AuditFilters({"q": "rene zoo"}).narrow(AuditEntry.objects.all()).exists()


def test_a_search_costs_one_statement_more_for_the_names_of_domains(people: None, django_assert_num_queries) -> None:
    filters = DomainFilters({"q": "one two three"})
    with django_assert_num_queries(2):
        list(filters.narrow(Domain.objects.all()))


@pytest.mark.parametrize(
    "text", ["Élodie", "ÅNGSTRÖM", "Łódź", "İstanbul", "ıx", "ΟΔΌΣ οδός", "ﬁn", "Ｗｉｄｅ", "naïve", "Việt"]
)
def test_the_database_folds_as_the_search_does(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT mailstore_plain(%s)", [text])
        assert cursor.fetchone() == (fold(text),)
