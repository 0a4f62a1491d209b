"""Many mailboxes at once: what becomes of each is what would become of it alone, in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import psycopg
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from mailstore.directory import admins, aliases, mailbox_batch, mailbox_removal, mailboxes, new_password, policies
from mailstore.directory.audit import Actor
from mailstore.directory.mailbox_batch import Answer
from mailstore.directory.mailbox_judge import Wanted
from mailstore.directory.new_password import New
from mailstore.directory.outcome import LostRace, Only, Rejected
from mailstore.models import AuditEntry, Domain, Mailbox, RetentionPolicy, User
from tests.site.counting_hasher import PATH, Counting
from tests.site.rows import ACTOR, PASSWORD, a_domain, at_once
from tests.site.worker import conninfo

pytestmark = pytest.mark.django_db
OTHER, SHORT = "another long password", "short"
NAMES = [f"{local}@{domain}" for local in ("ann", "bob", "cat", "dan", "eve") for domain in ("capped.org", "free.org")]
ODD = ["gone@free.org", "info@free.org", "root@free.org", "ann@other.org", "ann@nowhere.org"]
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["", "Ann", "x" * 200]),
        "suspended": st.booleans(),
        "quota_octets": st.sampled_from([None, -1, 0, 5, 9, 10, 11]),
        "quota_messages": st.sampled_from([None, 5]),
        "pop": st.booleans(),
        "main_pop": st.booleans(),
        "policy": st.sampled_from([None, "week"]),
    },
)
WISHES = st.lists(
    st.tuples(st.sampled_from(NAMES + ODD), FIELDS, st.sampled_from([None, None, PASSWORD, OTHER, SHORT])),
    unique_by=lambda wish: wish[0],
    max_size=len(NAMES + ODD),
)


@pytest.fixture
def site(settings: Settings) -> Actor:
    """A capped domain and one without caps, with mailboxes in both and all that bars an address; a domain's admin."""
    settings.PASSWORD_HASHERS = [PATH]
    a_domain("free.org")
    a_domain("capped.org", mailbox_limit=4, mailbox_quota_most=10, allotment_octets=25)
    a_domain("other.org", stands_for=Domain.objects.get(name="free.org"))
    for address in ("ann@capped.org", "ann@free.org", "bob@free.org", "gone@free.org"):
        mailboxes.ensure(address, actor=ACTOR, password=PASSWORD, quota_octets=9)
    mailbox_removal.remove("gone@free.org", actor=ACTOR, with_mail=True)
    aliases.ensure("info@free.org", ["ann@free.org"], actor=ACTOR)
    admins.ensure("root@free.org", actor=ACTOR)
    policies.ensure("week", actor=ACTOR, expire_days=7)
    return Actor("dora", "web", User.objects.create(address="dora@elsewhere.example"))


def wanted(wishes: list[tuple[str, dict[str, Any], str | None]]) -> list[Wanted]:
    named = {"week": RetentionPolicy.objects.get(name="week"), None: None}
    return [
        Wanted(address, fields | ({"policy": named[fields["policy"]]} if "policy" in fields else {}), password)
        for address, fields, password in wishes
    ]


def outcome(answer: Answer) -> object:
    if isinstance(answer, Rejected):
        return str(answer)
    moments = {"password_changed_at", "policy_since"}
    return answer.created, {name: ... if name in moments else pair for name, pair in answer.changes.items()}


def state() -> list[object]:
    """All that anybody can see afterwards, but keys and moments."""
    of_mailbox = ("quota_octets", "quota_messages", "pop", "main_pop", "policy", "domain", "device__mode")
    of_user = ("address", "name", "is_active")
    rows: list[object] = list(Mailbox.objects.order_by("user__address").values_list("user__address", *of_mailbox))
    rows += User.objects.order_by("address").values_list(*of_user)
    opens = {user.address: [user.check_password(word) for word in (PASSWORD, OTHER)] for user in User.objects.all()}
    entries = AuditEntry.objects.order_by("pk").values_list("verb", "subject", "mailbox__user__address")
    return [*rows, opens, *entries]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wishes=WISHES, bound=st.booleans(), only=st.sampled_from([None, *Only]))
