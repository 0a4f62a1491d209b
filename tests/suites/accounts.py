"""What all accounts must do when somebody signs in."""

from __future__ import annotations

import pytest

from mailstore.errors import Abandoned, BadCredentials, MainPasswordBarred, PopSwitchedOff
from tests.suites.site import ANN, PASSWORD, Site, credentials, deliver, opened, sign_in


class AccountsSuite:
    @pytest.mark.req("P-040")
    @pytest.mark.parametrize("address", [ANN, "Ann@Example.ORG", "ANN@EXAMPLE.ORG"])
    def test_the_right_password_opens_the_maildrop_in_any_case_of_the_address(self, site: Site, address: str) -> None:
        site.add_mailbox(ANN)
        deliver(site)
        drop = opened(site, address)
        assert (drop.address, drop.messages, drop.expire_days) == (ANN, 1, None)

    @pytest.mark.parametrize("secret", [" lead", "trail ", "a  b", "päss wörd", "%s%n", "x" * 500])
    def test_a_password_is_taken_as_it_is(self, site: Site, secret: str) -> None:
        site.add_mailbox(ANN, secret)
        assert sign_in(site, secret).address == ANN
        assert isinstance(sign_in(site, secret.strip() + "."), BadCredentials)

    def test_unknown_users_wrong_passwords_and_suspended_accounts_are_answered_alike(self, site: Site) -> None:
        site.add_mailbox(ANN)
        for secret, address in (("wrong", ANN), (PASSWORD, "nobody@example.org"), (PASSWORD, "no address"), ("", ANN)):
            assert type(sign_in(site, secret, address)) is BadCredentials
        site.suspend(ANN)
        assert type(sign_in(site)) is BadCredentials

    def test_that_pop_is_off_is_said_after_the_right_password_alone(self, site: Site) -> None:
        site.add_mailbox(ANN)
        site.switch_pop_off(ANN)
        assert type(sign_in(site)) is PopSwitchedOff
        assert type(sign_in(site, "wrong")) is BadCredentials

    def test_that_the_main_password_is_barred_is_said_after_the_right_password_alone(self, site: Site) -> None:
        site.add_mailbox(ANN)
        site.bar_main_password(ANN)
        assert type(sign_in(site)) is MainPasswordBarred
        assert type(sign_in(site, "wrong")) is BadCredentials

    def test_a_changed_password_is_the_one_that_counts(self, site: Site) -> None:
        site.add_mailbox(ANN)
        opened(site)
        site.change_password(ANN, "another one")
        assert type(sign_in(site)) is BadCredentials
        assert sign_in(site, "another one").address == ANN

    def test_two_sessions_may_be_open_at_the_same_time(self, site: Site) -> None:
        site.add_mailbox(ANN)
        first, second = site.ask(*[lambda done: site.accounts.sign_in(credentials(), done)] * 2)
        assert first.address == second.address == ANN

    def test_a_client_that_leaves_at_once_gets_one_answer(self, site: Site) -> None:
        site.add_mailbox(ANN)
        site.hold_answers()
        answers: list[object] = []
        signing_in = site.act(lambda: site.accounts.sign_in(credentials(), answers.append))
        site.act(signing_in.abandon)
        site.until(lambda: answers)
        assert [type(answer) for answer in answers] == [Abandoned]

    def test_what_is_said_to_a_sign_in_that_was_answered_is_harmless(self, site: Site) -> None:
        site.add_mailbox(ANN)
        answers: list[object] = []
        signing_in = site.act(lambda: site.accounts.sign_in(credentials(), answers.append))
        site.until(lambda: answers)
        site.act(signing_in.give_way)
        site.act(signing_in.abandon)
        assert len(answers) == 1
