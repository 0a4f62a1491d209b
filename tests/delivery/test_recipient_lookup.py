"""The recipient lookup: mailbox, +detail, levels of aliases and the catch-all; and what each refusal says."""

from __future__ import annotations

import pytest

from mailstore.errors import AliasOutside, MailError, QuotaDeferred, RecipientDisabled, UnknownRecipient
from mailstore.models import Alias, Domain, Mailbox
from mailstore.policy.addresses import ALIAS_LEVELS_LIMIT, ALIAS_TARGETS_LIMIT
from mailstore.ports import Recipient
from tests.site.mail import Mail
from tests.site.rows import a_domain, a_mailbox

ANN, BOB = "ann@example.org", "bob@example.org"


def an_alias(address: str, *targets: str, active: bool = True) -> Alias:
    """A row as it may stand there, also where the shell would refuse it now."""
    domain = Domain.objects.get(name=address.rpartition("@")[2])
    return Alias.objects.create(address=address, domain=domain, targets=list(targets), active=active)


def goes_to(mail: Mail, address: str) -> set[str]:
    """The addresses of the mailboxes behind an address, which must be accepted."""
    found = mail.recipient(address)
    assert isinstance(found, Recipient), found
    assert found.address == address
    return {str(box) for box in Mailbox.objects.filter(pk__in=found.mailboxes)}


@pytest.mark.req("P-040")
@pytest.mark.parametrize(
    "address", [ANN, "ANN@EXAMPLE.ORG", "ann+news@example.org", "Ann+a+b@example.org", "ann+é@example.org"]
)
def test_any_case_and_any_detail_reach_the_mailbox(mail: Mail, address: str) -> None:
    a_mailbox()
    assert goes_to(mail, address) == {ANN}


def test_a_mailbox_of_its_own_wins_over_the_detail(mail: Mail) -> None:
    a_mailbox()
    a_mailbox("ann+news@example.org")
    assert goes_to(mail, "ann+news@example.org") == {"ann+news@example.org"}
    assert goes_to(mail, "ann+other@example.org") == {ANN}


@pytest.mark.parametrize(
    "address",
    ["nobody@example.org", "nobody+ann@example.org", "ann@example.net", "@example.org", "ann", "", "a'--@example.org"],
)
def test_whom_nobody_knows_is_unknown(mail: Mail, address: str) -> None:
    a_mailbox()
    assert type(mail.recipient(address)) is UnknownRecipient


@pytest.mark.parametrize("address", ["ann\0@example.org", "\udcff@example.org", '"{1,2}"@example.org', "{@example.org"])
def test_odd_text_in_an_address_is_only_unknown(mail: Mail, address: str) -> None:
    a_mailbox()
    assert type(mail.recipient(address)) is UnknownRecipient
    assert goes_to(mail, ANN) == {ANN}


def test_aliases_lead_through_levels_to_each_mailbox_once(mail: Mail) -> None:
    for address in (ANN, BOB):
        a_mailbox(address)
    an_alias("a@example.org", "b@example.org", ANN)
    an_alias("b@example.org", "c@example.org", ANN, "ann+b@example.org")
    an_alias("c@example.org", BOB)
    assert goes_to(mail, "a@example.org") == {ANN, BOB}
    assert goes_to(mail, "a+detail@example.org") == {ANN, BOB}


def test_aliases_in_a_circle_end(mail: Mail) -> None:
    a_mailbox()
    an_alias("a@example.org", "b@example.org")
    an_alias("b@example.org", "a@example.org", ANN)
    an_alias("c@example.org", "c@example.org")
    assert goes_to(mail, "a@example.org") == {ANN}
    assert isinstance(mail.recipient("c@example.org"), MailError)


def test_aliases_too_deep_or_too_wide_are_left_to_the_mta(mail: Mail) -> None:
    a_mailbox()
    for level in range(ALIAS_LEVELS_LIMIT + 1):
        an_alias(f"level{level}@example.org", f"level{level + 1}@example.org")
    an_alias(f"level{ALIAS_LEVELS_LIMIT + 1}@example.org", ANN)
    assert goes_to(mail, "level2@example.org") == {ANN}
    assert type(mail.recipient("level0@example.org")) is AliasOutside
    an_alias("wide@example.org", *(f"ann+{n}@example.org" for n in range(ALIAS_TARGETS_LIMIT + 1)))
    assert type(mail.recipient("wide@example.org")) is AliasOutside


def test_an_alias_with_a_target_outside_is_left_to_the_mta(mail: Mail) -> None:
    a_mailbox()
    an_alias("outside@example.org", ANN, "somebody@elsewhere.example")
    assert type(mail.recipient("outside@example.org")) is AliasOutside