def test_many_at_once_are_answered_and_left_as_one_after_the_other(
    site: Actor, wishes: Any, bound: bool, only: Only | None
) -> None:
    ways, actor = [], site if bound else ACTOR
    for turns in ([wanted(wishes)], [[each] for each in wanted(wishes)]):
        with transaction.atomic():
            answers = [a for turn in turns for a in mailbox_batch.ensure(turn, actor=actor, only=only, generates=False)]
            ways.append((list(map(outcome, answers)), state()))
            transaction.set_rollback(True)
    assert ways[0] == ways[1]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wishes=WISHES, bound=st.booleans(), only=st.sampled_from([None, *Only]))
def test_a_check_says_of_each_what_the_run_does_and_leaves_everything(
    site: Actor, wishes: Any, bound: bool, only: Only | None
) -> None:
    before, actor = state(), site if bound else ACTOR
    checked = [*map(outcome, mailbox_batch.check(wanted(wishes), actor=actor, only=only))]
    assert state() == before
    with transaction.atomic():
        assert checked == [*map(outcome, mailbox_batch.ensure(wanted(wishes), actor=actor, only=only, generates=False))]
        transaction.set_rollback(True)


def test_a_check_locks_nothing_and_writes_nothing() -> None:
    a_domain()
    mailboxes.ensure("ann@example.org", actor=ACTOR, password=PASSWORD)
    wishes = [Wanted("ann@example.org", {"name": "Ann", "main_pop": False}), Wanted("bob@example.org", {}, PASSWORD)]
    with CaptureQueriesContext(connection) as queries:
        mailbox_batch.check(wishes, actor=ACTOR)
    assert queries.captured_queries
    for query in queries.captured_queries:
        assert query["sql"].startswith("SELECT")
        assert " FOR " not in query["sql"]


def test_a_hundred_take_as_many_statements_as_two() -> None:
    a_domain()
    counts = []
    for name, many in (("few", 2), ("many", 100)):
        rows = [Wanted(f"{name}{n}@example.org", {"name": str(n), "quota_octets": n}) for n in range(many)]
        with CaptureQueriesContext(connection) as made:
            mailbox_batch.ensure(rows, actor=ACTOR, generates=False)
        again = [Wanted(each.address, {"name": "x", "quota_octets": 7, "pop": False}) for each in rows]
        with CaptureQueriesContext(connection) as changed:
            mailbox_batch.ensure(again, actor=ACTOR)
        counts.append((len(made), len(changed)))
    assert counts[0] == counts[1]
    assert Mailbox.objects.filter(quota_octets=7, pop=False, user__name="x").count() == 102


@pytest.mark.django_db(transaction=True)
def test_two_who_bring_in_the_same_at_once_make_each_once_and_keep_to_the_limit() -> None:
    a_domain("one.org")
    a_domain("two.org", mailbox_limit=30)
    rows = [Wanted(f"box{n}@{domain}", {}) for n in range(50) for domain in ("one.org", "two.org")]
    answers = at_once(*[lambda rows=rows: mailbox_batch.ensure(rows, actor=ACTOR) for rows in (rows, rows[::-1])])
    made = [
        each.row.user.address for some in answers for each in some if not isinstance(each, Rejected) if each.created
    ]
    assert len(made) == len(set(made)) == Mailbox.objects.count() == 50 + 30


@pytest.mark.django_db(transaction=True)
def test_whoever_takes_an_address_meanwhile_costs_the_others_nothing() -> None:
    a_domain()
    rows = [Wanted(f"box{n}@example.org", {}) for n in range(20)]
    done = at_once(
        lambda: mailbox_batch.ensure(rows, actor=ACTOR), lambda: admins.ensure("box3@example.org", actor=ACTOR)
    )
    refused = [answer for answer in done[0] if isinstance(answer, Rejected)]
    assert (len(refused), Mailbox.objects.count()) in ((1, 19), (0, 20))


