"""The suites of accounts, maildrops and deliveries on Postgres and files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.site import counting_hasher
from tests.site.mail import assert_counters_are_sums
from tests.site.stored_site import StoredSite
from tests.suites.accounts import AccountsSuite
from tests.suites.delivery import DeliverySuite
from tests.suites.gatekeeper import GatekeeperSuite
from tests.suites.maildrop import MaildropSuite
from tests.suites.senders import SendersSuite


@pytest.fixture
def site(settings: Settings, stored_site: StoredSite) -> Iterator[StoredSite]:
    settings.PASSWORD_HASHERS = [counting_hasher.PATH]
    yield stored_site
    assert_counters_are_sums()


class TestStoredAccounts(AccountsSuite):
    pass


class TestStoredMaildrop(MaildropSuite):
    pass


class TestStoredDelivery(DeliverySuite):
    pass


class TestStoredSenders(SendersSuite):
    pass


class TestStoredGatekeeper(GatekeeperSuite):
    pass