def test_an_alias_whose_targets_here_are_all_gone_is_unknown(mail: Mail) -> None:
    a_mailbox()
    an_alias("gone@example.org", "nobody@example.org")
    assert type(mail.recipient("gone@example.org")) is UnknownRecipient


def test_the_catch_all_answers_for_unknown_names_of_its_domain_alone(mail: Mail) -> None:
    for address in (ANN, BOB):
        a_mailbox(address)
    a_domain("example.net")
    an_alias("@example.org", BOB)
    assert goes_to(mail, "whoever+x@example.org") == {BOB}
    assert goes_to(mail, ANN) == {ANN}
    assert type(mail.recipient("whoever@example.net")) is UnknownRecipient


def test_an_alias_that_is_switched_off_is_not_there(mail: Mail) -> None:
    a_mailbox()
    an_alias("team@example.org", ANN, active=False)
    assert type(mail.recipient("team@example.org")) is UnknownRecipient


@pytest.mark.parametrize("address", ["team@example.net", "whoever@example.net"])
def test_the_aliases_of_a_domain_that_is_switched_off_receive_nothing(mail: Mail, address: str) -> None:
    a_mailbox()
    a_domain("example.net")
    an_alias("team@example.net", ANN)
    an_alias("@example.net", ANN)
    Domain.objects.filter(name="example.net").update(active=False)
    assert type(mail.recipient(address)) is RecipientDisabled


def test_an_alias_reaches_those_of_its_mailboxes_that_receive(mail: Mail) -> None:
    for address in (ANN, BOB):
        a_mailbox(address)
    an_alias("team@example.org", ANN, BOB)
    Mailbox.objects.filter(user__address=BOB).update(receives=False)
    assert goes_to(mail, "team@example.org") == {ANN}
    Mailbox.objects.update(receives=False)
    assert type(mail.recipient("team@example.org")) is RecipientDisabled
    assert type(mail.recipient(ANN)) is RecipientDisabled


def test_an_alias_with_one_full_mailbox_is_full(mail: Mail) -> None:
    for address in (ANN, BOB):
        a_mailbox(address)
    an_alias("team@example.org", ANN, BOB)
    Mailbox.objects.filter(user__address=BOB).update(quota_messages=0)
    assert type(mail.recipient("team@example.org")) is QuotaDeferred


# --- the postmaster without a domain ------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["postmaster", "Postmaster"])
@pytest.mark.parametrize("there", ["postmaster@mail.example.test", "postmaster@example.test"])
def test_who_writes_to_the_bare_postmaster_reaches_the_one_of_this_host_or_its_domain(
    mail: Mail, there: str, address: str
) -> None:
    """RFC 5321 §4.5.1. The tests' host is mail.example.test."""
    a_mailbox("postmaster@example.test")
    a_mailbox(there)
    assert goes_to(mail, address) == {there}


def test_an_alias_and_a_catch_all_answer_for_the_bare_postmaster_too(mail: Mail) -> None:
    a_mailbox()
    a_domain("example.test")
    every = an_alias("@example.test", ANN)
    assert goes_to(mail, "postmaster") == {ANN}
    every.delete()
    an_alias("postmaster@example.test", ANN)
    assert goes_to(mail, "postmaster") == {ANN}


def test_the_bare_postmaster_is_nobody_where_the_domain_of_the_host_is_not_here(mail: Mail) -> None:
    a_mailbox("postmaster@example.org")
    assert type(mail.recipient("postmaster")) is UnknownRecipient


@pytest.mark.parametrize(
    "address", ['"x..y"@example.org', "x.@example.org", '"a b"@example.org', "x" * 65 + "@example.org"]
)
def test_a_name_that_nobody_has_reaches_the_catch_all(mail: Mail, address: str) -> None:
    a_mailbox()
    assert type(mail.recipient(address)) is UnknownRecipient
    an_alias("@example.org", ANN)
    assert goes_to(mail, address) == {ANN}


def test_a_name_that_nobody_can_have_reaches_the_catch_all_of_an_alias_domain(mail: Mail) -> None:
    a_mailbox()
    an_alias("@example.org", ANN)
    Domain.objects.create(name="example.net", stands_for=Domain.objects.get(name="example.org"))
    assert goes_to(mail, '"a b"@example.net') == {ANN}


def test_quotes_that_a_name_does_not_need_change_nothing(mail: Mail) -> None:
    a_mailbox()
    assert goes_to(mail, '"ann"@example.org') == {ANN}


def test_a_mailbox_with_dots_anywhere_gets_its_mail_with_and_without_quotes(mail: Mail) -> None:
    a_mailbox("x..y@example.org")
    assert goes_to(mail, '"x..y"@example.org') == goes_to(mail, "x..y@example.org") == {"x..y@example.org"}
