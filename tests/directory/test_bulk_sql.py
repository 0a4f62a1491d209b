"""Many rows written at once: each gets its own values, and nothing else of any row moves."""

from __future__ import annotations

import pytest
from django.db import connection
from django.forms import model_to_dict
from django.utils import timezone

from mailstore.directory import bulk_sql, policies
from mailstore.models import AuditEntry, Device, Mailbox, User
from tests.site.rows import ACTOR, a_mailbox

pytestmark = pytest.mark.django_db


def test_rows_are_inserted_as_bulk_create_would_and_get_their_keys_in_order() -> None:
    box = a_mailbox()
    ways = []
    for insert in (bulk_sql.insert, AuditEntry.objects.bulk_create):
        AuditEntry.objects.all().delete()
        rows = [
            AuditEntry(
                actor=box.user if n else None, actor_name=f"n'{n}", via="web", client="192.0.2.7" if n == 1 else None,
                verb="mailbox.change", subject=f"s{n}", mailbox=box, details={"n": [n, None, "x"]},
            )
            for n in range(3)
        ]  # fmt: skip
        insert(rows)
        found = list(AuditEntry.objects.order_by("pk"))
        assert [row.pk for row in rows] == [row.pk for row in found]
        assert not any(row._state.adding or row.at is None for row in rows)
        ways.append([model_to_dict(row, exclude=["id"]) for row in found])
    assert ways[0] == ways[1]


def test_rows_that_agree_in_all_and_rows_of_sets_and_octets_are_inserted_too() -> None:
    boxes = [a_mailbox(address) for address in ("ann@example.org", "bob@example.org")]
    Device.objects.all().delete()
    bulk_sql.insert(
        [Device(mailbox=box, name="x", selector=f"s{box.pk}", digest=b"\0d", confirmed="{[1,4)}") for box in boxes]
    )
    found = list(
        Device.objects.order_by("pk").values_list("mailbox", "selector", "digest", "hidden", "confirmed", "mode")
    )
    same = (b"\0d", "{}", "{[1,4)}", "independent")
    assert [(*row[:2], bytes(row[2]), *row[3:]) for row in found] == [(b.pk, f"s{b.pk}", *same) for b in boxes]
    bulk_sql.insert([])
    before = AuditEntry.objects.count()
    bulk_sql.insert([AuditEntry(actor_name="x", via="web", verb="v", subject="s") for _n in range(2)])
    assert AuditEntry.objects.count() == before + 2


def test_each_row_gets_its_own_values_of_any_kind_and_keeps_the_rest() -> None:
    boxes = [a_mailbox(address) for address in ("ann@example.org", "bob@example.org", "cat@example.org")]
    now, policy = timezone.now(), policies.ensure("week", actor=ACTOR).row
    ann, bob, _cat = boxes
    ann.quota_octets, ann.policy, ann.policy_since, ann.pop, ann.notes = (
        7,
        policy,
        now,
        False,
        "not written",
    )
    bob.quota_octets, bob.notes = None, "neither"
    bulk_sql.update([ann, bob], ("quota_octets", "policy", "policy_since", "pop"))
    found = list(Mailbox.objects.order_by("pk").values_list("quota_octets", "policy", "policy_since", "pop", "notes"))
    assert found == [(7, policy.pk, now, False, ""), (None, None, None, True, ""), (None, None, None, True, "")]


def test_texts_come_as_they_are() -> None:
    users = [a_mailbox(address).user for address in ("ann@example.org", "bob@example.org")]
    users[0].name, users[1].name = 'It\'s {"odd", \\ %s}', "NULL"
    bulk_sql.update(users, ("name",))
    assert list(User.objects.order_by("pk").values_list("name", flat=True)) == ['It\'s {"odd", \\ %s}', "NULL"]
    bulk_sql.update([], ("name",))
    bulk_sql.update(users, ())


def test_users_are_found_by_their_exact_addresses_each_by_the_unique_index() -> None:
    ann, bob = (a_mailbox(address).user for address in ("ann@example.org", "Ö'b%b@example.org"))
    a_mailbox("ann@example.org.example")
    rows = User.objects.filter(pk__in=bulk_sql.user_ids([ann.address, "nobody@example.org", bob.address]))
    assert {*rows} == {ann, bob}
    assert not User.objects.filter(pk__in=bulk_sql.user_ids([])).exists()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # that of three rows costs nothing
    plan = rows.explain()
    assert "mailstore_user_address" in plan
    assert "user_search" not in plan, "the search's index takes milliseconds an address after many inserts"
