"""What the policy service objects to: recipients who cannot get a message, and messages above a sending limit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F

from mailstore.delivery.gatekeeper import StoredGatekeeper
from mailstore.directory import aliases, domains, mailboxes, policies
from mailstore.errors import (
    QuotaDeferred,
    QuotaRejected,
    RecipientDisabled,
    SendingLimitReached,
    SendingOff,
    UnknownRecipient,
)
from mailstore.models import Alias, Domain, Finding, Mailbox, Message, SendingBudget, User
from mailstore.retention import sweep
from tests.site.mail import Mail
from tests.site.notices import Notices
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox
from tests.site.worker import Worker

ANN, BOB, TEAM = "ann@example.org", "bob@example.org", "team@example.org"
MayReceive = Callable[..., object]
MaySend = Callable[..., object]


@pytest.fixture
def may_receive(worker: Worker, gatekeeper: StoredGatekeeper) -> MayReceive:
    """The class of the objection; None for none."""

    def ask(address: str, octets: int | None = None) -> type | None:
        answer = worker.ask(lambda done: gatekeeper.may_receive(address, octets, done))
        return None if answer is None else type(answer)

    return ask


@pytest.fixture
def may_send(worker: Worker, gatekeeper: StoredGatekeeper) -> MaySend:
    def ask(login: str = ANN) -> bool:
        answer = worker.ask(lambda done: gatekeeper.may_send(login, done))
        assert answer is None or type(answer) is SendingLimitReached
        return answer is None

    return ask


# --- recipients ---------------------------------------------------------------------------------------------------


def test_only_those_whom_we_know_are_refused(may_receive: MayReceive) -> None:
    a_mailbox()
    assert may_receive(ANN) is may_receive("Ann+news@Example.ORG") is None
    assert may_receive("nobody@example.org") is UnknownRecipient
    assert may_receive("SRS0=K7um=JU=elsewhere.example=sender@example.org") is None  # it is the MTA that knows these
    for elsewhere in ("someone@elsewhere.example", "no address", '"a b"@elsewhere.example', ""):
        assert may_receive(elsewhere) is None
    Mailbox.objects.update(receives=False)
    assert may_receive(ANN) is RecipientDisabled
    Mailbox.objects.update(receives=True)
    Domain.objects.update(active=False)
    assert may_receive(ANN) is RecipientDisabled


def test_an_announced_size_counts_and_the_domain_says_what_a_full_mailbox_answers(may_receive: MayReceive) -> None:
    a_mailbox()
    Mailbox.objects.update(quota_octets=1000)
    assert may_receive(ANN) is may_receive(ANN, 500) is None
    assert may_receive(ANN, 100_000_000) is QuotaDeferred
    domains.ensure("example.org", actor=ACTOR, over_quota="reject")
    assert may_receive(ANN, 100_000_000) is QuotaRejected
    assert may_receive(ANN) is None


def test_an_alias_is_refused_only_if_all_its_mailboxes_refuse(may_receive: MayReceive) -> None:
    for address in (ANN, BOB):
        a_mailbox(address)
    aliases.ensure(TEAM, [ANN, BOB], actor=ACTOR)
    Mailbox.objects.filter(user__address=ANN).update(quota_messages=0)
    assert may_receive(TEAM) is None
    Mailbox.objects.update(quota_messages=0)
    assert may_receive(TEAM) is QuotaDeferred
    Mailbox.objects.filter(user__address=BOB).update(receives=False)
    assert may_receive(TEAM) is QuotaDeferred
    Mailbox.objects.update(receives=False)
    assert may_receive(TEAM) is RecipientDisabled


def test_of_an_alias_that_leads_elsewhere_the_mta_knows_more(may_receive: MayReceive) -> None:
    a_mailbox()
    aliases.ensure(TEAM, [ANN, "carl@example.com"], actor=ACTOR)
    Mailbox.objects.update(quota_messages=0)
    assert may_receive(TEAM) is None
    assert may_receive(ANN) is QuotaDeferred
    assert Alias.objects.get().unexpanded_at is None  # only mail that reaches us proves that it was not expanded


def test_a_full_domain_refuses_where_no_mailbox_of_another_one_takes_the_message(may_receive: MayReceive) -> None:
    a_mailbox()
    a_domain("other.example")
    a_mailbox("carl@other.example")
    aliases.ensure(TEAM, [ANN, "carl@other.example"], actor=ACTOR)
    Domain.objects.filter(name="example.org").update(quota_octets=0)
    assert may_receive(ANN) is QuotaDeferred
    assert may_receive(TEAM) is None
    Domain.objects.update(quota_octets=0)
    assert may_receive(TEAM) is QuotaDeferred


def test_a_question_makes_no_room_but_knows_that_a_delivery_would(mail: Mail, may_receive: MayReceive) -> None:
    a_mailbox()
    mail.deliver(ANN)
    policies.ensure("Relief", actor=ACTOR, relief="every")
    mailboxes.ensure(ANN, actor=ACTOR, policy=policies.get("Relief"))
    mail.fetch(ANN, PASSWORD, 1)
    mail.flush()
    Mailbox.objects.update(quota_messages=1)
    assert may_receive(ANN) is None
    assert Message.objects.filter(removed=None).count() == 1


# --- senders ------------------------------------------------------------------------------------------------------


def an_hour_later(hours: float = 1) -> None:
    SendingBudget.objects.update(at=F("at") - timedelta(hours=hours))


def test_without_a_limit_nothing_is_counted(may_send: MaySend) -> None:
    a_mailbox()
    assert may_send()
    assert may_send("somebody@elsewhere.example")
    assert not SendingBudget.objects.exists()


@pytest.mark.parametrize(
    "switch",
    [
        lambda: Mailbox.objects.update(smtp=False),
        lambda: User.objects.update(is_active=False),
        lambda: Domain.objects.update(active=False),
    ],
    ids=["sending", "suspended", "domain"],
)
def test_who_was_switched_off_since_the_sign_in_sends_no_more(
    worker: Worker, gatekeeper: StoredGatekeeper, switch: Callable[[], object]
) -> None:
    a_mailbox()
    switch()
    assert type(worker.ask(lambda done: gatekeeper.may_send(ANN, done))) is SendingOff


def test_a_mailbox_sends_as_many_as_it_may_and_more_as_time_goes_on(may_send: MaySend) -> None:
    a_mailbox()
    mailboxes.ensure(ANN, actor=ACTOR, send_hourly=2, send_daily=3)
    assert [may_send() for _message in range(3)] == [True, True, False]
    an_hour_later()
    assert [may_send() for _message in range(2)] == [True, False]  # the third of the day
    an_hour_later(24)
    assert [may_send() for _message in range(3)] == [True, True, False]


def test_the_domain_says_what_each_mailbox_may_send_and_a_mailbox_may_differ(may_send: MaySend) -> None:
    a_mailbox()
    a_mailbox(BOB)
    domains.ensure("example.org", actor=ACTOR, mailbox_send_daily=1)
    mailboxes.ensure(BOB, actor=ACTOR, send_daily=2)
    assert [may_send(address) for address in (ANN, ANN, BOB, BOB, BOB)] == [True, False, True, True, False]


def test_what_the_domain_refuses_is_not_taken_from_the_mailbox(may_send: MaySend) -> None:
    a_mailbox()
    a_mailbox(BOB)
    domains.ensure("example.org", actor=ACTOR, send_hourly=1, mailbox_send_hourly=5)
    assert [may_send(ANN), may_send(BOB)] == [True, False]
    budget = SendingBudget.objects.get(mailbox__user__address=BOB)
    assert (budget.hour_left, budget.refused, budget.by_domain) == (5, 1, True)


def test_two_messages_at_once_never_both_take_the_last_one(worker: Worker, gatekeeper: StoredGatekeeper) -> None:
    a_mailbox()
    mailboxes.ensure(ANN, actor=ACTOR, send_hourly=3)
    answers = worker.asked(*[lambda done: gatekeeper.may_send(ANN, done)] * 8)
    assert [answer is None for answer in answers].count(True) == 3


def test_the_owner_is_told_once_a_day_and_the_finding_stays_for_two(may_send: MaySend, letters: Notices) -> None:
    a_mailbox()
    mailboxes.ensure(ANN, actor=ACTOR, send_hourly=1)
    assert [may_send() for _message in range(3)] == [True, False, False]
    for _pass in range(2):
        sweep.run(letters.store)
    (letter,) = letters.to(ANN)
    assert "2 messages from ann@example.org were not sent" in letter.get_payload()
    finding = Finding.objects.get()
    assert (finding.kind, finding.facts) == ("limit", {"times": 2, "by_domain": False})
    SendingBudget.objects.update(refused_at=F("refused_at") - timedelta(days=3), at=F("at") - timedelta(days=3))
    sweep.run(letters.store)
    assert not Finding.objects.exists()
    assert not SendingBudget.objects.exists()
