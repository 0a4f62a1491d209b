"""Searches ignore case, accents and the order of words, and find parts of names, also of Unicode domain names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Model
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

import popadmin.urls  # noqa: F401  # it loads the pages, and with them their filters
from mailstore.directory import admins, aliases, domains, mailbox_moves, policies
from mailstore.messages import message_file, message_summary
from mailstore.models import (
    Alias,
    AuditEntry,
    DiarySession,
    Domain,
    Mailbox,
    MailboxMove,
    Message,
    RefusedName,
    RetentionPolicy,
    TraceEntry,
    User,
)
from mailstore.policy.plain_text import fold
from popadmin.lists.columns import Filters
from popadmin.panel.domain_filters import AliasFilters, DomainFilters
from popadmin.panel.mailbox_filters import MailboxFilters
from popadmin.panel.site_search import KINDS, search
from popadmin.panel.views.audit import AuditFilters
from popadmin.web.layout import MenuLink
from tests.owner.mail import a_letter, a_session
from tests.site.page_users import an_admin, an_owner
from tests.site.rows import ACTOR, PASSWORD, a_domain
from tests.site.traces import an_answer

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


# A row that each list finds by two words, whatever their case, accents and order.
LISTS: dict[str, type[Model]] = {
    "AdminFilters": User,
    "AliasFilters": Alias,
    "AuditFilters": AuditEntry,
    "DomainFilters": Domain,
    "MailboxFilters": Mailbox,
    "MoveFilters": MailboxMove,
    "OperationFilters": AuditEntry,
    "PolicyFilters": RetentionPolicy,
    "RecoveryFilters": Message,
    "RefusedFilters": RefusedName,
    "RemovedDomainFilters": Domain,
    "RemovedMailboxFilters": Mailbox,
    "SearchFilter": Message,
    "SignInFilters": DiarySession,
    "TraceFilters": TraceEntry,
}
FINDING, MISSING = ("ÉLAN zoé", "zoe élan", "Elan", "ZOÉ"), "zoe nowhere"


def all_filters(of: type[Filters] = Filters) -> Iterator[type[Filters]]:
    for found in of.__subclasses__():
        if found.search in found.base_fields:
            yield found
        yield from all_filters(found)


@pytest.fixture
def zoe() -> User:
    """A row for each search; returns a hosting admin."""
    box = an_owner("zoe.elan@example.org", name="Zoë Élan")
    message_summary.fill(message_file.site_store(), [a_letter(box, "Zoë", "Élan <bob@example.com>")])
    a_session(None, mailbox=box, ago=timedelta(hours=1))
    domains.ensure("example.org", actor=ACTOR, old_server="pop3s://mail.old.example")
    mailbox_moves.mark("zoe.elan@example.org", actor=ACTOR)
    aliases.ensure("zoe@example.org", ["zoe.elan@example.org"], actor=ACTOR, comment="Élan")
    a_domain("zoe-elan.example")
    policies.ensure("Zoë Élan", actor=ACTOR)
    admins.ensure("zoe-elan", actor=ACTOR, password=PASSWORD)
    now = timezone.now()
    RefusedName.objects.create(
        reason="unknown", name="zoe@elan.example", protocol="pop3", tries=1, first_at=now, last_at=now
    )
    an_answer(sender="zoe@elan.example", recipient="zoe.elan@example.org")
    return an_admin()


@pytest.mark.parametrize("name", LISTS)
def test_each_list_finds_its_rows_by_words_in_any_order_case_and_accents(zoe: User, name: str) -> None:
    (filters,) = (found for found in all_filters() if found.__name__ == name)
    options = {"user": zoe} if filters is MailboxFilters else {}
    for words in (*FINDING, MISSING):
        rows = filters({filters.search: words}, **options).narrow(LISTS[name].objects.all())
        assert rows.exists() is (words != MISSING), words


def test_no_list_has_another_search() -> None:
    assert {found.__name__ for found in all_filters()} == set(LISTS)


@pytest.mark.parametrize("words", FINDING)
def test_the_search_of_the_whole_panel_finds_each_kind_alike(zoe: User, words: str) -> None:
    groups = {str(group.label) for group in search(zoe, words, [])}
    assert groups >= {str(kind.label) for kind in KINDS}


def test_pages_and_actions_are_found_by_their_words_in_the_language_of_the_page() -> None:
    with translation.override("fr"):
        pages = [MenuLink("/rules/", gettext_lazy("Retention policies"), "gear", current=False, is_tab=False)]
        (group,) = search(an_admin(), "BOITE nouvelle", [])
        assert [hit.text for hit in group.hits] == ["Nouvelle boîte"]
        (group,) = search(an_admin(), "conservation REGLES", pages)
        assert [hit.text for hit in group.hits] == ["Règles de conservation"]
