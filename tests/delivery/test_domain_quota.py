"""A domain's own quota: kept in the delivery's transaction, by domains that have one and at no cost to the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from mailstore.directory import aliases, domains, mailbox_removal
from mailstore.errors import QuotaDeferred, QuotaRejected, TryAgain
from mailstore.models import Domain, Mailbox
from mailstore.ports import Delivered, Recipient
from tests.site.mail import Mail, assert_counters_are_sums
from tests.site.rows import ACTOR, a_mailbox
from tests.site.worker import conninfo

pytestmark = pytest.mark.django_db(transaction=True)
ANN, BOB, ORG = "ann@example.org", "bob@example.org", "example.org"
WIRE = b"Subject: x\r\n\r\n" + b"x" * 498 + b"\r\n"


def capped(octets: int, **fields: object) -> None:
    a_mailbox(ANN)
    a_mailbox(BOB)
    domains.ensure(ORG, actor=ACTOR, quota_octets=octets, **fields)


def stored() -> int:
    return sum(Mailbox.objects.filter(domain__name=ORG).values_list("octets", flat=True))


def accepted(mail: Mail, address: str, octets: int | None = None) -> Recipient:
    found = mail.recipient(address, octets)
    assert isinstance(found, Recipient), found
    return found


@contextmanager
def domain_row_locked() -> Iterator[None]:
    with psycopg.connect(conninfo()) as other:
        other.execute("SELECT FROM mailstore_domain FOR NO KEY UPDATE")
        yield


def test_two_deliveries_at_once_never_take_the_last_octet_twice(mail: Mail) -> None:
    capped(10_000_000)
    one = accepted(mail, ANN)
    assert isinstance(mail.commit([one], WIRE)[0], Delivered)
    each = stored()
    domains.ensure(ORG, actor=ACTOR, quota_octets=each * 5)
    found = [accepted(mail, address) for address in (ANN, BOB)]
    answers = mail.commits(*[([found[n % 2]], WIRE) for n in range(12)])
    taken = [answer for (answer,) in answers if isinstance(answer, Delivered)]
    assert (len(taken), stored()) == (4, each * 5)
    assert {type(answer) for (answer,) in answers} == {Delivered, QuotaDeferred}
    assert_counters_are_sums()


def test_an_alias_to_two_of_its_mailboxes_needs_room_for_both(mail: Mail) -> None:
    capped(10_000_000)
    mail.deliver(ANN, WIRE)
    aliases.ensure("team@example.org", [ANN, BOB], actor=ACTOR)
    found = accepted(mail, "team@example.org")
    domains.ensure(ORG, actor=ACTOR, quota_octets=stored() * 2 + stored() // 2)
    assert type(mail.commit([found], WIRE)[0]) is TryAgain
    assert Mailbox.objects.get(user__address=BOB).messages == 0


def test_a_full_domain_says_so_before_the_message_and_by_its_own_reply(mail: Mail) -> None:
    capped(5000)
    assert isinstance(mail.recipient(ANN, 5000), Recipient)
    assert type(mail.recipient(ANN, 5001)) is QuotaDeferred
    domains.ensure(ORG, actor=ACTOR, over_quota="reject")
    assert type(mail.recipient(ANN, 5001)) is QuotaRejected


def test_what_is_removed_leaves_room(mail: Mail) -> None:
    capped(10_000_000)
    mail.deliver(ANN, WIRE)
    domains.ensure(ORG, actor=ACTOR, quota_octets=stored() + 10)
    assert type(mail.deliver(BOB, WIRE)) is QuotaDeferred
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    assert isinstance(mail.deliver(BOB, b"Subject: x\r\n\r\nx\r\n"), Delivered)


def test_a_domain_without_a_quota_never_waits_for_its_row(mail: Mail) -> None:
    a_mailbox(ANN)
    assert accepted(mail, ANN).capped == ()
    with domain_row_locked():
        assert isinstance(mail.deliver(ANN, WIRE), Delivered)


@pytest.mark.parametrize(("octets", "said"), [(10_000_000, Delivered), (100, QuotaDeferred)], ids=["room", "none"])
def test_a_quota_that_came_since_the_recipient_was_accepted_is_kept_too(mail: Mail, octets: int, said: type) -> None:
    a_mailbox(ANN)
    found = accepted(mail, ANN)
    assert found.capped == ()
    domains.ensure(ORG, actor=ACTOR, quota_octets=octets)
    assert type(mail.commit([found], WIRE)[0]) is said
    assert accepted(mail, ANN, 1).capped == (Domain.objects.get().pk,)
