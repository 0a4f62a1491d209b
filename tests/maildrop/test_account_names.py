"""The names that open an account at POP3: its own, the same name in an alias domain, an alias where that is allowed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from mailstore.directory import admins, aliases, domains, mailbox_removal, mailboxes
from mailstore.errors import BadCredentials, MailError, Throttled
from mailstore.models import Alias, DiarySession, Domain
from mailstore.policy.throttle import UNKNOWN_ACCOUNTS_AN_HOUR, WRONG_PASSWORDS_A_DAY
from mailstore.ports import Credentials
from tests.site import counting_hasher
from tests.site.counting_hasher import Counting
from tests.site.mail import Mail
from tests.site.refused_names import heard
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox

ALICE, BOB = "alice@example.test", "bob@example.test"
STANDING = "alice@example.net"
SignIn = Callable[..., object]


@pytest.fixture(autouse=True)
def quick_refusals(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PASSWORD_HASHERS = [counting_hasher.PATH]
    monkeypatch.setattr("mailstore.policy.throttle.FIRST_DELAY_SECONDS", 0.0)


@pytest.fixture
def sign_in(mail: Mail) -> SignIn:
    a_mailbox(ALICE)
    a_mailbox(BOB)
    a_domain("example.net", stands_for=Domain.objects.get(name="example.test"))
    a_domain("sales.test", alias_sign_in=True)

    def call(name: str, secret: str = PASSWORD, client: str = "192.0.2.7") -> object:
        credentials = Credentials(name, secret, client, loopback=False)
        return mail.worker.ask(lambda done: mail.accounts.sign_in(credentials, done))

    return call


def alias(address: str, *targets: str, **fields: object) -> str:
    aliases.ensure(address, list(targets), actor=ACTOR, **fields)
    return address


@pytest.mark.parametrize("name", [STANDING, "ALICE@Example.NET", " alice@example.net "])
def test_the_same_name_in_an_alias_domain_opens_the_account(sign_in: SignIn, name: str) -> None:
    assert not isinstance(sign_in(name), MailError)


def test_an_alias_with_one_mailbox_opens_it_where_its_domain_allows_it(sign_in: SignIn) -> None:
    alias("info@sales.test", ALICE)
    alias("info@example.test", ALICE)
    assert not isinstance(sign_in("info@sales.test"), MailError)
    assert isinstance(sign_in("info@example.test"), BadCredentials)
    domains.ensure("example.test", actor=ACTOR, alias_sign_in=True)
    assert not isinstance(sign_in("info@example.test"), MailError)
    assert not isinstance(sign_in("info@example.net"), MailError), "the alias, in the domain that stands for its own"


def test_an_alias_leads_through_an_alias_domain(sign_in: SignIn) -> None:
    alias("info@sales.test", STANDING)
    assert not isinstance(sign_in("info@sales.test"), MailError)


def test_the_password_of_an_alias_is_that_of_its_mailbox(sign_in: SignIn) -> None:
    mailboxes.ensure(BOB, actor=ACTOR, password="another horse battery staple")
    alias("info@sales.test", ALICE)
    assert isinstance(sign_in("info@sales.test", "another horse battery staple"), BadCredentials)


def two_targets() -> None:
    alias("info@sales.test", ALICE, BOB)


def one_target_elsewhere() -> None:
    alias("info@sales.test", "alice@elsewhere.example")


def an_alias_of_an_alias() -> None:
    alias("team@sales.test", ALICE)
    alias("info@sales.test", "team@sales.test")


def a_catch_all() -> None:
    alias("@sales.test", ALICE)


def switched_off() -> None:
    alias("info@sales.test", ALICE, active=False)


def expired() -> None:
    alias("info@sales.test", ALICE)
    Alias.objects.update(expires_at=timezone.now() - timedelta(days=1))


def in_a_suspended_domain() -> None:
    alias("info@sales.test", ALICE)
    Domain.objects.filter(name="sales.test").update(active=False)


def in_a_removed_domain() -> None:
    alias("info@sales.test", ALICE)
    Domain.objects.filter(name="sales.test").update(removed_at=timezone.now())


CLOSED = (
    two_targets, one_target_elsewhere, an_alias_of_an_alias, a_catch_all, switched_off, expired,
    in_a_suspended_domain, in_a_removed_domain,
)  # fmt: skip


@pytest.mark.parametrize("prepare", CLOSED, ids=lambda prepare: prepare.__name__)
def test_no_other_alias_opens_anything_at_the_cost_of_a_stranger(sign_in: SignIn, prepare: Callable[[], None]) -> None:
    prepare()
    Counting.runs = 0
    assert isinstance(sign_in("info@sales.test"), BadCredentials)
    assert Counting.runs == 1


@pytest.mark.parametrize("change", [{"active": False}, {"removed_at": timezone.now()}, {"stands_for": None}])
def test_a_domain_that_is_no_alias_domain_any_more_opens_nothing(sign_in: SignIn, change: dict[str, object]) -> None:
    Domain.objects.filter(name="example.net").update(**change)
    assert isinstance(sign_in(STANDING), BadCredentials)


@pytest.mark.parametrize("name", [STANDING, "info@sales.test"])
def test_a_suspended_or_removed_account_opens_by_no_name(sign_in: SignIn, name: str) -> None:
    alias("info@sales.test", ALICE)
    mailboxes.ensure(ALICE, actor=ACTOR, suspended=True)
    assert isinstance(sign_in(name), BadCredentials)
    mailboxes.ensure(ALICE, actor=ACTOR, suspended=False)
    mailbox_removal.remove(ALICE, actor=ACTOR, with_mail=True)
    assert isinstance(sign_in(name), BadCredentials)


def test_the_address_of_a_mailbox_is_never_that_of_another(sign_in: SignIn) -> None:
    """A forward has the address of its mailbox."""
    domains.ensure("example.test", actor=ACTOR, alias_sign_in=True)
    alias(BOB, ALICE, keep_copy=True)
    mailboxes.ensure(ALICE, actor=ACTOR, password="another horse battery staple")
    assert isinstance(sign_in(BOB, "another horse battery staple"), BadCredentials)
    assert not isinstance(sign_in(BOB), MailError)


def test_another_name_gives_nobody_a_fresh_count(sign_in: SignIn) -> None:
    alias("info@sales.test", ALICE)
    names = (ALICE, STANDING, "info@sales.test")
    for number in range(WRONG_PASSWORDS_A_DAY):
        assert isinstance(sign_in(names[number % 3], f"guess {number}"), BadCredentials)
    for name in names:
        assert isinstance(sign_in(name, "one more"), Throttled), name


def test_a_wrong_password_by_another_name_is_in_the_diary_of_the_mailbox(sign_in: SignIn, mail: Mail) -> None:
    sign_in(STANDING, "wrong")

    def written() -> bool:
        mail.flush()
        return DiarySession.objects.exists()

    mail.worker.until(written, "the refusal is in the diary")
    assert DiarySession.objects.get().mailbox.user.address == ALICE
    assert not heard().exists()


# --- bare names -----------------------------------------------------------------------------------------------------


def colleagues() -> list[str]:
    names = [f"colleague{number}" for number in range(UNKNOWN_ACCOUNTS_AN_HOUR)]
    for name in names:
        a_mailbox(f"{name}@example.test")
    return names


def test_twenty_colleagues_with_bare_names_do_not_bar_their_office(sign_in: SignIn) -> None:
    for name in colleagues():
        assert isinstance(sign_in(name), BadCredentials)
    assert not isinstance(sign_in(ALICE), MailError)


def test_bare_names_of_nobody_still_bar_a_network(sign_in: SignIn) -> None:
    for number in range(UNKNOWN_ACCOUNTS_AN_HOUR):
        assert isinstance(sign_in(f"nobody{number}"), BadCredentials)
    assert isinstance(sign_in(ALICE, "wrong"), Throttled)


def test_a_bare_name_costs_and_says_what_any_refusal_does(sign_in: SignIn) -> None:
    answers = []
    for name in ("alice", "nobody", "nobody@example.test"):
        Counting.runs = 0
        answers.append((type(sign_in(name, "wrong")), Counting.runs))
    assert answers == [(BadCredentials, 1)] * 3


def test_a_bare_name_is_told_if_a_mailbox_has_it_and_no_other_text_is(sign_in: SignIn, mail: Mail) -> None:
    for name in ("alice", "ALICE ", "hunter2", "my secret phrase"):
        sign_in(name, "wrong")
    mail.worker.ask(lambda done: mail.accounts.refused_names.flush(lambda: done(None), every=True))
    told = heard().order_by("name").values_list("name", "tries")
    assert list(told) == [("", 2), ("alice", 2)]


def test_a_password_in_the_wrong_field_is_not_told_when_it_was_completed(sign_in: SignIn, mail: Mail) -> None:
    completed = Credentials("hunter2@example.test", "wrong", "192.0.2.7", loopback=False, bare=True)
    mail.worker.ask(lambda done: mail.accounts.sign_in(completed, done))
    mail.worker.ask(lambda done: mail.accounts.refused_names.flush(lambda: done(None), every=True))
    assert heard().get().name == ""


def test_the_login_of_an_administrator_is_no_local_part(sign_in: SignIn, mail: Mail) -> None:
    admins.ensure("root", actor=ACTOR, password=PASSWORD)
    sign_in("root")
    mail.worker.ask(lambda done: mail.accounts.refused_names.flush(lambda: done(None), every=True))
    assert heard().get().name == ""