class Watching(Counting):
    """While it hashes, the mailboxes and their domain are anybody's."""

    asked: ClassVar[list[int]] = []

    def encode(self, password: str, salt: str) -> str:
        with psycopg.connect(conninfo()) as other:
            for table in ("mailbox", "domain"):
                rows = other.execute(f"SELECT FROM mailstore_{table} FOR SHARE NOWAIT".encode())
                Watching.asked.append(rows.rowcount)
        return super().encode(password, salt)


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_slow_hash(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [PATH]
    a_domain("free.org")
    wanted = [Wanted("ann@free.org", {}, PASSWORD), Wanted("bob@free.org", {}, PASSWORD)]
    mailbox_batch.ensure(wanted, actor=ACTOR)
    settings.PASSWORD_HASHERS = [f"{__name__}.Watching"]
    changed = [
        Wanted("ann@free.org", {}, OTHER),
        Wanted("bob@free.org", {}, PASSWORD),
        Wanted("cat@free.org", {}, OTHER),
    ]
    mailbox_batch.ensure(changed, actor=ACTOR)
    mailboxes.set_password("ann@free.org", PASSWORD, actor=ACTOR)
    assert [user.check_password(PASSWORD) for user in User.objects.order_by("address")] == [True, True, False]
    assert set(Watching.asked) == {2, 1, 3}


@pytest.mark.django_db(transaction=True)
def test_a_password_that_is_changed_while_hashes_are_made_is_held_against_the_new_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PASSWORD_HASHERS = [PATH]
    a_domain("free.org")
    mailboxes.ensure("ann@free.org", actor=ACTOR, password=PASSWORD)
    hashed = new_password.hashed

    def meanwhile(passwords: Sequence[New]) -> list[str]:
        monkeypatch.undo()
        settings.PASSWORD_HASHERS = [PATH]
        mailboxes.set_password("ann@free.org", OTHER, actor=ACTOR)
        return hashed(passwords)

    monkeypatch.setattr(new_password, "hashed", meanwhile)
    mailboxes.ensure("ann@free.org", actor=ACTOR, password=PASSWORD)
    assert User.objects.get(address="ann@free.org").check_password(PASSWORD)


class PlacementRefused(Counting):
    """Refuses each password, and counts how often it was asked."""

    tries: ClassVar[int] = 0

    def encode(self, password: str, salt: str) -> str:
        PlacementRefused.tries += 1
        raise Rejected("no")


class Overtaking(Counting):
    """While it hashes, somebody else gives the mailbox another password, each time."""

    tries: ClassVar[int] = 0

    def encode(self, password: str, salt: str) -> str:
        Overtaking.tries += 1
        with psycopg.connect(conninfo()) as other:
            other.execute("UPDATE mailstore_user SET password = password || '.'")
        return super().encode(password, salt)


@pytest.mark.django_db(transaction=True)
def test_a_refusal_that_is_no_race_is_not_tried_again(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.PlacementRefused"]
    a_domain("free.org")
    with pytest.raises(Rejected, match="no"):
        mailbox_batch.ensure([Wanted("ann@free.org", {}, PASSWORD)], actor=ACTOR)
    assert PlacementRefused.tries == 1


@pytest.mark.django_db(transaction=True)
def test_a_race_is_tried_once_more_and_then_named(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [PATH]
    a_domain("free.org")
    mailboxes.ensure("ann@free.org", actor=ACTOR, password=PASSWORD)
    settings.PASSWORD_HASHERS = [f"{__name__}.Overtaking", PATH]
    with pytest.raises(LostRace, match="a moment ago"):
        mailbox_batch.ensure([Wanted("ann@free.org", {}, OTHER)], actor=ACTOR)
    assert Overtaking.tries == 2
