"""What the MTA is told to expand is what LMTP cannot follow, and leads where a delivery would."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mailstore.directory import aliases, domain_removal, domains, mailbox_removal, mailboxes
from mailstore.directory.mta_expansion import expansions
from mailstore.errors import AliasOutside
from mailstore.models import Alias
from mailstore.ports import Recipient
from tests.site.mail import Mail
from tests.site.rows import ACTOR, a_domain, a_mailbox

pytestmark = pytest.mark.django_db
INFO, ANN, BOB, AWAY = "info@example.org", "ann@example.org", "bob@example.org", "out@elsewhere.example"


def alias(address: str, *targets: str, **fields: object) -> None:
    aliases.ensure(address, targets, actor=ACTOR, **fields)


def targets() -> dict[str, list[str] | None]:
    return {row.address: expansion.expand_to for row, expansion in expansions(aliases.listing())}


def also_at() -> dict[str, list[str]]:
    return {row.address: expansion.also_at for row, expansion in expansions(aliases.listing())}


@pytest.fixture(autouse=True)
def site() -> None:
    a_mailbox(ANN)
    a_mailbox(BOB)


@pytest.mark.django_db(transaction=True)
def test_what_lmtp_follows_by_itself_is_not_expanded_and_what_it_cannot_is(mail: Mail) -> None:
    alias("here@example.org", ANN, BOB)
    alias(INFO, ANN, AWAY)
    alias("both@example.org", "here@example.org", INFO)
    by_address = targets()
    assert by_address == {"here@example.org": None, INFO: [ANN, AWAY], "both@example.org": [ANN, BOB, AWAY]}
    for address, expansion in by_address.items():
        assert isinstance(mail.recipient(address), Recipient if expansion is None else AliasOutside)


def test_an_alias_of_an_alias_that_leads_elsewhere_leads_there_too() -> None:
    alias(INFO, AWAY)
    alias("sales@example.org", "info+sales@example.org")
    alias("@example.org", "sales@example.org")
    alias("odd@example.org", "nobody@example.org")
    assert list(targets().items()) == [(address, [AWAY]) for address in sorted(targets())]
    assert len(targets()) == 4


def test_a_forward_keeps_its_own_address_only_with_a_copy() -> None:
    alias(ANN, AWAY, keep_copy=True)
    alias(BOB, AWAY, keep_copy=False)
    assert targets() == {ANN: [ANN, AWAY], BOB: [AWAY]}


def test_what_a_mailbox_forwards_here_is_left_to_lmtp_so_that_it_comes_once() -> None:
    alias(ANN, BOB, keep_copy=True)
    alias(INFO, ANN, BOB, AWAY)
    assert targets() == {ANN: None, INFO: [ANN, AWAY]}


def test_what_leads_nowhere_is_left_out() -> None:
    a_domain("off.example", active=False)
    a_mailbox("carl@example.org")
    mailboxes.ensure("carl@example.org", actor=ACTOR, receives=False)
    alias("carl@example.org", AWAY, keep_copy=False)
    alias(INFO, "nobody@example.org", "carl@example.org", "ann@off.example", AWAY)
    assert targets() == {"carl@example.org": None, INFO: [AWAY]}


def test_what_is_switched_off_or_expired_or_in_an_inactive_domain_is_not_expanded() -> None:
    a_domain("off.example", active=False)
    alias("off@example.org", AWAY, active=False)
    alias("old@example.org", AWAY)
    Alias.objects.filter(address="old@example.org").update(expires_at=timezone.now() - timedelta(minutes=1))
    alias("info@off.example", AWAY)
    alias(INFO, "off@example.org", "old@example.org", "info@off.example", "x@e.example")
    assert targets() == {
        "off@example.org": None,
        "old@example.org": None,
        "info@off.example": None,
        INFO: ["x@e.example"],
    }


def test_the_forward_of_a_removed_mailbox_is_neither_listed_nor_followed() -> None:
    alias(ANN, AWAY, keep_copy=False)
    alias(INFO, BOB, ANN)
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    assert targets() == {INFO: None}


def test_an_alias_domain_has_each_address_of_the_other() -> None:
    domains.ensure("example.net", actor=ACTOR, stands_for=domains.get("example.org"))
    domains.ensure("example.com", actor=ACTOR, stands_for=domains.get("example.org"))
    domains.ensure("off.example", actor=ACTOR, stands_for=domains.get("example.org"), active=False)
    domains.ensure("gone.example", actor=ACTOR, stands_for=domains.get("example.org"))
    domain_removal.remove("gone.example", actor=ACTOR, with_mailboxes=False)
    alias(INFO, AWAY)
    alias("@example.org", "info@example.net")
    assert also_at() == {
        INFO: ["info@example.com", "info@example.net"],
        "@example.org": ["@example.com", "@example.net"],
    }
    assert targets() == {INFO: [AWAY], "@example.org": [AWAY]}


def test_many_are_asked_for_in_as_few_questions_as_one() -> None:
    counts = []
    for count in (1, 30):
        for number in range(count):
            alias(f"a{number}@example.org", ANN, AWAY)
        with CaptureQueriesContext(connection) as questions:
            targets()
        counts.append(len(questions))
    assert counts[0] == counts[1]
