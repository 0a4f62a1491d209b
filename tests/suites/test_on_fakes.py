"""The fakes pass what the real accounts, maildrops and deliveries pass, so that tests on them mean something."""

from __future__ import annotations

import pytest

from tests.fakes.site import FakeSite
from tests.suites.accounts import AccountsSuite
from tests.suites.delivery import DeliverySuite
from tests.suites.gatekeeper import GatekeeperSuite
from tests.suites.maildrop import MaildropSuite
from tests.suites.senders import SendersSuite


@pytest.fixture
def site() -> FakeSite:
    return FakeSite()


class TestFakeAccounts(AccountsSuite):
    pass


class TestFakeMaildrop(MaildropSuite):
    pass


class TestFakeDelivery(DeliverySuite):
    pass


class TestFakeSenders(SendersSuite):
    pass


class TestFakeGatekeeper(GatekeeperSuite):
    pass
