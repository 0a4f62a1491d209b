"""The views that an MTA reads agree with what LMTP takes, and lead each message to everybody once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from mailstore.directory import aliases, domains
from mailstore.errors import AliasOutside, RecipientDisabled, UnknownRecipient
from mailstore.models import Alias, Mailbox, User
from mailstore.policy.addresses import lookup_keys
from mailstore.ports import Recipient
from tests.delivery.generated_site import OUTSIDE, generate
from tests.site.mail import Mail
from tests.site.rows import ACTOR, a_domain, a_mailbox

ANN, BOB, INFO, AWAY = "ann@example.org", "bob@example.org", "info@example.org", "out@elsewhere.example"


def rows(view: str, *columns: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM {view}")
        return sorted(cursor.fetchall())


class Mta:
    """What an MTA makes of the views, as Postfix looks addresses up: whole, without +detail, then the catch-all."""

    def __init__(self) -> None:
        self.domains = {domain for (domain,) in rows("mta_domains", "domain")}
        self.mailboxes = {address for (address,) in rows("mta_mailboxes", "address")}
        self.aliases: dict[str, list[str]] = {}
        for address, target in rows("mta_aliases", "address", "target"):
            self.aliases.setdefault(address, []).append(target)

    def expansion(self, name: str) -> list[str]:
        """The names that leave the MTA, after each was looked up again until nothing new came."""
        waiting, seen, ends = [name], {name}, []
        while waiting:
            name = waiting.pop()
            key = next((key for key in _keys(name) if key in self.aliases), None)
            targets = self.aliases[key] if key else [name]
            ends.extend(target for target in targets if target == (key or name))
            waiting.extend(target for target in targets if target not in {key, *seen})
            seen.update(targets)
        return ends

    def knows(self, name: str) -> str:
        """The key of mta_mailboxes that answers for a name, or an empty text."""
        return next((key for key in _keys(name) if key in self.mailboxes), "")


def _keys(name: str) -> list[str]:
    return [*lookup_keys(name), f"@{name.rpartition('@')[2]}"]


@pytest.mark.parametrize("seed", range(6))
def test_on_any_site_the_views_agree_with_lmtp_and_nobody_is_missed_or_gets_it_twice(mail: Mail, seed: int) -> None:
    site = generate(seed)
    mta = Mta()
    for name in site.names:
        answer = mail.recipient(name)
        if name.rpartition("@")[2] not in mta.domains:
            assert not isinstance(answer, Recipient), name
            continue
        ends = mta.expansion(name)
        if isinstance(answer, AliasOutside):
            assert ends != [name], f"{name} must be expanded"
        elif ends == [name]:
            _assert_known_alike(mta, name, answer)
        served = Counter(address for end in ends for address in _served(mail, end))
        assert set(served) == site.ends(name), name
        assert set(served.values()) <= {1}, (name, served)


def _assert_known_alike(mta: Mta, name: str, answer: object) -> None:
    """A name that the MTA hands on unchanged. A catch-all answers for all names, also for one that LMTP refuses."""
    known = mta.knows(name)
    if not known.startswith("@"):
        assert bool(known) == isinstance(answer, Recipient), (name, answer)
    if isinstance(answer, Recipient):
        assert known, name


def _served(mail: Mail, end: str) -> list[str]:
    """The mailboxes that LMTP brings a message to, or the address outside."""
    if end in OUTSIDE or end.endswith("@gone.example"):
        return [end]
    found = mail.recipient(end)
    if not isinstance(found, Recipient):
        assert isinstance(found, UnknownRecipient | RecipientDisabled), (end, found)
        return []
    return list(Mailbox.objects.filter(pk__in=found.mailboxes).values_list("user__address", flat=True))


@pytest.mark.django_db
def test_a_full_mailbox_is_there_and_a_catch_all_is_told_apart() -> None:
    a_mailbox(ANN)
    Mailbox.objects.update(quota_messages=0)
    aliases.ensure("@example.org", [ANN], actor=ACTOR)
    assert rows("mta_mailboxes", "address", "domain", "catch_all") == [
        ("@example.org", "example.org", True),
        (ANN, "example.org", False),
    ]


@pytest.mark.django_db
def test_a_domain_that_is_off_or_removed_is_none_and_one_that_stands_for_another_is() -> None:
    a_mailbox(ANN)
    domains.ensure("example.net", actor=ACTOR, stands_for=domains.get("example.org"))
    a_domain("off.example", active=False)
    assert rows("mta_domains", "domain") == [("example.net",), ("example.org",)]


@pytest.mark.django_db
def test_users_may_send_as_themselves_and_as_the_aliases_that_name_them_also_in_alias_domains() -> None:
    for address in (ANN, BOB):
        a_mailbox(address)
    domains.ensure("example.net", actor=ACTOR, stands_for=domains.get("example.org"))
    aliases.ensure(INFO, ["ann+info@example.org", "bob@example.net", AWAY], actor=ACTOR)
    aliases.ensure("old@example.org", [ANN], actor=ACTOR)
    Alias.objects.filter(address="old@example.org").update(expires_at=timezone.now() - timedelta(minutes=1))
    aliases.ensure("@example.org", [ANN], actor=ACTOR)
    aliases.ensure(ANN, [BOB], actor=ACTOR, keep_copy=True)
    own = [(ANN, ANN), (BOB, BOB), (INFO, ANN), (INFO, BOB)]
    there = [(sender.replace(".org", ".net"), login) for sender, login in own]
    assert rows("mta_senders", "sender", "login") == sorted([*own, *there])
    User.objects.filter(address=ANN).update(is_active=False)
    assert {login for _sender, login in rows("mta_senders", "sender", "login")} == {BOB}
