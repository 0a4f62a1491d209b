"""What all senders must do when somebody signs in to send mail."""

from __future__ import annotations

from typing import Any

import pytest

from mailstore.errors import Abandoned, BadCredentials, MainPasswordBarred, SendingOff
from mailstore.ports import Sender
from tests.suites.site import ANN, PASSWORD, Site, credentials


def sign_in(site: Site, secret: str = PASSWORD, address: str = ANN) -> Any:
    """Return the sender, or the error."""
    (answer,) = site.ask(lambda done: site.senders.sign_in(credentials(secret, address), done))
    return answer


class SendersSuite:
    @pytest.mark.parametrize("address", [ANN, "Ann@Example.ORG"])
    def test_the_right_password_names_the_sender_by_the_own_address(self, site: Site, address: str) -> None:
        site.add_mailbox(ANN)
        assert sign_in(site, address=address) == Sender(ANN, "main")

    def test_unknown_users_wrong_passwords_and_suspended_accounts_are_answered_alike(self, site: Site) -> None:
        site.add_mailbox(ANN)
        for secret, address in (("wrong", ANN), (PASSWORD, "nobody@example.org"), (PASSWORD, "no address"), ("", ANN)):
            assert type(sign_in(site, secret, address)) is BadCredentials
        site.suspend(ANN)
        assert type(sign_in(site)) is BadCredentials

    def test_a_switch_that_forbids_it_is_said_after_the_right_password_alone(self, site: Site) -> None:
        for switch, error in ((site.bar_main_password, MainPasswordBarred), (site.switch_sending_off, SendingOff)):
            site.add_mailbox(ANN)
            switch(ANN)
            assert type(sign_in(site)) is error
            assert type(sign_in(site, "wrong")) is BadCredentials

    def test_pop_that_is_off_does_not_matter(self, site: Site) -> None:
        site.add_mailbox(ANN)
        site.switch_pop_off(ANN)
        assert sign_in(site) == Sender(ANN, "main")

    def test_a_client_that_leaves_at_once_gets_one_answer(self, site: Site) -> None:
        site.add_mailbox(ANN)
        site.hold_answers()
        answers: list[object] = []
        signing_in = site.act(lambda: site.senders.sign_in(credentials(), answers.append))
        site.act(signing_in.abandon)
        site.until(lambda: answers)
        assert [type(answer) for answer in answers] == [Abandoned]
